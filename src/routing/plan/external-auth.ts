/** Filters that ask a service whether a request may go on. Part of the plan: see plan.ts. */
import type { RequestFact } from './filters.ts';
import type { BackendId, HeaderPair } from './plan.ts';
import type { Template } from './values.ts';

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
  readonly path:
    | { readonly type: 'fixed' | 'prefix'; readonly value: string }
    /** Path and query made of the request. */
    | { readonly type: 'template'; readonly value: Template };
  /** Further headers made of the request; what comes out empty is not sent. */
  readonly values?: readonly (readonly [header: string, value: Template])[];
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
  /**
   * Of denials, clients get the status, WWW-Authenticate and `clientHeaders`, and nothing else of what the service says (nginx
   * auth_request).
   */
  readonly statusOnly?: true;
  /** Where clients are sent (302) instead, with the URL they have asked for in a query parameter. */
  readonly signIn?: {
    /** A template's parameter is left alone where its text has it already. */
    readonly url: string | Template;
    readonly parameter: string;
    readonly statuses: readonly number[];
  };
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
    /** Remembered by this alone, in the place of headers, host and path. */
    readonly key?: Template;
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
