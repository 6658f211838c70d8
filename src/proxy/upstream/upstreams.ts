/**
 * Backends by identity, with a pool of connections for each of their endpoints. Plans and endpoints may come in any
 * order; a pool lives as long as its endpoint is listed.
 */
import type { BackendId } from '../../routing/plan/plan.ts';
import type { Endpoint } from '../../service/endpoints.ts';
import type { UpstreamIdentity } from './identity.ts';
import { createPool, drainPool, expireIdle, type Pool } from './pool.ts';

export interface Upstream {
  readonly id: BackendId;
  /** Absent: no TLS. */
  readonly identity: UpstreamIdentity | undefined;
  readonly pools: Map<string, Pool>;
  /** Where requests go: ready endpoints, else those that still serve though they terminate. */
  targets: readonly Pool[];
  /** Turn of the round robin. */
  turn: number;
}

export interface Upstreams {
  /** The upstream of a backend, one for each identity; one without endpoints when none were announced. */
  of(id: BackendId, identity?: UpstreamIdentity): Upstream;
  /** null forgets the backend. */
  setEndpoints(id: BackendId, endpoints: readonly Endpoint[] | null): void;
  /** Forgets backends that have no endpoints and that no plan names, and identities whose keys are not listed. */
  prune(named: Readonly<Record<BackendId, unknown>>, identities?: ReadonlySet<string>): void;
  /** Closes connections that have been idle for too long. */
  expire(now: number): void;
  close(): void;
}

/** All there is of one backend. */
interface Entry {
  endpoints: readonly Endpoint[];
  /** By key of the identity; '' without TLS. */
  readonly upstreams: Map<string, Upstream>;
}

const noIdentities: ReadonlySet<string> = new Set();

export function createUpstreams(): Upstreams {
  const entries = new Map<BackendId, Entry>();

  function entryOf(id: BackendId): Entry {
    let entry = entries.get(id);
    if (!entry) {
      entry = { endpoints: [], upstreams: new Map() };
      entries.set(id, entry);
    }
    return entry;
  }

  function eachPool(visit: (pool: Pool) => void): void {
    for (const { upstreams } of entries.values())
      for (const { pools } of upstreams.values()) for (const pool of pools.values()) visit(pool);
  }

  return {
    of: (id, identity) => upstreamOf(entryOf(id), id, identity),
    setEndpoints(id, endpoints) {
      const entry = entryOf(id);
      entry.endpoints = endpoints ?? [];
      for (const upstream of entry.upstreams.values()) setEndpoints(upstream, entry.endpoints);
    },
    prune(named, identities = noIdentities) {
      for (const [id, { endpoints, upstreams }] of entries) {
        if (endpoints.length === 0 && !Object.hasOwn(named, id)) entries.delete(id);
        for (const [key, upstream] of upstreams)
          if (key !== '' && !identities.has(key)) retire(upstreams, key, upstream);
      }
    },
    expire: (now) => eachPool((pool) => expireIdle(pool, now)),
    close: () => eachPool(drainPool),
  };
}

function upstreamOf({ endpoints, upstreams }: Entry, id: BackendId, identity: UpstreamIdentity | undefined): Upstream {
  const key = identity?.key ?? '';
  let upstream = upstreams.get(key);
  if (!upstream) {
    upstream = { id, identity, pools: new Map(), targets: [], turn: 0 };
    setEndpoints(upstream, endpoints);
    upstreams.set(key, upstream);
  }
  return upstream;
}

/** Requests that are on their way with this identity finish, on connections that nobody uses again. */
function retire(upstreams: Map<string, Upstream>, key: string, { pools }: Upstream): void {
  upstreams.delete(key);
  for (const pool of pools.values()) drainPool(pool);
}

function setEndpoints(upstream: Upstream, endpoints: readonly Endpoint[]): void {
  const listed = new Map<string, { pool: Pool; endpoint: Endpoint }>();
  for (const endpoint of endpoints) {
    const key = endpointKey(endpoint);
    if (!listed.has(key))
      listed.set(key, { endpoint, pool: upstream.pools.get(key) ?? createPool(endpoint, key, upstream.identity) });
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
