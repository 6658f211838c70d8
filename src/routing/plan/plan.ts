/**
 * The plan: what the data plane does, compiled from Ingresses and Gateway API objects. Plain, frozen, serialisable
 * data in a deterministic order, with the provenance of every element. The matcher, the proxy, `explain`, `diff` and
 * the tests read this and nothing else. Endpoints travel separately (service/endpoints.ts), so that Pod churn never
 * recompiles a route.
 */
import type { ObjectRef } from '../../base/diagnostics/index.ts';
import type { Affinity } from './affinity.ts';
import type { Backend } from './backend.ts';
import type { ExternalAuthFilter, GrpcAuthFilter } from './external-auth.ts';
import type {
  AnyOfFilter,
  BandwidthFilter,
  BasicAuthFilter,
  ClientCertificateFilter,
  CompressionFilter,
  ConcurrencyFilter,
  CookieRewriteFilter,
  CorsFilter,
  ErrorPagesFilter,
  IpAccessFilter,
  LocationRewriteFilter,
  MirrorFilter,
  RateLimitFilter,
  RequestSizeFilter,
  RequestValuesFilter,
  RespondFilter,
  ResponseValuesFilter,
} from './filters.ts';
import type { LogFormat } from './log-format.ts';
import type { Retry } from './retry.ts';
import type { StreamListener } from './streams.ts';
import type { Certificate, CertificateId, ListenerTls } from './tls.ts';

export type { Affinity, SessionCookie, SessionHeader } from './affinity.ts';

export type { Backend, BackendTls, SubjectAltName } from './backend.ts';

export type {
  BackendLimits,
  BackendPolicy,
  BalancePolicy,
  HashSource,
  HealthCheckPolicy,
  OutlierEjectionPolicy,
  RetryBudgetPolicy,
} from './backend-policy.ts';

export type { ExternalAuthFilter, GrpcAuthFilter } from './external-auth.ts';

export type {
  AnyOfFilter,
  BandwidthFilter,
  BasicAuthFilter,
  ClientCertificateFilter,
  CompressionFilter,
  ConcurrencyFilter,
  ContentCoding,
  CookieRewriteFilter,
  CorsFilter,
  ErrorPagesFilter,
  IpAccessFilter,
  LimitKey,
  LocationRewriteFilter,
  MirrorFilter,
  RateLimitFilter,
  RequestFact,
  RequestSizeFilter,
  RequestValuesFilter,
  RespondFilter,
  ResponseValuesFilter,
} from './filters.ts';

export type { LogFact, LogField, LogFormat } from './log-format.ts';

export type { Retry } from './retry.ts';

export type { StreamBackend, StreamListener, StreamRoute } from './streams.ts';

export type { Certificate, CertificateId, ClientValidation, ListenerTls, SniEntry, TlsVersion } from './tls.ts';

export type { CapturePattern, Condition, RequestValue, Template } from './values.ts';

/**
 * Where an element of the plan comes from. Not its place in a file, which changes with every line above it: whoever
 * shows one asks for it by object and field.
 */
export interface Provenance {
  readonly object: ObjectRef;
  /** Index of the rule (HTTPRoute rule, Ingress rule) and of the match (match, path) within it. */
  readonly rule?: number;
  readonly match?: number;
  /** `spec.rules[0].matches[1]`. */
  readonly fieldPath?: string;
}

/**
 * `namespace/service:port`, or `XBackend/namespace/name:port`; with `/TCP` or `/UDP` for streams, `/gRPC` for calls over HTTP/2 that the port does not ask
 * for: the identity of a backend. Never a position in a list.
 */
export type BackendId = string;
export interface Plan {
  readonly listeners: readonly Listener[];
  /** Sockets that carry bytes or datagrams instead of HTTP; absent means none. */
  readonly streams?: readonly StreamListener[];
  /** The order of keys means nothing. */
  readonly backends: Readonly<Record<BackendId, Backend>>;
  readonly certificates: Readonly<Record<CertificateId, Certificate>>;
  /** By what this door proves to certificate authorities whose names it has; absent means that nobody asks. */
  readonly challenges?: Challenges;
}

/** Challenges of ACME that are open (RFC 8555 section 8, RFC 8737). They outrank everything that routes say. */
export interface Challenges {
  /** Key authorizations by token, given over plain HTTP to whoever asks for `/.well-known/acme-challenge/TOKEN`. */
  readonly http?: Readonly<Record<string, string>>;
  /** Certificates that are shown for a server name to clients that speak `acme-tls/1` and nothing else. */
  readonly tlsAlpn?: Readonly<Record<string, CertificateId>>;
}

/** One socket: everything that answers on one address and port. */
export interface Listener {
  /** `127.250.0.1:80/HTTP`, stable over plans. */
  readonly id: string;
  /** Address and port as users see them; where the process really binds may differ (service/bind.ts). */
  readonly address: string;
  readonly port: number;
  readonly protocol: 'HTTP' | 'HTTPS';
  readonly tls?: ListenerTls;
  /** Shown to backends that are spoken to over TLS (Gateway spec.tls.backend.clientCertificateRef). */
  readonly backendClientCertificate?: CertificateId;
  /**
   * Addresses and CIDRs of proxies whose word on clients counts here, besides those that the data plane is told of at its
   * start (ingress-nginx `use-forwarded-headers`, `proxy-real-ip-cidr`).
   */
  readonly trustedProxies?: readonly string[];
  /** Of the lines that the access log has in the format `nginx` (ingress-nginx `log-format-upstream`). Absent: `defaultLogFormat`. */
  readonly logFormat?: LogFormat;
  /** At most one per hostname, most specific first: exact names, wildcards by falling length, `*`. */
  readonly hosts: readonly VirtualHost[];
  /** Gateways (with the listeners' names in fieldPath) or Ingress doors that share the socket. */
  readonly sources: readonly Provenance[];
}

export interface VirtualHost {
  /** `api.example.com`, `*.example.com` or `*`; lower case, no port. */
  readonly hostname: string;
  /** How many labels the star of a wildcard stands for: one (Ingress) or one and more (Gateway API). */
  readonly wildcard: 'one-label' | 'any-depth';
  /**
   * `normal`: paths are compared, and rewritten by patterns, decoded, with dot segments resolved and slashes merged, as
   * nginx does; backends get them as they came unless rewritten, and those that leave the root get 400. Absent: as they
   * came.
   */
  readonly paths?: 'normal';
  /** In order of precedence: the first that matches wins. */
  readonly routes: readonly Route[];
  /** Hostname of the virtual host of the same listener to try when no route here matches. */
  readonly fallback?: string;
  /** Answer when nothing matches; 404 unless set. */
  readonly sources: readonly Provenance[];
}

export interface Route {
  /** `HTTPRoute/shop/web/rules/0/matches/1`: unique in its virtual host, stable while the object's rules are. */
  readonly id: string;
  /** Name of the rule, for metrics and logs (HTTPRoute rules[].name). */
  readonly name?: string;
  readonly match: RouteMatch;
  readonly filters: readonly Filter[];
  readonly action: Action;
  readonly timeouts?: {
    /** For the whole of a request. */
    readonly requestMs?: number;
    /** For each attempt at a backend. */
    readonly backendRequestMs?: number;
    /** For how long nothing may move, in either direction, tunnels and calls included. Absent: limits of the data plane. */
    readonly idleMs?: number;
  };
  /** Absent: a request is sent again only when it has certainly not been seen, or was lost with an idle connection. */
  readonly retry?: Retry;
  /** Absent: every request is balanced anew. With a forward action only. */
  readonly affinity?: Affinity;
  /**
   * `as-listed`: requests meet the filters that may stop them in the order of the list, as the phases of nginx have them.
   * Absent: in an order that is the same for every route.
   */
  readonly gates?: 'as-listed';
  /** Requests are not in the access log. */
  readonly unlogged?: true;
  readonly source: Provenance;
}

export interface RouteMatch {
  /** Absent: any path. */
  readonly path?: PathMatch;
  /** Only gRPC calls: POST over HTTP/2 with a content type of gRPC (`application/grpc`, `application/grpc+proto`). */
  readonly grpc?: true;
  readonly method?: string;
  /** All must match. Names in lower case. */
  readonly headers?: readonly ValueMatch[];
  /** All must match; the first value of a repeated parameter counts. */
  readonly query?: readonly ValueMatch[];
}

/**
 * `exact`: equal. `prefix`: equal or followed by `/` (path elements; a trailing slash of the value is ignored).
 * `string-prefix`: starts with. `regex`: RE2 that must cover the whole path (a search is written with `.*` around it).
 * The value is compared with the path as it came, without the query.
 */
export interface PathMatch {
  readonly type: 'exact' | 'prefix' | 'string-prefix' | 'regex';
  readonly value: string;
  readonly ignoreCase?: boolean;
  /** Of a regex: paths that match this pattern as well are not taken. */
  readonly except?: string;
}

export interface ValueMatch {
  readonly name: string;
  readonly type: 'exact' | 'regex';
  readonly value: string;
}

export type Action = ForwardAction | RedirectAction | RespondAction;

export interface ForwardAction {
  readonly type: 'forward';
  readonly backends: readonly WeightedBackend[];
  /** Which requests go to the second of two backends, besides what weights give it. */
  readonly canary?: Canary;
}

/**
 * Rules of a canary (ingress-nginx), asked in this order after a session: the header, the cookie, then the weights of
 * the two backends, the canary being the second. While the canary has no endpoint, nothing goes to it.
 */
export interface Canary {
  readonly header?: {
    /** Lower case. */
    readonly name: string;
    /**
     * `text` or RE2 `pattern`: requests with it go to the canary, others on to the next rule, or, with a pattern that
     * is none, to the first backend. Absent: `always` and `never` are told apart.
     */
    readonly text?: string;
    readonly pattern?: string;
  };
  /** Cookie whose value is `always` or `never`. */
  readonly cookie?: string;
}

export interface WeightedBackend {
  readonly weight: number;
  /** Absent: the reference is invalid; requests that fall to it get `invalid.status`. */
  readonly backend?: BackendId;
  /** Of the port, where the reference has its name instead of its number; for the access log. */
  readonly portName?: string;
  readonly invalid?: { readonly status: number; readonly reason: string };
  /** Filters for requests that go to this backend only. */
  readonly filters: readonly Filter[];
  /** Takes the requests while the backend has no endpoint (ingress-nginx default-backend), with filters of its own. */
  readonly otherwise?: { readonly backend: BackendId; readonly filters: readonly Filter[] };
  /** Requests that fall to this backend are redirected, and never reach it (HTTPBackendRef.filters). */
  readonly redirect?: RedirectAction;
  readonly source: Provenance;
}

export interface RedirectAction {
  readonly type: 'redirect';
  readonly scheme?: string;
  readonly hostname?: string;
  /** Absent: the listener's port, or the scheme's well-known one when the scheme is given; well-known ports are not written. */
  readonly port?: number;
  readonly path?: PathRewrite;
  readonly status: number;
}

export interface RespondAction {
  readonly type: 'respond';
  readonly status: number;
  readonly body?: string;
  /** Why the plan answers by itself: shown by explain and the access log. */
  readonly reason: string;
}

export type PathRewrite =
  | { readonly type: 'full'; readonly value: string }
  /** Replaces what the route's prefix matched. */
  | { readonly type: 'prefix'; readonly value: string }
  | RegexRewrite;

/**
 * Puts `replacement` in the place of the whole path where `pattern` (RE2) is found in it, wherever that is; leaves the
 * path alone where it is not (ingress-nginx `rewrite-target`). `$1` to `$9` and `${10}` stand for what a group has
 * matched, `$0` for all of the match, `$$` for a dollar sign. A replacement may have a query, to which the request's own
 * is added, unless the replacement ends in `?`.
 */
export interface RegexRewrite {
  readonly type: 'regex';
  readonly pattern: string;
  readonly ignoreCase?: boolean;
  readonly replacement: string;
}

export type HeaderPair = readonly [name: string, value: string];

export interface HeaderChange {
  readonly set: readonly HeaderPair[];
  readonly add: readonly HeaderPair[];
  readonly remove: readonly string[];
}

export type Filter =
  | ({ readonly type: 'request-headers' } & HeaderChange)
  | ({ readonly type: 'response-headers' } & HeaderChange)
  | { readonly type: 'rewrite'; readonly hostname?: string; readonly path?: PathRewrite }
  | MirrorFilter
  | CorsFilter
  | IpAccessFilter
  | RequestSizeFilter
  | BasicAuthFilter
  | ExternalAuthFilter
  | GrpcAuthFilter
  | RateLimitFilter
  | ConcurrencyFilter
  | ErrorPagesFilter
  | CompressionFilter
  | AnyOfFilter
  | BandwidthFilter
  | ClientCertificateFilter
  | CookieRewriteFilter
  | LocationRewriteFilter
  | RequestValuesFilter
  | RespondFilter
  | ResponseValuesFilter;

export const emptyPlan: Plan = { listeners: [], backends: {}, certificates: {} };

export function backendId(namespace: string, service: string, port: number): BackendId {
  return `${namespace}/${service}:${port}`;
}

/**
 * Identity of a backend of gRPC calls where the Service port says nothing of HTTP/2: other routes speak HTTP/1.1 to the
 * same Pods.
 */
export function grpcBackendId(namespace: string, service: string, port: number): BackendId {
  return `${backendId(namespace, service, port)}/gRPC`;
}

/** Identity of a destination outside of the cluster, which is no Service: no namespace has a name like the first part. */
export function externalBackendId(namespace: string, name: string, port: number): BackendId {
  return `XBackend/${backendId(namespace, name, port)}`;
}

/** Identity of a backend of stream routes: TCP and UDP ports of a Service may share a number. */
export function streamBackendId(namespace: string, service: string, port: number, protocol: 'TCP' | 'UDP'): BackendId {
  return `${backendId(namespace, service, port)}/${protocol}`;
}

export function listenerId(
  address: string,
  port: number,
  protocol: Listener['protocol'] | StreamListener['protocol'],
): string {
  return `${address}:${port}/${protocol}`;
}
