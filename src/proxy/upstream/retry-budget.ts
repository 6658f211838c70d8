/**
 * Keeps retries to a share of requests, so that a backend in trouble is not brought down by them: what fails for
 * everybody would otherwise be sent several times by everybody.
 */
import type { RetryBudgetPolicy } from '../../routing/plan/backend-policy.ts';

export interface RetryBudget {
  /** A request was sent for the first time. */
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

/** The budget of a backend whose policy names none. */
export function defaultBudget({ retryBudgetPercent, minRetriesPerSecond }: RetryBudgetLimits): RetryBudgetPolicy {
  const count = (minRetriesPerSecond * INTERVAL_MS) / 1_000;
  return { percent: retryBudgetPercent, intervalMs: INTERVAL_MS, least: { count, perMs: INTERVAL_MS } };
}

/** `now` in milliseconds. */
export function createRetryBudget({ percent, intervalMs, least }: RetryBudgetPolicy): RetryBudget {
  const requests = createWindow(intervalMs);
  const retries = createWindow(intervalMs);
  const recent = least.perMs === intervalMs ? retries : createWindow(least.perMs);
  return {
    request: (now) => requests.add(now),
    mayRetry(now) {
      const isWithin = retries.count(now) + 1 <= (requests.count(now) * percent) / 100;
      if (!isWithin && recent.count(now) + 1 > least.count) return false;
      retries.add(now);
      if (recent !== retries) recent.add(now);
      return true;
    },
  };
}

interface Window {
  add(now: number): void;
  count(now: number): number;
}

/** Counts over an interval and the part of the one before that lies within as much time. */
function createWindow(intervalMs: number): Window {
  let since = Number.NEGATIVE_INFINITY;
  let current = 0;
  let earlier = 0;

  function turn(now: number): void {
    const age = now - since;
    if (age < intervalMs) return;
    earlier = age < 2 * intervalMs ? current : 0;
    current = 0;
    since = age < 2 * intervalMs ? since + intervalMs : now;
  }

  return {
    add(now) {
      turn(now);
      current++;
    },
    count(now) {
      turn(now);
      return current + (1 - (now - since) / intervalMs) * earlier;
    },
  };
}
