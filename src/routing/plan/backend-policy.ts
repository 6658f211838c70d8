/**
 * How requests are shared out among the endpoints of a backend, and which endpoints are left alone. Part of the plan:
 * see plan.ts. A data plane keeps what it has learnt of endpoints (health, ejections, load) by the backend's identity,
 * so that neither a new plan nor a change of the policy forgets it. All times are milliseconds.
 */

import type { Template } from './values.ts';

export interface BackendPolicy {
  /** Absent: round robin. */
  readonly balance?: BalancePolicy;
  /**
   * An endpoint that comes into turn gets a share that grows from a tenth to all over this time. Not with `hash`.
   * Endpoints of a data plane that begins are not new.
   */
  readonly slowStartMs?: number;
  /**
   * For data planes that know their zone and endpoints that all name theirs. `fair`, the default: the own zone alone
   * while it has its fair share of the endpoints in turn (their number over the number of their zones), all zones
   * otherwise. `same`: the own zone alone while one endpoint is in turn there (Service spec.trafficDistribution
   * PreferSameZone and PreferClose). `any`: zones do not matter.
   */
  readonly zones?: 'fair' | 'same' | 'any';
  /** Absent: endpoints are not asked. */
  readonly healthCheck?: HealthCheckPolicy;
  /** Absent: endpoints are not judged by their answers. */
  readonly outlierEjection?: OutlierEjectionPolicy;
  /** Of one data plane process. Absent, in whole or in part: no limit but those of the data plane. */
  readonly limits?: BackendLimits;
  /** Absent: that of the data plane. */
  readonly connectTimeoutMs?: number;
  /** Idle connections kept ready to each endpoint in turn. Absent: none. */
  readonly warmConnections?: number;
  /**
   * Of one data plane process. A request whose retry it forbids is answered with 503 (Gateway API XBackendTrafficPolicy
   * retryConstraint). Absent: that of the data plane, which passes on what came.
   */
  readonly retryBudget?: RetryBudgetPolicy;
}

/** How many of the requests sent to a backend may be retries. */
export interface RetryBudgetPolicy {
  /** Of the requests sent for the first time in the interval, whatever their routes say of retries. */
  readonly percent: number;
  readonly intervalMs: number;
  /** Retries that are permitted whatever the share. */
  readonly least: { readonly count: number; readonly perMs: number };
}

export type BalancePolicy =
  | { readonly type: 'round-robin' }
  /** Of two endpoints drawn at random, the one with fewer requests under way. */
  | { readonly type: 'least-request' }
  | { readonly type: 'random' }
  /**
   * Requests with the same key go to the same endpoint, while it is in turn (consistent hash). The key is the first of
   * `by` that a request has; a request that has none goes by round robin.
   */
  | { readonly type: 'hash'; readonly by: readonly HashSource[] };

export type HashSource =
  /** The client's: behind trusted proxies, the one that X-Forwarded-For names. */
  | { readonly by: 'address' }
  /** Name in lower case. */
  | { readonly by: 'header'; readonly name: string }
  | { readonly by: 'cookie'; readonly name: string }
  /** Text made of the request; requests for which it is empty have none. */
  | { readonly by: 'template'; readonly template: Template };

interface HealthCheckTiming {
  /** From one check of an endpoint to the next; a tenth more or less, at random. */
  readonly intervalMs: number;
  /** For a whole check, connecting included. */
  readonly timeoutMs: number;
  /** Checks in a row that must succeed to bring an endpoint back. */
  readonly healthyThreshold: number;
  /** Checks in a row that must fail to take one out of turn. The first check of an endpoint decides alone. */
  readonly unhealthyThreshold: number;
}

/**
 * Asks every endpoint at intervals, over connections of its own, with TLS where the backend has it. Endpoints found
 * unhealthy are out of turn; when that is all of them, all are used.
 */
export type HealthCheckPolicy =
  | ({
      readonly type: 'http';
      readonly path: string;
      /** Absent: the address of the endpoint. */
      readonly host?: string;
      /** First and last status of each range that is healthy. */
      readonly statuses: readonly (readonly [number, number])[];
    } & HealthCheckTiming)
  /** A connection that is accepted, TLS included, is enough. */
  | ({ readonly type: 'tcp' } & HealthCheckTiming);

/** Takes endpoints out of turn for a while that fail in a row. */
export interface OutlierEjectionPolicy {
  /** Responses with 5xx, resets, time-outs and failures to connect in a row; 0: do not count. */
  readonly consecutive5xx: number;
  /** The same with 502, 503 and 504 as the only responses. */
  readonly consecutiveGatewayFailures: number;
  /** First ejection; each further one lasts so much longer than the one before. */
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  /** Of the endpoints that could be used; but one may be ejected of two and more, and never all. */
  readonly maxEjectionPercent: number;
  /** With fewer than this share of the endpoints in turn, ejections are disregarded. */
  readonly panicPercent: number;
}

export interface BackendLimits {
  /** Connections to all its endpoints together. */
  readonly maxConnections?: number;
  /** Requests under way at once. */
  readonly maxRequests?: number;
  /** Requests that wait for one of the above; further ones get 503. Absent: none waits. */
  readonly maxPending?: number;
  /** How long one waits, then 503. */
  readonly pendingTimeoutMs?: number;
}
