/** Consistent hash: the same key to the same endpoint; the next one of the ring where that one was tried. */
import type { Pool } from '../pool.ts';
import type { Balance } from './balance.ts';
import { createRing, findPoint, type Ring } from './ring.ts';
import { createRoundRobin } from './round-robin.ts';

export function createHash(): Balance {
  /** For requests without a key. */
  const keyless = createRoundRobin();
  let targets: readonly Pool[] = [];
  let ring: Ring | undefined;
  return {
    update(next) {
      keyless.update(next);
      if (!sameEndpoints(targets, next)) ring = undefined;
      targets = next;
    },
    pick(tried, key) {
      if (key === undefined || targets.length < 2) return keyless.pick(tried, key);
      ring ??= createRing(targets.map((pool) => pool.key));
      return ownerOf(ring, targets, key, tried);
    },
  };
}

function sameEndpoints(before: readonly Pool[], now: readonly Pool[]): boolean {
  return before.length === now.length && before.every((pool, i) => pool.key === now[i]!.key);
}

function ownerOf(
  ring: Ring,
  targets: readonly Pool[],
  key: number,
  tried: readonly Pool[] | undefined,
): Pool | undefined {
  const { owners } = ring;
  const from = findPoint(ring, key);
  for (let i = 0; i < owners.length; i++) {
    const pool = targets[owners[(from + i) % owners.length]!]!;
    if (!tried?.includes(pool)) return pool;
  }
  return undefined;
}
