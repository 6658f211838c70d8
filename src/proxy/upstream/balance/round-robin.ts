/** Round robin over endpoints of which some get less than a full share, because they start slowly. */
import type { Pool } from '../pool.ts';
import type { Balance } from './balance.ts';

/**
 * An endpoint whose turn it is takes the request when its weights since the last time sum to one. Weights count
 * relative to the largest, so that one round is enough to find an endpoint.
 */
export function createRoundRobin(): Balance {
  let targets: readonly Pool[] = [];
  let turn = 0;
  return {
    update(next) {
      targets = next;
    },
    pick(tried) {
      const open = tried ? targets.filter((pool) => !tried.includes(pool)) : targets;
      if (open.length === 0) return undefined;
      const full = largestWeight(open);
      for (;;) {
        if (turn >= open.length) turn = 0;
        const pool = open[turn++]!;
        pool.credit += pool.weight / full;
        if (pool.credit < 1) continue;
        pool.credit -= 1;
        return pool;
      }
    },
  };
}

function largestWeight(pools: readonly Pool[]): number {
  let largest = 0;
  for (const { weight } of pools) if (weight > largest) largest = weight;
  return largest;
}
