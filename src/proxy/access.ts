/** What the access log is told of each request. */

/** Why the proxy answered by itself, or why a response is not whole. */
export type AccessFlag =
  /** The request broke the rules of HTTP; `reason` says which. */
  | 'bad_request'
  | 'no_host'
  | 'no_route'
  | 'redirect'
  | 'fixed_response'
  /** The backendRef is invalid, or no backend has a weight. */
  | 'invalid_backend'
  | 'no_endpoints'
  /** All connections that endpoints may have are in use. */
  | 'upstream_overflow'
  | 'upstream_connect_failed'
  | 'upstream_connect_timeout'
  /** Closed before a response began. */
  | 'upstream_reset'
  /** What the backend sent is not HTTP/1.1 as it should be. */
  | 'upstream_protocol'
  /** The response ended before its framing said so; the client's connection was cut. */
  | 'upstream_truncated'
  | 'upstream_timeout'
  /** The backend asks for a protocol that this data plane does not speak to backends. */
  | 'unsupported_protocol'
  | 'request_timeout'
  | 'backend_request_timeout'
  | 'client_timeout'
  /** Nothing moved in a WebSocket or another tunnel for too long. */
  | 'tunnel_idle'
  /** The client went away before the response was complete. */
  | 'client_closed'
  | 'shutdown';

/** One request that is over. Plain data. */
export interface AccessRecord {
  /** Milliseconds since the epoch at which its head was complete. */
  readonly time: number;
  /** Id of the plan's listener. */
  readonly listener: string;
  readonly client: string;
  readonly method: string;
  /** As the client sent it, one character per byte. */
  readonly host: string;
  readonly target: string;
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1';
  /** 0 when no response was begun. */
  readonly status: number;
  /** Body bytes taken from the client, and body bytes handed to it. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly durationMs: number;
  /** From handing the request to a backend's connection to the head of its response. */
  readonly upstreamMs?: number;
  readonly route?: string;
  readonly backend?: string;
  /** `address:port`. */
  readonly endpoint?: string;
  /** Connections tried. */
  readonly attempts: number;
  readonly flag?: AccessFlag;
  readonly reason?: string;
}
