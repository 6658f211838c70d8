/** What the Pods behind a Service port speak, by the port's appProtocol. One table for Ingress and Gateway API. */
import type { Backend } from './plan/plan.ts';

type HttpProtocol = Extract<Backend['protocol'], 'http1' | 'h2c' | 'https'>;

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
]);

/** Protocols that the data plane speaks to backends of HTTP routes. */
const spoken: ReadonlySet<HttpProtocol> = new Set(['http1', 'https']);

/** Undefined for a name that says nothing about HTTP. A port without appProtocol speaks HTTP/1.1. */
export function protocolOf(appProtocol: string | undefined): HttpProtocol | undefined {
  return appProtocol ? protocols.get(appProtocol.toLowerCase()) : 'http1';
}

export function isSpoken(protocol: HttpProtocol): boolean {
  return spoken.has(protocol);
}
