/** Filters that watch over requests instead of changing them. Part of the plan: see plan.ts. */
import type { BackendId } from './plan.ts';

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
  /** As in an htpasswd file: `{SHA}…` or `$apr1$…`. Never printed; `redactPlan` blanks them. */
  readonly users: readonly { readonly name: string; readonly hash: string }[];
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
