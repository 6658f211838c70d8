/** What the Pods behind a Service port speak, by the port's appProtocol. One table for Ingress and Gateway API. */
import type { Backend } from './plan/plan.ts';

export type HttpProtocol = Exclude<Backend['protocol'], 'tcp' | 'udp'>;

/** KEP-3726 names, and common ones without a prefix; lower case. */
const protocols: ReadonlyMap<string, HttpProtocol> = new Map([
  ['http', 'http1'],
  ['ws', 'http1'],
  ['kubernetes.io/ws', 'http1'],
  ['h2c', 'h2c'],
  ['http2', 'h2c'],
  ['grpc', 'h2c'],
  ['kubernetes.io/h2c', 'h2c'],
  ['https', 'https'],
  ['wss', 'https'],
  ['kubernetes.io/wss', 'https'],
  ['h2', 'h2'],
  ['grpcs', 'h2'],
]);

/** Undefined for a name that says nothing about HTTP. A port without appProtocol speaks HTTP/1.1. */
export function protocolOf(appProtocol: string | undefined): HttpProtocol | undefined {
  return appProtocol ? protocols.get(appProtocol.toLowerCase()) : 'http1';
}

/** What is for WebSockets is HTTP/1.1 and nothing else. */
const webSockets: ReadonlySet<string> = new Set(['ws', 'wss', 'kubernetes.io/ws', 'kubernetes.io/wss']);

/**
 * What carries gRPC to a port: HTTP/2, also where the name says only HTTP, or nothing. Undefined for names of something
 * else.
 */
export function grpcProtocolOf(appProtocol: string | undefined): 'h2c' | 'h2' | undefined {
  const protocol = protocolOf(appProtocol);
  if (!protocol || webSockets.has(appProtocol?.toLowerCase() ?? '')) return undefined;
  return isOverTls(protocol) ? 'h2' : 'h2c';
}

export function isHttp2(protocol: HttpProtocol | undefined): boolean {
  return protocol === 'h2c' || protocol === 'h2';
}

export function isOverTls(protocol: HttpProtocol): boolean {
  return protocol === 'https' || protocol === 'h2';
}

/** The same over TLS: what a BackendTLSPolicy makes of a port, whose version of HTTP is still the appProtocol's to say. */
export function overTls(protocol: HttpProtocol | undefined): 'https' | 'h2' {
  return isHttp2(protocol) ? 'h2' : 'https';
}
