/** Endpoints drawn at random, by their weights. */
import type { Pool } from '../pool.ts';
import type { Balance, Random } from './balance.ts';

export function createRandom(random: Random): Balance {
  let targets: readonly Pool[] = [];
  return {
    update(next) {
      targets = next;
    },
    pick: (tried) => draw(targets, random, tried, undefined),
  };
}

/** Draws that may fail before weights are disregarded. */
const MAX_DRAWS = 32;

/** An endpoint by weight, from 0 to 1, that is neither among `tried` nor `other`; undefined when there is none. */
export function draw(
  targets: readonly Pool[],
  random: Random,
  tried: readonly Pool[] | undefined,
  other: Pool | undefined,
): Pool | undefined {
  const { length } = targets;
  const mayBe = (pool: Pool) => pool !== other && !tried?.includes(pool);
  for (let i = 0; i < MAX_DRAWS && length > 0; i++) {
    const pool = targets[Math.floor(random() * length)]!;
    if (mayBe(pool) && (pool.weight >= 1 || random() < pool.weight)) return pool;
  }
  const from = Math.floor(random() * length);
  for (let i = 0; i < length; i++) {
    const pool = targets[(from + i) % length]!;
    if (mayBe(pool)) return pool;
  }
  return undefined;
}
