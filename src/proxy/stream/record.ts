/** What the access log is told of connections and flows that are not HTTP. */
import type { TelemetryOptions } from '../options.ts';

/** Why a connection or UDP flow was refused or cut. docs/data-plane.md lists them. */
export const streamFlags = [
  /** As many connections are open as may be. */
  'overflow',
  /** The balancer did not say whose connection it is (PROXY protocol). */
  'bad_proxy_header',
  /** Nothing routes the server name, or the listener has no route. */
  'no_route',
  /** The backendRef is invalid, or no backend has a weight. */
  'invalid_backend',
  'no_endpoints',
  /** The endpoints tried have as many connections as they may have. */
  'upstream_overflow',
  'upstream_connect_failed',
  'upstream_connect_timeout',
  /** The backend did not prove who it is, or it refused us in the TLS handshake. */
  'upstream_tls_failed',
  'upstream_reset',
  'client_reset',
  /** What the client sent first is no TLS ClientHello. */
  'bad_hello',
  'hello_timeout',
  'handshake_failed',
  'idle',
  /** A UDP client was forgotten to make room for another. */
  'evicted',
  /** Its listener, backend or endpoint is gone (UDP only: connections outlive them). */
  'removed',
  'shutdown',
] as const;

export type StreamFlag = (typeof streamFlags)[number];

/** One connection or UDP flow that is over. Plain data. */
export interface StreamRecord {
  /** Milliseconds since the epoch at which it began. */
  readonly time: number;
  /** Id of the plan's stream listener. */
  readonly listener: string;
  readonly protocol: 'TCP' | 'TLS' | 'UDP';
  /** Address of the client, as announced where a balancer announces it, and its port. */
  readonly client: string;
  readonly clientPort: number;
  /** Of the ClientHello, lower case. */
  readonly serverName?: string;
  readonly route?: string;
  readonly backend?: string;
  /** `address:port`. */
  readonly endpoint?: string;
  /** Bytes taken from the client, and bytes handed to it; for TLS that is terminated, those inside. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly durationMs: number;
  /** Endpoints tried. */
  readonly attempts: number;
  readonly flag?: StreamFlag;
  readonly reason?: string;
}

/** Whether the access log hears of one, chosen at random. */
export function isLogged({ accessSampleRate }: TelemetryOptions): boolean {
  return accessSampleRate >= 1 || Math.random() < accessSampleRate;
}
