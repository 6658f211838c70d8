/**
 * Backends by identity, with a pool of connections for each of their endpoints. Plans and endpoints may come in any
 * order; a pool lives as long as its endpoint is listed, and what is known of the endpoint with it.
 */
import { isDeepStrictEqual } from 'node:util';
import { recordChanges } from '../../routing/incremental/records.ts';
import type { BackendPolicy, RetryBudgetPolicy } from '../../routing/plan/backend-policy.ts';
import type { Backend, BackendId } from '../../routing/plan/plan.ts';
import type { Endpoint } from '../../service/endpoints.ts';
import { type Balance, createBalance } from './balance/balance.ts';
import { createKeyReader, type KeyReader } from './balance/key.ts';
import { isFor, type UpstreamIdentity } from './identity.ts';
import { createPool, drainPool, type Pool } from './pool.ts';
import type { ProxyProtocol } from './proxy-header-out.ts';
import { createRetryBudget, defaultBudget, type RetryBudget, type RetryBudgetLimits } from './retry-budget.ts';
import { createRoom, type Room } from './room.ts';
import { createUpkeep, type Upkeep, type UpkeepOptions } from './upkeep.ts';

export interface Upstream {
  readonly id: BackendId;
  /** Absent: no TLS. */
  readonly identity: UpstreamIdentity | undefined;
  /** Its endpoints are spoken to in HTTP/2. */
  readonly http2: boolean;
  /** Connections to them begin with such a PROXY header. */
  readonly announce: ProxyProtocol | undefined;
  readonly pools: Map<string, Pool>;
  /** Endpoints that could take requests: ready ones, else those that still serve though they terminate. */
  usable: readonly Pool[];
  /** Where requests go: those of the above that nothing speaks against. */
  targets: readonly Pool[];
  /** Turn of the round robin. */
  turn: number;
  policy: BackendPolicy | undefined;
  /** undefined: round robin over `targets`. */
  balance: Balance | undefined;
  /** undefined: endpoints do not follow from requests. */
  keyOf: KeyReader | undefined;
  readonly room: Room;
  /** Of its retries; made when the first request asks for it, and anew when the policy names another one. */
  budget(limits: RetryBudgetLimits): RetryBudget;
}

export interface Upstreams {
  /** The upstream of a backend, one for each identity; one without endpoints when none were announced. */
  of(id: BackendId, identity?: UpstreamIdentity, http2?: boolean): Upstream;
  /** null forgets the backend. */
  setEndpoints(id: BackendId, endpoints: readonly Endpoint[] | null): void;
  /** The backends of a plan, with their policies; what did not change is not touched. */
  setBackends(backends: Readonly<Record<BackendId, Backend>>): void;
  /**
   * Forgets backends that have no endpoints and that no plan names, identities whose keys are not listed, and the lack of
   * one where the backend has TLS now and nobody has asked for that since the last `setBackends`, as streams do that are
   * TLS already. `named` are the backends of that call.
   */
  prune(named: Readonly<Record<BackendId, unknown>>, identities?: ReadonlySet<string>): void;
  /** To be told what came of a request: the status of its response, or NO_RESPONSE (health/outlier.ts). */
  noteOutcome(upstream: Upstream, pool: Pool, status: number): void;
  /** To be called at every tick: closes connections that have been idle for too long, checks health, and so on. */
  expire(now: number): void;
  /** All there are, for figures. */
  all(): Iterable<Upstream>;
  close(): void;
}

/** All there is of one backend. */
interface Entry {
  endpoints: readonly Endpoint[];
  /** One for each way in which it is spoken to: hardly ever more than one, and a map for each backend would be large. */
  upstreams: readonly Upstream[];
}

const noIdentities: ReadonlySet<string> = new Set();

/** What of a backend counts here. */
type Facts = Pick<Backend, 'policy' | 'protocol' | 'tls' | 'tlsAsListener' | 'proxyProtocol'>;

/** What tells the upstreams of one backend apart. */
type Wanted = Pick<Upstream, 'id' | 'identity' | 'http2' | 'announce'>;

/** Whether HTTP/2 is spoken to a backend of such a protocol. */
export const isHttp2 = (protocol: Backend['protocol']): boolean => protocol === 'h2c' || protocol === 'h2';

const unnamed: Facts = { protocol: 'http1' };

export function createUpstreams(options: UpkeepOptions = {}): Upstreams {
  const entries = new Map<BackendId, Entry>();
  const upkeep = createUpkeep(options);
  let backends: Readonly<Record<BackendId, Facts>> = {};
  /** What `prune` must look at: nothing else can have become superfluous since it was called last. */
  const touched = new Set<BackendId>();
  let knownIdentities: ReadonlySet<string> = noIdentities;
  /** Those without TLS of backends that have it, for streams that are TLS already: of this plan, and of the one before. */
  let passing = new Set<Upstream>();
  let passed = passing;
  const factsOf = (id: BackendId): Facts => (Object.hasOwn(backends, id) ? backends[id]! : unnamed);

  function entryOf(id: BackendId): Entry {
    let entry = entries.get(id);
    if (!entry) {
      entry = { endpoints: [], upstreams: [] };
      entries.set(id, entry);
    }
    return entry;
  }

  function* all(): Iterable<Upstream> {
    for (const { upstreams } of entries.values()) yield* upstreams;
  }

  function pruneOne(id: BackendId, named: Readonly<Record<BackendId, unknown>>, identities: ReadonlySet<string>): void {
    const entry = entries.get(id);
    if (!entry) return;
    const { endpoints, upstreams } = entry;
    if (endpoints.length === 0 && !Object.hasOwn(named, id)) {
      entries.delete(id);
      for (const upstream of upstreams) upkeep.forget(upstream);
    }
    const facts = factsOf(id);
    for (const upstream of upstreams)
      if (!passing.has(upstream) && isStale(upstream, facts, identities)) retire(entry, upstream, upkeep);
  }

  return {
    of(id, identity, http2 = false) {
      const entry = entryOf(id);
      const before = entry.upstreams;
      const facts = factsOf(id);
      const upstream = upstreamOf(entry, { id, identity, http2, announce: facts.proxyProtocol }, facts, upkeep);
      // One that is as the plan has it is not superfluous before there is another one.
      if (entry.upstreams !== before && isSuperfluous(upstream, facts, knownIdentities)) touched.add(id);
      if (!identity && facts.protocol === 'tcp' && facts.tls) passing.add(upstream);
      return upstream;
    },
    setEndpoints(id, endpoints) {
      const entry = entryOf(id);
      touched.add(id);
      entry.endpoints = endpoints ?? [];
      for (const upstream of entry.upstreams) setEndpoints(upstream, entry.endpoints, upkeep);
    },
    setBackends(next) {
      const changes = recordChanges(backends, next);
      backends = next;
      passed = passing;
      passing = new Set();
      for (const { key } of changes) {
        touched.add(key);
        for (const upstream of entries.get(key)?.upstreams ?? []) setBackend(upstream, factsOf(key), upkeep);
      }
    },
    prune(named, identities = noIdentities) {
      if (identities !== knownIdentities) for (const id of entries.keys()) touched.add(id);
      knownIdentities = identities;
      for (const { id } of passed) touched.add(id);
      for (const id of touched) pruneOne(id, named, identities);
      touched.clear();
    },
    noteOutcome: upkeep.noteOutcome,
    expire: upkeep.tick,
    all,
    close() {
      upkeep.close();
      for (const { pools } of all()) for (const pool of pools.values()) drainPool(pool);
    },
  };
}

function upstreamOf(entry: Entry, wanted: Wanted, facts: Facts, upkeep: Upkeep): Upstream {
  for (const known of entry.upstreams) if (isSpokenToAs(known, wanted)) return known;
  const upstream = createUpstream(wanted);
  setBackend(upstream, facts, upkeep);
  setEndpoints(upstream, entry.endpoints, upkeep);
  // A list that is appended to has room for sixteen more.
  entry.upstreams = entry.upstreams.concat(upstream);
  return upstream;
}

function isSpokenToAs({ identity, http2, announce }: Upstream, wanted: Wanted): boolean {
  return http2 === wanted.http2 && announce === wanted.announce && identity?.key === wanted.identity?.key;
}

function createUpstream({ id, identity, http2, announce }: Wanted): Upstream {
  const pools = new Map<string, Pool>();
  let budget: RetryBudget | undefined;
  /** What it was made of. */
  let asked: RetryBudgetPolicy | undefined;
  const upstream: Upstream = {
    id,
    identity,
    http2,
    announce,
    pools,
    usable: [],
    targets: [],
    turn: 0,
    policy: undefined,
    balance: undefined,
    keyOf: undefined,
    room: createRoom(pools),
    budget(limits) {
      const own = upstream.policy?.retryBudget;
      if (budget && own === asked) return budget;
      if (!budget || !isDeepStrictEqual(own, asked)) budget = createRetryBudget(own ?? defaultBudget(limits));
      asked = own;
      return budget;
    },
  };
  return upstream;
}

/** Whether no plan would miss it. */
const isSuperfluous = (upstream: Upstream, facts: Facts, identities: ReadonlySet<string>): boolean =>
  facts === unnamed || isStale(upstream, facts, identities);

/** Whether nothing in the plan speaks like this to the backend any more. */
function isStale({ identity, http2, announce }: Upstream, facts: Facts, identities: ReadonlySet<string>): boolean {
  if (identity && !identities.has(identity.key)) return true;
  if (facts === unnamed) return false;
  if (announce !== facts.proxyProtocol || http2 !== isHttp2(facts.protocol)) return true;
  return identity ? !isFor(identity, facts.tls) : facts.tls !== undefined && !facts.tlsAsListener;
}

/** Requests that are on their way with this identity finish, on connections that nobody uses again. */
function retire(entry: Entry, upstream: Upstream, upkeep: Upkeep): void {
  entry.upstreams = entry.upstreams.filter((one) => one !== upstream);
  upkeep.forget(upstream);
  for (const pool of upstream.pools.values()) upkeep.leave(pool);
}

/** Balancing begins anew only where it is another; connections and what is known of endpoints stay. */
function setBackend(upstream: Upstream, { policy }: Facts, upkeep: Upkeep): void {
  if (upstream.policy === policy || isDeepStrictEqual(upstream.policy, policy)) return;
  const before = upstream.policy;
  upstream.policy = policy;
  upstream.room.limits = policy?.limits;
  upstream.room.connectTimeoutMs = policy?.connectTimeoutMs;
  const same = isDeepStrictEqual(before?.balance, policy?.balance) && !before?.slowStartMs === !policy?.slowStartMs;
  if (!same) {
    upstream.balance = createBalance(policy);
    upstream.balance?.update(upstream.targets);
    upstream.keyOf = createKeyReader(policy);
  }
  upkeep.policyChanged(upstream);
}

function setEndpoints(upstream: Upstream, endpoints: readonly Endpoint[], upkeep: Upkeep): void {
  const listed = new Map<string, { pool: Pool; endpoint: Endpoint }>();
  for (const endpoint of endpoints) {
    const key = endpointKey(endpoint);
    if (listed.has(key)) continue;
    const pool = upstream.pools.get(key) ?? poolOf(upstream, endpoint, key, upkeep.tended);
    pool.zone = endpoint.zone;
    pool.serves = endpoint.ready || (endpoint.serving && endpoint.terminating);
    listed.set(key, { endpoint, pool });
  }
  for (const [key, pool] of upstream.pools) if (!listed.has(key)) upkeep.leave(pool);
  upstream.pools.clear();
  for (const [key, { pool }] of listed) upstream.pools.set(key, pool);
  const all = [...listed.values()];
  const ready = all.filter(({ endpoint }) => endpoint.ready);
  const usable = ready.length > 0 ? ready : all.filter(({ endpoint }) => endpoint.serving && endpoint.terminating);
  upstream.usable = usable.map(({ pool }) => pool);
  upkeep.refresh(upstream);
}

function poolOf(
  { identity, room, http2, announce }: Upstream,
  endpoint: Endpoint,
  key: string,
  tended: Set<Pool>,
): Pool {
  return createPool(endpoint, key, identity, room, http2, announce, tended);
}

function endpointKey({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/**
 * The next endpoint in turn that is not among `tried`; undefined when none is left. `key`: what the backend's `keyOf`
 * made of the request.
 */
export function nextTarget(
  upstream: Upstream,
  tried: readonly Pool[] | undefined,
  key: number | undefined = undefined,
): Pool | undefined {
  const { targets, balance } = upstream;
  if (balance) return balance.pick(tried, key);
  for (let i = 0; i < targets.length; i++) {
    if (upstream.turn >= targets.length) upstream.turn = 0;
    const pool = targets[upstream.turn++]!;
    if (!tried?.includes(pool)) return pool;
  }
  return undefined;
}
