/** Passive ejection: endpoints that fail in a row are left alone for a while, longer each time. */
import type { OutlierEjectionPolicy } from '../../../routing/plan/backend-policy.ts';
import type { Pool } from '../pool.ts';

/** What an endpoint has done wrong. */
export interface OutlierRecord {
  /** In a row. */
  failures: number;
  gatewayFailures: number;
  /** How often it was ejected; falls by one for each `baseEjectionMs` that it stays in turn. */
  ejections: number;
  ejected: boolean;
  /** End of the ejection; afterwards, when the next one is forgiven. */
  until: number;
}

/** What came of a request: the status of its response, or this. */
export const NO_RESPONSE = 0;

/** Notes an outcome; true when the endpoint has failed often enough to be ejected. */
export function noteOutcome(pool: Pool, policy: OutlierEjectionPolicy, status: number): boolean {
  const failed = status === NO_RESPONSE || status >= 500;
  if (!failed) {
    if (pool.outlier) forgiveRun(pool.outlier);
    return false;
  }
  pool.outlier ??= { failures: 0, gatewayFailures: 0, ejections: 0, ejected: false, until: 0 };
  const { outlier } = pool;
  outlier.failures++;
  const isGateway = status === NO_RESPONSE || (status >= 502 && status <= 504);
  outlier.gatewayFailures = isGateway ? outlier.gatewayFailures + 1 : 0;
  return (
    !outlier.ejected &&
    (reaches(outlier.failures, policy.consecutive5xx) ||
      reaches(outlier.gatewayFailures, policy.consecutiveGatewayFailures))
  );
}

const reaches = (count: number, threshold: number): boolean => threshold > 0 && count >= threshold;

function forgiveRun(record: OutlierRecord): void {
  record.failures = 0;
  record.gatewayFailures = 0;
}

/** Ejects an endpoint of those that could be used; false when as many are ejected as may be. */
export function eject(pool: Pool, usable: readonly Pool[], policy: OutlierEjectionPolicy, now: number): boolean {
  const { outlier } = pool;
  if (!outlier || outlier.ejected || !usable.includes(pool)) return false;
  const ejected = usable.filter((one) => one.outlier?.ejected).length;
  if (ejected >= maxEjected(usable.length, policy.maxEjectionPercent)) return false;
  forgiveRun(outlier);
  outlier.ejections++;
  outlier.ejected = true;
  outlier.until = now + Math.min(policy.maxEjectionMs, policy.baseEjectionMs * outlier.ejections);
  return true;
}

/** At least one of two and more, but never all. */
function maxEjected(count: number, percent: number): number {
  if (percent <= 0) return 0;
  return Math.min(count - 1, Math.max(1, Math.floor((count * percent) / 100)));
}

/** Ends ejections whose time is over, and forgives old ones; true when an endpoint has come back. */
export function endEjections(pools: Iterable<Pool>, policy: OutlierEjectionPolicy, now: number): boolean {
  let changed = false;
  for (const { outlier } of pools) {
    if (!outlier || outlier.until > now || outlier.ejections === 0) continue;
    if (outlier.ejected) {
      outlier.ejected = false;
      // Requests that were under way at the time, or were sent for want of others, do not count against it any more.
      forgiveRun(outlier);
      changed = true;
    } else outlier.ejections--;
    outlier.until = now + policy.baseEjectionMs;
  }
  return changed;
}
