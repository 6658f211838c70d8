/**
 * Keeps retries to a share of requests, so that a backend in trouble is not brought down by them: what fails for
 * everybody would otherwise be sent several times by everybody.
 */
export interface RetryBudget {
  /** A request of a route with retries was sent for the first time. */
  request(now: number): void;
  /** Whether one more may be sent again; counts it if so. */
  mayRetry(now: number): boolean;
}

export interface RetryBudgetLimits {
  /** Retries, in percent of the requests of the interval. */
  readonly retryBudgetPercent: number;
  /** Retries per second that are always permitted. */
  readonly minRetriesPerSecond: number;
}

const INTERVAL_MS = 10_000;

/** Counts over this interval and the part of the one before that lies within ten seconds; `now` in milliseconds. */
export function createRetryBudget({ retryBudgetPercent, minRetriesPerSecond }: RetryBudgetLimits): RetryBudget {
  const least = (minRetriesPerSecond * INTERVAL_MS) / 1000;
  let since = Number.NEGATIVE_INFINITY;
  let requests = 0;
  let retries = 0;
  let earlierRequests = 0;
  let earlierRetries = 0;

  function turn(now: number): number {
    const age = now - since;
    if (age >= INTERVAL_MS) {
      earlierRequests = age < 2 * INTERVAL_MS ? requests : 0;
      earlierRetries = age < 2 * INTERVAL_MS ? retries : 0;
      requests = 0;
      retries = 0;
      since = age < 2 * INTERVAL_MS ? since + INTERVAL_MS : now;
    }
    return 1 - (now - since) / INTERVAL_MS;
  }

  return {
    request(now) {
      turn(now);
      requests++;
    },
    mayRetry(now) {
      const rest = turn(now);
      const permitted = Math.max(least, ((requests + rest * earlierRequests) * retryBudgetPercent) / 100);
      if (retries + rest * earlierRetries + 1 > permitted) return false;
      retries++;
      return true;
    },
  };
}
