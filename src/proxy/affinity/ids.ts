/**
 * What sessions call shares and endpoints: names that say nothing of them to who does not know the secret, and that are
 * the same wherever the secret is the same. They follow from the backend's identity and the endpoint's address alone, so
 * that nothing about sessions has to be kept or told from one process to another.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { BackendId } from '../../routing/plan/plan.ts';
import type { Pool } from '../upstream/pool.ts';
import type { Upstream } from '../upstream/upstreams.ts';

export interface SessionIds {
  /** `occurrence`: which of the shares of a route that go to the same backend. */
  share(scope: string, backend: BackendId, occurrence: number): string;
  endpoint(upstream: Upstream, pool: Pool): string;
  /** The listed endpoint of that name. */
  find(upstream: Upstream, id: string): Pool | undefined;
  /** What only who knows the secret can say of a text. */
  seal(text: string): string;
  isSeal(text: string, seal: string): boolean;
}

/** Characters of base64url, 6 bits each. */
export const SHARE_LENGTH = 8;
export const ENDPOINT_LENGTH = 12;
export const SEAL_LENGTH = 16;

/** Shorter ones can be found by trying. */
export const MIN_SECRET_LENGTH = 16;

/** A secret for processes of one data plane that were not given any. */
export const freshSecret = (): string => randomBytes(32).toString('base64');

interface Index {
  /** List of `upstream` that the index is of: another one for other endpoints. */
  readonly of: readonly Pool[];
  readonly pools: ReadonlyMap<string, Pool>;
}

export function createSessionIds(secret: string): SessionIds {
  const indexes = new WeakMap<Upstream, Index>();
  const known = new WeakMap<Pool, string>();

  function digest(kind: string, parts: readonly string[], length: number): string {
    const text = JSON.stringify([kind, ...parts]);
    return createHmac('sha256', secret).update(text).digest('base64url').slice(0, length);
  }

  function endpoint(upstream: Upstream, pool: Pool): string {
    let id = known.get(pool);
    if (id === undefined) {
      id = digest('endpoint', [upstream.id, pool.key], ENDPOINT_LENGTH);
      known.set(pool, id);
    }
    return id;
  }

  function indexOf(upstream: Upstream): Index {
    let index = indexes.get(upstream);
    if (index?.of === upstream.usable) return index;
    const pools = new Map<string, Pool>();
    for (const pool of upstream.pools.values()) pools.set(endpoint(upstream, pool), pool);
    index = { of: upstream.usable, pools };
    indexes.set(upstream, index);
    return index;
  }

  const seal = (text: string) => digest('seal', [text], SEAL_LENGTH);
  return {
    share: (scope, backend, occurrence) => digest('share', [scope, backend, String(occurrence)], SHARE_LENGTH),
    endpoint,
    find: (upstream, id) => indexOf(upstream).pools.get(id),
    seal,
    isSeal: (text, given) =>
      given.length === SEAL_LENGTH && timingSafeEqual(Buffer.from(seal(text)), Buffer.from(given, 'latin1')),
  };
}
