/** Which endpoint is next: one file per policy. Plain round robin, without a policy, stands in upstreams.ts. */
import type { BackendPolicy, BalancePolicy } from '../../../routing/plan/backend-policy.ts';
import type { Pool } from '../pool.ts';
import { createHash } from './hash.ts';
import { createLeastRequest } from './least-request.ts';
import { createRandom } from './random.ts';
import { createRoundRobin } from './round-robin.ts';

export interface Balance {
  /** The endpoints in turn have changed. */
  update(targets: readonly Pool[]): void;
  /** One that is not among `tried`; undefined when none is left. `key`: of the request, where the policy hashes. */
  pick(tried: readonly Pool[] | undefined, key: number | undefined): Pool | undefined;
}

/** A number of [0, 1), as Math.random gives. */
export type Random = () => number;

/** How endpoints of the policy are chosen; undefined for plain round robin. */
export function createBalance(policy: BackendPolicy | undefined, random: Random = Math.random): Balance | undefined {
  const type = policy?.balance?.type ?? 'round-robin';
  if (type === 'round-robin' && !policy?.slowStartMs) return undefined;
  return makers[type](random);
}

const makers: Record<BalancePolicy['type'], (random: Random) => Balance> = {
  'round-robin': createRoundRobin,
  'least-request': createLeastRequest,
  random: createRandom,
  hash: createHash,
};
