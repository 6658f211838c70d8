/** When a request is sent once more. Part of the plan: see plan.ts. */

/** What a route says of retries (Gateway API HTTPRouteRetry, nginx proxy_next_upstream). */
export interface Retry {
  /** Times that a request is sent again at most. */
  readonly attempts: number;
  /** Statuses of responses that are not passed on while there are attempts left. */
  readonly statuses: readonly number[];
  /**
   * Also when the connection breaks before a response, or none is accepted (`reset`), and when the backend is silent, or
   * connecting takes, for too long (`timeout`). Where no connection was made, `methods` does not matter.
   */
  readonly on: readonly ('reset' | 'timeout')[];
  /** Milliseconds before the first retry; twice as many before each further one, up to `maxBackoffMs`; and more by chance. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  /** `idempotent`: methods that may be repeated without harm (RFC 9110 section 9.2.2). `all`: POST and PATCH too. */
  readonly methods: 'idempotent' | 'all';
}
