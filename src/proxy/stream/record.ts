/** What the access log is told of connections and flows that are not HTTP. */

/** Why a connection was refused or cut. */
export type StreamFlag =
  /** As many connections are open as may be. */
  | 'overflow'
  /** Nothing routes the server name, or the listener has no route. */
  | 'no_route'
  /** The backendRef is invalid, or no backend has a weight. */
  | 'invalid_backend'
  | 'no_endpoints'
  /** The endpoints tried have as many connections as they may have. */
  | 'upstream_overflow'
  | 'upstream_connect_failed'
  | 'upstream_connect_timeout'
  | 'upstream_reset'
  | 'client_reset'
  /** What the client sent first is no TLS ClientHello. */
  | 'bad_hello'
  | 'hello_timeout'
  | 'handshake_failed'
  | 'idle'
  /** A UDP client was forgotten to make room for another. */
  | 'evicted'
  /** Its listener, backend or endpoint is gone (UDP only: connections outlive them). */
  | 'removed'
  | 'shutdown';

/** One connection or UDP flow that is over. Plain data. */
export interface StreamRecord {
  /** Milliseconds since the epoch at which it began. */
  readonly time: number;
  /** Id of the plan's stream listener. */
  readonly listener: string;
  /** `address:port` of the client. */
  readonly client: string;
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
