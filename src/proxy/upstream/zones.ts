/**
 * Which zones requests of this data plane go to. Kubernetes' trafficDistribution keeps all traffic in the zone it comes
 * from, however few endpoints there are; the rule `fair` leaves the zone before its endpoints get more than their part.
 */
import type { BackendPolicy } from '../../routing/plan/backend-policy.ts';
import type { Pool } from './pool.ts';

/** The endpoints to use out of those in turn; all of them where one does not name its zone. */
export function preferZone(
  pools: readonly Pool[],
  own: string | undefined,
  rule: BackendPolicy['zones'] = 'fair',
): readonly Pool[] {
  if (own === undefined || rule === 'any' || pools.some(({ zone }) => zone === undefined)) return pools;
  const near = pools.filter(({ zone }) => zone === own);
  if (near.length === 0 || near.length === pools.length) return pools;
  if (rule === 'same') return near;
  const zones = new Set(pools.map(({ zone }) => zone)).size;
  return near.length * zones >= pools.length ? near : pools;
}
