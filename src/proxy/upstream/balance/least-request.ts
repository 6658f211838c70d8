/**
 * Power of two choices: of two endpoints drawn at random, the one with fewer requests under way. Nearly as even as
 * looking at all of them, and many data planes that do it do not all run to the same one.
 */
import type { Pool } from '../pool.ts';
import type { Balance, Random } from './balance.ts';
import { draw } from './random.ts';

export function createLeastRequest(random: Random): Balance {
  let targets: readonly Pool[] = [];
  return {
    update(next) {
      targets = next;
    },
    pick(tried) {
      const first = draw(targets, random, tried, undefined);
      const second = first && targets.length > 1 ? draw(targets, random, tried, first) : undefined;
      return second && second.active < first!.active ? second : first;
    },
  };
}
