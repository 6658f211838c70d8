/** Sessions whose endpoint follows from a key, by consistent hash over the endpoints in turn (Affinity.mode `balanced`). */
import { randomBytes } from 'node:crypto';
import type { Balance } from '../upstream/balance/balance.ts';
import { createHash } from '../upstream/balance/hash.ts';
import { hashText } from '../upstream/balance/ring.ts';
import type { Pool } from '../upstream/pool.ts';
import type { Upstream } from '../upstream/upstreams.ts';

interface Ring {
  of: readonly Pool[];
  readonly balance: Balance;
}

/** Whatever the balancing of the backend itself. */
const rings = new WeakMap<Upstream, Ring>();

function ringOf(upstream: Upstream): Balance {
  let ring = rings.get(upstream);
  if (!ring) {
    ring = { of: [], balance: createHash() };
    rings.set(upstream, ring);
  }
  if (ring.of !== upstream.targets) {
    ring.of = upstream.targets;
    ring.balance.update(upstream.targets);
  }
  return ring.balance;
}

/** The endpoint of a key, or the one after it on the ring where that was passed over; undefined when none is left. */
export function endpointOfKey(upstream: Upstream, key: string, passed?: readonly Pool[]): Pool | undefined {
  return ringOf(upstream).pick(passed, hashText(key));
}

/** 12 characters of base64url. */
export const newKey = (): string => randomBytes(9).toString('base64url');

/** Ever so many draws find one of a hundred endpoints with all but certainty; one of thousands is worth no more. */
const MAX_DRAWS = 1_024;

/** A key of that endpoint. When none is found in reasonable time, of any other but `left`, as far as there is one. */
export function keyOfEndpoint(upstream: Upstream, pool: Pool, left: Pool | undefined): string {
  const start = newKey().slice(0, 9);
  let other: string | undefined;
  for (let i = 0; i < MAX_DRAWS; i++) {
    const key = start + i.toString(36).padStart(3, '0');
    const owner = endpointOfKey(upstream, key);
    if (owner === pool) return key;
    if (owner !== left) other ??= key;
  }
  return other ?? newKey();
}
