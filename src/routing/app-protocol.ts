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

export function isOverTls(protocol: HttpProtocol): boolean {
  return protocol === 'https' || protocol === 'h2';
}

/** The same over TLS: what a BackendTLSPolicy makes of a port, whose version of HTTP is still the appProtocol's to say. */
export function overTls(protocol: HttpProtocol | undefined): 'https' | 'h2' {
  return protocol === 'h2c' || protocol === 'h2' ? 'h2' : 'https';
}
