/** Endpoints that came into turn a short while ago get less than the others. */
import type { Pool } from './pool.ts';

/** Share that an endpoint begins with. */
const FIRST_SHARE = 0.1;

/** Sets the weights of endpoints in turn; true while one of them has less than a full share. */
export function setWeights(targets: readonly Pool[], slowStartMs: number, now: number): boolean {
  let warming = false;
  for (const pool of targets) {
    const elapsed = now - pool.since;
    pool.weight = elapsed >= slowStartMs ? 1 : Math.max(FIRST_SHARE, elapsed / slowStartMs);
    if (pool.weight < 1) warming = true;
  }
  return warming;
}

/** Notes which endpoints are new in turn. Where nobody was before, nobody is. */
export function noteEntering(before: readonly Pool[], targets: readonly Pool[], now: number): void {
  if (before.length === 0) return;
  const known = new Set(before);
  for (const pool of targets) if (!known.has(pool)) pool.since = now;
}
