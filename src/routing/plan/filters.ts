/** Filters that watch over requests instead of changing them. Part of the plan: see plan.ts. */
import type { ExternalAuthFilter, GrpcAuthFilter } from './external-auth.ts';
import type { BackendId, HeaderPair } from './plan.ts';
import type { Condition, Template } from './values.ts';

/**
 * Sends a copy of requests to another backend, whose responses are thrown away. Copies are what the route's own backend
 * gets, Host included (Gateway API HTTPRequestMirrorFilter). Only requests that are forwarded are copied unless `unsent`,
 * and none that would switch protocols.
 */
export interface MirrorFilter {
  readonly type: 'mirror';
  readonly backend: BackendId;
  /** `numerator` of every `denominator` requests; whole numbers, the numerator from 0 to the denominator. */
  readonly fraction: { readonly numerator: number; readonly denominator: number };
  /** Absent: what the route's own backend gets. */
  readonly host?: Template;
  /** Path and query of the copy. Absent: what the route's own backend gets. */
  readonly target?: Template;
  /** Copies go without their body. */
  readonly withoutBody?: true;
  /** Requests are copied also where their share of the route has no backend. */
  readonly unsent?: true;
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
  /**
   * As in an htpasswd file: bcrypt (`$2y$…`, up to cost 14), `$apr1$…`, `$1$…`, `$5$…`, `$6$…`, `{SHA}…`, `{SSHA}…` or `{PLAIN}…`.
   * Never printed; `redactPlan` blanks them.
   */
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
  /** The host in lower case, without its port. */
  | 'hostname'
  /** After trusted proxies, the one that X-Forwarded-For names. */
  | 'client-address'
  /** Without its `?`. */
  | 'query'
  /** `?` where there is a query (nginx `$is_args`). */
  | 'query-mark'
  /** `/path?query` without the last slash; of `/` nothing is left. */
  | 'uri-without-slash'
  /** `uri` with all but unreserved characters percent-encoded. */
  | 'escaped-uri'
  /** The path decoded, with dot segments resolved and slashes merged (nginx `$uri`). */
  | 'normal-path'
  /** Number of the port that users see. */
  | 'listener-port'
  /** Behind a trusted proxy, what X-Forwarded-Port says; the listener's otherwise. */
  | 'port'
  /** `HTTP/1.1`, `HTTP/2.0`. */
  | 'protocol'
  /** What X-Request-ID says, or 32 hexadecimal digits made for the request; the same wherever it is asked for. */
  | 'request-id'
  /** X-Forwarded-For as it came. */
  | 'forwarded-for'
  /** The same with the address of the connection after it (nginx `$proxy_add_x_forwarded_for`). */
  | 'forwarded-for-appended'
  /** Whom the credentials of Basic authentication name, whoever has checked them (nginx `$remote_user`); empty without any. */
  | 'user'
  /** `on` over TLS. */
  | 'tls'
  /** Of the client's certificate: PEM percent-encoded; empty without one. */
  | 'client-certificate'
  /** `NONE`, `SUCCESS` or `FAILED:` and why. */
  | 'client-certificate-verify'
  /** Distinguished names as RFC 2253 writes them. */
  | 'client-certificate-subject'
  | 'client-certificate-issuer';

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
  /** Also for those of filters that keep requests out. The bodies of such requests are not read for the page. */
  readonly refusals?: true;
  /** Where the page is asked for, by GET: `/` as a rule. */
  readonly path: string;
  /**
   * It is asked for with what the client has sent: method, query, headers, and the body as far as it is still there (nginx
   * `error_page` with a named location).
   */
  readonly asAsked?: true;
  /** Absent: the request's own. */
  readonly host?: string;
  /** Header with the status: `X-Code`. */
  readonly statusHeader: string;
  readonly facts: readonly (readonly [header: string, fact: RequestFact])[];
  /** Headers of the request under other names: `X-Format` for `accept`. In lower case. */
  readonly copyHeaders: readonly (readonly [header: string, of: string])[];
  readonly setHeaders: readonly HeaderPair[];
  /** Further headers made of the request; what comes out empty is not sent. */
  readonly values?: readonly (readonly [header: string, value: Template])[];
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
  /** Addresses and CIDRs of clients that are not counted. */
  readonly exempt?: readonly string[];
}

/** Limits requests under way at once; a WebSocket counts for as long as it lives. */
export interface ConcurrencyFilter {
  readonly type: 'concurrency';
  readonly zone: string;
  readonly key: LimitKey;
  readonly max: number;
  readonly status: number;
  /** Addresses and CIDRs of clients that are not counted. */
  readonly exempt?: readonly string[];
}

/**
 * Answers requests that meet all the conditions. Where it stands among the gates of a route counts (`Route.gates`).
 */
export interface RespondFilter {
  readonly type: 'respond';
  /** None: every request. */
  readonly when: readonly Condition[];
  readonly status: number;
  /** Location; a path is made absolute unless `relative`. */
  readonly location?: Template;
  readonly relative?: true;
  /**
   * Location is written as a rewrite of nginx writes it: escapes of visible characters are undone up to the first question
   * mark, so that `%3F` of a path begins a query.
   */
  readonly unescaped?: true;
  /** In place of the short text that says the status. */
  readonly body?: Template;
  /** Why: shown by explain and the access log. */
  readonly reason: string;
}

/**
 * Sets headers of the request for the backend, in place of what clients and the data plane itself say by these names.
 * What comes out empty is not sent (nginx proxy_set_header).
 */
export interface RequestValuesFilter {
  readonly type: 'request-values';
  readonly when?: readonly Condition[];
  /** `host` sets Host. */
  readonly set: readonly (readonly [header: string, value: Template])[];
  /** Client headers whose names have an underscore are as if they were not there (nginx underscores_in_headers off). */
  readonly dropUnderscored?: true;
  /** The same for names of other characters than letters, digits, hyphens and underscores (nginx ignore_invalid_headers). */
  readonly dropStrange?: true;
}

/** Sets or adds headers of responses, those made here included. What comes out empty is not sent. */
export interface ResponseValuesFilter {
  readonly type: 'response-values';
  /** On the request. */
  readonly when?: readonly Condition[];
  /** Absent: all. */
  readonly statuses?: readonly number[];
  readonly set: readonly (readonly [header: string, value: Template])[];
  readonly add: readonly (readonly [header: string, value: Template])[];
  readonly remove: readonly string[];
}

/**
 * Lets a request in that any one of the filters lets in (nginx `satisfy any`). When none does, the first that refused
 * answers, but 403 comes after all others, and those that send the client elsewhere before them. One that fails (5xx)
 * ends it.
 */
export interface AnyOfFilter {
  readonly type: 'any-of';
  readonly filters: readonly (IpAccessFilter | BasicAuthFilter | ExternalAuthFilter | GrpcAuthFilter)[];
}

/** Responses go out no faster, each by itself, a second's worth in advance (nginx limit_rate). */
export interface BandwidthFilter {
  readonly type: 'bandwidth';
  readonly bytesPerSecond: number;
  /** So many bytes go first at any speed. */
  readonly afterBytes: number;
}

/** Changes Location and Refresh of the backend's responses (nginx proxy_redirect); the first rule that fits counts. */
export interface LocationRewriteFilter {
  readonly type: 'location-rewrite';
  readonly rules: readonly {
    /** `prefix`: what it begins with. `regex`: RE2 found in it. */
    readonly from: { readonly type: 'prefix' | 'regex'; readonly value: string; readonly ignoreCase?: true };
    /**
     * In the place of the prefix, or of the whole where a pattern is found; `$1` to `$9` are groups of the pattern. A path
     * in Location is made absolute.
     */
    readonly to: Template;
  }[];
}

/** Changes attributes in Set-Cookie of the backend's responses (nginx proxy_cookie_domain, proxy_cookie_path). */
export interface CookieRewriteFilter {
  readonly type: 'cookie-rewrite';
  readonly domain?: { readonly from: string; readonly to: string };
  /** What the path begins with. */
  readonly path?: { readonly from: string; readonly to: string };
}

/**
 * Requires, or takes note of, certificates of clients (nginx ssl_verify_client), on a listener whose TLS asks for them
 * for the host (`ClientValidation` mode `ask`). Over plain HTTP it lets everybody in, as nginx does.
 */
export interface ClientCertificateFilter {
  readonly type: 'client-certificate';
  /** `required`: 400 without a valid one. `optional`: 400 with one that is not valid. `any`: whatever is shown, or nothing. */
  readonly mode: 'required' | 'optional' | 'any';
  /** `ClientValidation.id`: a connection that was made under the name of a host with another one is misdirected (421). */
  readonly validation: string;
  /** Clients are sent here (302) instead of being answered with 400. */
  readonly errorPage?: string;
  /** RE2 found in the subject; otherwise 403. */
  readonly subject?: string;
}
