/** Filters that watch over requests instead of changing them. Part of the plan: see plan.ts. */
import type { BackendId, HeaderPair } from './plan.ts';

/**
 * Sends a copy of requests to another backend, whose responses are thrown away. Copies are what the route's own backend
 * gets, Host included (Gateway API HTTPRequestMirrorFilter). Only requests that are forwarded are copied, and none
 * that would switch protocols.
 */
export interface MirrorFilter {
  readonly type: 'mirror';
  readonly backend: BackendId;
  /** `numerator` of every `denominator` requests; whole numbers, the numerator from 0 to the denominator. */
  readonly fraction: { readonly numerator: number; readonly denominator: number };
}

/**
 * Cross-origin resource sharing (Gateway API HTTPCORSFilter): preflight requests are answered here, other responses
 * get the headers. What backends say of it themselves is replaced.
 */
export interface CorsFilter {
  readonly type: 'cors';
  /** `*`, or `scheme://host[:port]` whose host may be `*` or begin with `*.`. None: no origin is allowed. */
  readonly allowOrigins: readonly string[];
  /** Methods as they are spelt, or `*` alone. */
  readonly allowMethods: readonly string[];
  /** Names, or `*` alone. */
  readonly allowHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly allowCredentials: boolean;
  readonly maxAgeSeconds: number;
}

/** Lets clients in by address: after trusted proxies, the one that X-Forwarded-For names. */
export interface IpAccessFilter {
  readonly type: 'ip-access';
  /** Addresses and CIDRs; none: all that are not denied. */
  readonly allow: readonly string[];
  /** Goes before `allow`. */
  readonly deny: readonly string[];
  /** 403 as a rule. */
  readonly status: number;
}

/** Bodies of requests that are larger get 413. */
export interface RequestSizeFilter {
  readonly type: 'request-size';
  readonly maxBytes: number;
}

/** Asks for a name and a password (RFC 7617). Authorization is not passed on. */
export interface BasicAuthFilter {
  readonly type: 'basic-auth';
  readonly realm: string;
  /** As in an htpasswd file: bcrypt (`$2y$…`, up to cost 14), `$apr1$…` or `{SHA}…`. Never printed; `redactPlan` blanks them. */
  readonly users: readonly { readonly name: string; readonly hash: string }[];
}

/** What a header says of a request that is asked about; all as the client sees it. */
export type RequestFact =
  /** `https://a.example/path?query`. */
  | 'url'
  /** `/path?query`. */
  | 'uri'
  | 'path'
  | 'method'
  /** Behind a trusted proxy, what that says. */
  | 'scheme'
  | 'host'
  /** After trusted proxies, the one that X-Forwarded-For names. */
  | 'client-address';

/**
 * Asks a service over HTTP whether a request may go on (Gateway API HTTPRouteFilter ExternalAuth, GEP-1494;
 * ingress-nginx `auth-url`). A service that cannot be asked lets nobody in, unless `failOpen`.
 */
export interface ExternalAuthFilter {
  readonly type: 'external-auth';
  readonly backend: BackendId;
  readonly protocol: 'http';
  /** Absent: the request's own. */
  readonly method?: string;
  /** Absent: the request's own. */
  readonly host?: string;
  /** `fixed`: this path, with its query if it has one. `prefix`: put before the request's path and query. */
  readonly path: { readonly type: 'fixed' | 'prefix'; readonly value: string };
  /**
   * Names of the request's headers to send, in lower case; `all` is all but those of the connection, conditions and
   * ranges, and, where no body is sent, those of the body; X-Forwarded-* only from trusted proxies.
   */
  readonly requestHeaders: 'all' | readonly string[];
  /** In the place of what clients send by these names. */
  readonly facts: readonly (readonly [header: string, fact: RequestFact])[];
  readonly setHeaders: readonly HeaderPair[];
  /** The request's body is sent along; a larger one gets 413. Absent: none is sent. */
  readonly body?: { readonly maxBytes: number };
  /** Content-Length is sent whatever the method, 0 where no body is. */
  readonly sendsLength?: true;
  /** Statuses that let the request on. */
  readonly admits: '200' | '2xx';
  /**
   * Headers of the answer, by name in lower case, that the backend gets in place of the client's, which never get
   * through. `all` is all but those that are about the answer itself (Content-*, Date, Server, Set-Cookie).
   */
  readonly responseHeaders: 'all' | readonly string[];
  /** Headers of an answer that lets the request on which are added to the client's response: `set-cookie`. */
  readonly clientHeaders: {
    readonly names: readonly string[];
    /** Absent: whatever the response's status. */
    readonly statuses?: readonly number[];
  };
  /** Statuses that clients get with headers and body of the answer; others count as failures of the service. */
  readonly denials: 'all' | readonly number[];
  /** Where clients are sent (302) instead, with the URL they have asked for in a query parameter. */
  readonly signIn?: { readonly url: string; readonly parameter: string; readonly statuses: readonly number[] };
  /** When the service fails; 503 unless given. */
  readonly failureStatus?: number;
  /** Lets requests in when the service fails. */
  readonly failOpen?: true;
  readonly timeoutMs?: number;
  /** Outcomes are remembered by the values of these headers, the host and the path asked for. Not with `body`. */
  readonly cache?: {
    /** Filters of one zone share outcomes, over plans. */
    readonly zone: string;
    readonly headers: readonly string[];
    /** How long an answer with one of these statuses is good; one with another status is not remembered. */
    readonly lifetimes: readonly { readonly statuses: readonly number[]; readonly ttlMs: number }[];
  };
}

/**
 * Asks a service that speaks Envoy's ext_authz over gRPC (`envoy.service.auth.v3.Authorization/Check`; Gateway API
 * ExternalAuth with protocol GRPC). The answer says which headers the backend and the client get. A service that cannot
 * be asked lets nobody in.
 */
export interface GrpcAuthFilter {
  readonly type: 'external-auth';
  readonly protocol: 'grpc';
  /** Spoken to over HTTP/2. */
  readonly backend: BackendId;
  /** Authority that the service is asked under. */
  readonly host: string;
  /** Names in lower case; `all` is all but those of the connection. */
  readonly requestHeaders: 'all' | readonly string[];
  /** The request's body is sent along; a larger one gets 413. Absent: none is sent. */
  readonly body?: { readonly maxBytes: number };
  /** When the service fails; 503 unless given. */
  readonly failureStatus?: number;
  readonly timeoutMs?: number;
}

/**
 * Puts pages of another backend in the place of error responses (ingress-nginx `custom-http-errors`): the page's status,
 * headers and body are what the client gets. Where the page cannot be had, the response stays as it is.
 */
export interface ErrorPagesFilter {
  readonly type: 'error-pages';
  readonly backend: BackendId;
  /** Of responses. */
  readonly statuses: readonly number[];
  /** Also for answers that the data plane gives in the backend's stead: no endpoints, time-outs and so on. */
  readonly ownAnswers: boolean;
  /** Where the page is asked for, by GET: `/` as a rule. */
  readonly path: string;
  /** Absent: the request's own. */
  readonly host?: string;
  /** Header with the status: `X-Code`. */
  readonly statusHeader: string;
  readonly facts: readonly (readonly [header: string, fact: RequestFact])[];
  /** Headers of the request under other names: `X-Format` for `accept`. In lower case. */
  readonly copyHeaders: readonly (readonly [header: string, of: string])[];
  readonly setHeaders: readonly HeaderPair[];
  readonly timeoutMs?: number;
}

export type ContentCoding = 'br' | 'gzip';

/**
 * Compresses responses for clients that take it: whole ones (no 206) of the types listed that are not encoded yet and
 * may be transformed (Cache-Control).
 */
export interface CompressionFilter {
  readonly type: 'compression';
  /** The one preferred first, among those that a client likes equally. */
  readonly codings: readonly ContentCoding[];
  /** `text/html`, or `text/*`, which does not stand for `text/event-stream`, nor `application/*` for gRPC. */
  readonly types: readonly string[];
  /** Responses that announce less are left alone. */
  readonly minBytes: number;
  /** gzip: 1 to 9; brotli: 0 to 11. */
  readonly level: { readonly gzip: number; readonly br: number };
}

/** Whose requests are counted together. Requests without the header count by their address. */
export type LimitKey =
  | { readonly by: 'address' }
  | { readonly by: 'header'; readonly name: string }
  /** All requests of the zone. */
  | { readonly by: 'zone' };

/** A leaky bucket: requests beyond the rate and the burst are refused, none is delayed. */
export interface RateLimitFilter {
  readonly type: 'rate-limit';
  /** Filters of one zone count together, over routes and plans. */
  readonly zone: string;
  readonly key: LimitKey;
  /** `requests` in `perMs` milliseconds. */
  readonly requests: number;
  readonly perMs: number;
  /** Requests that may come at once beyond the first. */
  readonly burst: number;
  /** 429 or 503 as a rule. */
  readonly status: number;
}

/** Limits requests under way at once; a WebSocket counts for as long as it lives. */
export interface ConcurrencyFilter {
  readonly type: 'concurrency';
  readonly zone: string;
  readonly key: LimitKey;
  readonly max: number;
  readonly status: number;
}
