/**
 * Backends by identity, with a pool of connections for each of their endpoints. Plans and endpoints may come in any
 * order; a pool lives as long as its endpoint is listed.
 */
import type { BackendId } from '../../routing/plan/plan.ts';
import type { Endpoint } from '../../service/endpoints.ts';
import { createPool, drainPool, expireIdle, type Pool } from './pool.ts';

export interface Upstream {
  readonly id: BackendId;
  readonly pools: Map<string, Pool>;
  /** Where requests go: ready endpoints, else those that still serve though they terminate. */
  targets: readonly Pool[];
  /** Turn of the round robin. */
  turn: number;
}

export interface Upstreams {
  /** The upstream of a backend; one without endpoints when none were announced. */
  of(id: BackendId): Upstream;
  /** null forgets the backend. */
  setEndpoints(id: BackendId, endpoints: readonly Endpoint[] | null): void;
  /** Forgets backends that have no endpoints and that no plan names. */
  prune(named: Readonly<Record<BackendId, unknown>>): void;
  /** Closes connections that have been idle for too long. */
  expire(now: number): void;
  close(): void;
}

export function createUpstreams(): Upstreams {
  const upstreams = new Map<BackendId, Upstream>();

  function of(id: BackendId): Upstream {
    let upstream = upstreams.get(id);
    if (!upstream) {
      upstream = { id, pools: new Map(), targets: [], turn: 0 };
      upstreams.set(id, upstream);
    }
    return upstream;
  }

  return {
    of,
    setEndpoints: (id, endpoints) => setEndpoints(of(id), endpoints ?? []),
    prune(named) {
      for (const [id, upstream] of upstreams) {
        if (upstream.pools.size === 0 && !Object.hasOwn(named, id)) upstreams.delete(id);
      }
    },
    expire(now) {
      for (const { pools } of upstreams.values()) for (const pool of pools.values()) expireIdle(pool, now);
    },
    close() {
      for (const { pools } of upstreams.values()) for (const pool of pools.values()) drainPool(pool);
    },
  };
}

function setEndpoints(upstream: Upstream, endpoints: readonly Endpoint[]): void {
  const listed = new Map<string, { pool: Pool; endpoint: Endpoint }>();
  for (const endpoint of endpoints) {
    const key = endpointKey(endpoint);
    if (!listed.has(key)) listed.set(key, { endpoint, pool: upstream.pools.get(key) ?? createPool(endpoint, key) });
  }
  for (const [key, pool] of upstream.pools) if (!listed.has(key)) drainPool(pool);
  upstream.pools.clear();
  for (const [key, { pool }] of listed) upstream.pools.set(key, pool);
  const all = [...listed.values()];
  const ready = all.filter(({ endpoint }) => endpoint.ready);
  const usable = ready.length > 0 ? ready : all.filter(({ endpoint }) => endpoint.serving && endpoint.terminating);
  upstream.targets = usable.map(({ pool }) => pool);
}

function endpointKey({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The next endpoint in turn that is not among `tried`; undefined when none is left. */
export function nextTarget(upstream: Upstream, tried: readonly Pool[] | undefined): Pool | undefined {
  const { targets } = upstream;
  for (let i = 0; i < targets.length; i++) {
    if (upstream.turn >= targets.length) upstream.turn = 0;
    const pool = targets[upstream.turn++]!;
    if (!tried?.includes(pool)) return pool;
  }
  return undefined;
}
