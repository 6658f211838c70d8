/** What the access log is told of each request. */

/** Why the proxy answered by itself, or why a response is not whole. docs/data-plane.md lists them. */
export const accessFlags = [
  /** The request broke the rules of HTTP; `reason` says which. */
  'bad_request',
  'no_host',
  'no_route',
  /** The host belongs to another certificate than the connection was made for (421). */
  'misdirected',
  'redirect',
  'fixed_response',
  /** The challenge of a certificate authority was answered. */
  'acme_challenge',
  /** Answered by a filter of the route. */
  'cors_preflight',
  'address_denied',
  /** The client's certificate is missing, not valid, or of somebody who is not let in. */
  'certificate_denied',
  'body_too_large',
  'unauthorized',
  /** The service of external auth has turned the request away, or sends the client to sign in. */
  'auth_denied',
  /** The service of external auth could not be asked, or gave no answer that says anything. */
  'auth_failed',
  'rate_limited',
  'concurrency_limited',
  /** A page of another backend took the place of a response. */
  'error_page',
  'invalid_filter',
  /** The backendRef is invalid, or no backend has a weight. */
  'invalid_backend',
  'no_endpoints',
  /** All connections that endpoints may have are in use. */
  'upstream_overflow',
  'upstream_connect_failed',
  'upstream_connect_timeout',
  /** The backend did not prove who it is, or it refused us in the TLS handshake. */
  'upstream_tls_failed',
  /** Closed before a response began. */
  'upstream_reset',
  /** What the backend sent is not HTTP as it should be. */
  'upstream_protocol',
  /** The response ended before its framing said so; the client's connection was cut. */
  'upstream_truncated',
  'upstream_timeout',
  /** The backend speaks HTTP/2 and does not take the protocol of an Upgrade over it (RFC 8441). */
  'unsupported_protocol',
  'request_timeout',
  'backend_request_timeout',
  'client_timeout',
  /** Nothing moved in a WebSocket or another tunnel for too long. */
  'tunnel_idle',
  /** The client went away before the response was complete. */
  'client_closed',
  'shutdown',
] as const;

export type AccessFlag = (typeof accessFlags)[number];

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
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2.0';
  /** Of the request, as they came; undefined when it has none. */
  readonly referer: string | undefined;
  readonly userAgent: string | undefined;
  /** 0 when no response was begun. */
  readonly status: number;
  /** Body bytes taken from the client, and body bytes handed to it. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly durationMs: number;
  /** From handing the request to a backend's connection to the head of its response. */
  readonly upstreamMs: number | undefined;
  readonly route: string | undefined;
  readonly backend: string | undefined;
  /** `address:port`. */
  readonly endpoint: string | undefined;
  /** Connections tried. */
  readonly attempts: number;
  readonly flag: AccessFlag | undefined;
  readonly reason: string | undefined;
  /** Of the trace that the request belongs to (W3C Trace Context), 32 hexadecimal digits. */
  readonly traceId: string | undefined;
  /** The line for the format `nginx`, without its line feed; undefined unless `ProxyOptions.accessLines`. */
  readonly line: string | undefined;
}
