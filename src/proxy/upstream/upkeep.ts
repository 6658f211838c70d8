/**
 * What backends with a policy need besides requests: who is in turn, health checks, the end of ejections, slow starts,
 * connections in advance, and the end of waiting. Backends without a policy are not looked at.
 */
import { type CheckedBackend, createHealthChecks, type HealthCheckOptions, stopChecking } from './health/active.ts';
import { eject, endEjections, noteOutcome } from './health/outlier.ts';
import { drainPool, type Pool, tend } from './pool.ts';
import { expireWaiting, wake } from './room.ts';
import { noteEntering, setWeights } from './slow-start.ts';
import type { Upstream } from './upstreams.ts';
import { keepWarm, type OpenIdle } from './warm.ts';
import { preferZone } from './zones.ts';

export interface UpkeepOptions {
  /** Zone of this data plane. */
  readonly zone?: string | undefined;
  readonly maxConnectionsPerEndpoint?: number;
  readonly health?: HealthCheckOptions;
  /** Absent: no connections in advance. */
  readonly openIdle?: OpenIdle;
  readonly onEjection?: (upstream: Upstream) => void;
  readonly onHealthCheck?: (upstream: Upstream, healthy: boolean) => void;
}

export interface Upkeep {
  /** For the pools of its upstreams. */
  readonly tended: Set<Pool>;
  /** Works out who is in turn. */
  refresh(upstream: Upstream): void;
  policyChanged(upstream: Upstream): void;
  noteOutcome(upstream: Upstream, pool: Pool, status: number): void;
  /** It is gone from the plan; requests under way end as they began. */
  forget(upstream: Upstream): void;
  /** An endpoint is gone, or nobody speaks to it like this any more: its connections close as they become idle. */
  leave(pool: Pool): void;
  tick(now: number): void;
  close(): void;
}

export function createUpkeep(options: UpkeepOptions): Upkeep {
  const { zone, maxConnectionsPerEndpoint = Number.POSITIVE_INFINITY } = options;
  const checks = createHealthChecks(options.health ?? { maxAtOnce: 64 });
  /** Those with a policy. */
  const looked = new Set<Upstream>();
  const checked = new Map<Upstream, CheckedBackend>();
  const tended = new Set<Pool>();
  let now = performance.now();

  function refresh(upstream: Upstream): void {
    const { policy, targets: before } = upstream;
    const targets = inTurn(upstream, zone);
    upstream.targets = targets;
    if (!policy) return;
    if (policy.slowStartMs) {
      noteEntering(before, targets, now);
      setWeights(targets, policy.slowStartMs, now);
    }
    upstream.balance?.update(targets);
  }

  function watchHealth(upstream: Upstream): void {
    const policy = upstream.policy?.healthCheck;
    if (policy) checked.set(upstream, checkedBackend(upstream, policy));
    else if (checked.delete(upstream)) for (const pool of upstream.pools.values()) stopChecking(pool);
  }

  function checkedBackend(upstream: Upstream, policy: CheckedBackend['policy']): CheckedBackend {
    return {
      pools: upstream.pools,
      get usable() {
        return upstream.usable;
      },
      policy,
      checked: (healthy) => options.onHealthCheck?.(upstream, healthy),
      changed: () => refresh(upstream),
    };
  }

  function warm(upstream: Upstream, count: number): void {
    const { openIdle } = options;
    // Requests over HTTP/2 share a connection that is kept anyway; and nobody knows yet whom to announce.
    if (!openIdle || upstream.http2 || upstream.announce) return;
    for (const pool of upstream.targets)
      if (pool.open + count <= maxConnectionsPerEndpoint) keepWarm(pool, count, now, openIdle);
  }

  function look(upstream: Upstream): void {
    const { policy, room } = upstream;
    if (room.waiting.size > 0) expireWaiting(room, now);
    if (!policy) return;
    const { slowStartMs, outlierEjection, warmConnections } = policy;
    if (outlierEjection && endEjections(upstream.pools.values(), outlierEjection, now)) refresh(upstream);
    if (slowStartMs) setWeights(upstream.targets, slowStartMs, now);
    if (warmConnections) warm(upstream, warmConnections);
  }

  return {
    tended,
    refresh,
    policyChanged(upstream) {
      looked.add(upstream);
      watchHealth(upstream);
      const { policy } = upstream;
      for (const pool of upstream.pools.values()) {
        if (!policy?.outlierEjection) pool.outlier = undefined;
        if (!policy?.slowStartMs) pool.weight = 1;
      }
      refresh(upstream);
      wake(upstream.room);
    },
    noteOutcome(upstream, pool, status) {
      const policy = upstream.policy?.outlierEjection;
      if (!policy || !noteOutcome(pool, policy, status)) return;
      if (!eject(pool, upstream.usable, policy, now)) return;
      options.onEjection?.(upstream);
      refresh(upstream);
    },
    forget(upstream) {
      looked.delete(upstream);
      if (checked.delete(upstream)) for (const pool of upstream.pools.values()) stopChecking(pool);
      // Nobody will look after those who wait: they go on at once, with the connections that they started with.
      upstream.room.limits = undefined;
      wake(upstream.room);
    },
    leave(pool) {
      stopChecking(pool);
      drainPool(pool);
    },
    tick(time) {
      now = time;
      tend(tended, now);
      for (const upstream of looked) {
        look(upstream);
        if (!upstream.policy && upstream.room.waiting.size === 0) looked.delete(upstream);
      }
      if (checked.size > 0) checks.tick(checked.values(), now);
    },
    close() {
      checks.close();
    },
  };
}

/** Endpoints that nothing speaks against. When that is true of none, or of too few, one objection after the other is dropped. */
function inTurn({ usable, policy }: Upstream, zone: string | undefined): readonly Pool[] {
  if (!policy) return preferZone(usable, zone);
  const healthy = orAll(
    usable.filter(({ health }) => health?.healthy !== false),
    usable,
  );
  const kept = healthy.filter(({ outlier }) => !outlier?.ejected);
  const panic = kept.length * 100 < (policy.outlierEjection?.panicPercent ?? 0) * usable.length;
  return preferZone(panic ? healthy : orAll(kept, healthy), zone, policy.zones);
}

const orAll = (some: readonly Pool[], all: readonly Pool[]): readonly Pool[] => (some.length > 0 ? some : all);
