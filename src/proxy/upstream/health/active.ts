/** Active health checks: when each endpoint is asked, and what follows from the answers. */
import type { HealthCheckPolicy } from '../../../routing/plan/backend-policy.ts';
import type { Random } from '../balance/balance.ts';
import type { Pool } from '../pool.ts';
import { type Probe, probe } from './probe.ts';

export interface HealthRecord {
  healthy: boolean;
  checked: boolean;
  /** Checks in a row that said otherwise. */
  against: number;
  /** Coarse time of the next check. */
  nextAt: number;
  /** Gives the check under way up. */
  cancel: (() => void) | undefined;
}

export interface CheckedBackend {
  readonly pools: ReadonlyMap<string, Pool>;
  /** Endpoints that could take requests: those that are asked. */
  readonly usable: readonly Pool[];
  readonly policy: HealthCheckPolicy;
  /** A check is over. */
  checked(healthy: boolean): void;
  /** An endpoint has become healthy or unhealthy. */
  changed(): void;
}

export interface HealthChecks {
  /** Begins the checks that are due. */
  tick(backends: Iterable<CheckedBackend>, now: number): void;
  close(): void;
}

export interface HealthCheckOptions {
  /** Checks under way; further ones wait, the longest due first. */
  readonly maxAtOnce: number;
  readonly probe?: Probe;
  readonly random?: Random;
}

/** First checks of endpoints are spread over this time, or their interval where that is shorter. */
const FIRST_WITHIN_MS = 500;

/** From one check to the next, in intervals. */
const MIN_SPREAD = 0.9;
const MAX_SPREAD = 1.1;

interface Due {
  readonly backend: CheckedBackend;
  readonly pool: Pool;
  readonly record: HealthRecord;
}

export function createHealthChecks(options: HealthCheckOptions): HealthChecks {
  const { maxAtOnce, random = Math.random } = options;
  const ask = options.probe ?? probe;
  const underWay = new Set<HealthRecord>();

  function begin({ backend, pool, record }: Due, now: number): void {
    const { policy } = backend;
    record.nextAt = now + policy.intervalMs * (MIN_SPREAD + (MAX_SPREAD - MIN_SPREAD) * random());
    underWay.add(record);
    const over = (healthy: boolean) => {
      if (!underWay.delete(record)) return;
      record.cancel = undefined;
      if (pool.draining || pool.health !== record) return;
      backend.checked(healthy);
      if (noteCheck(record, policy, healthy)) backend.changed();
    };
    const cancel = ask(pool, policy, over);
    record.cancel = () => {
      underWay.delete(record);
      cancel();
    };
  }

  return {
    tick(backends, now) {
      const due: Due[] = [];
      for (const backend of backends) {
        for (const pool of backend.usable) {
          pool.health ??= newRecord(now + random() * Math.min(FIRST_WITHIN_MS, backend.policy.intervalMs));
          const record = pool.health;
          // The interval may have become shorter since.
          record.nextAt = Math.min(record.nextAt, now + MAX_SPREAD * backend.policy.intervalMs);
          if (record.nextAt <= now && !underWay.has(record)) due.push({ backend, pool, record });
        }
      }
      if (due.length > maxAtOnce - underWay.size) due.sort((a, b) => a.record.nextAt - b.record.nextAt);
      for (const one of due) {
        if (underWay.size >= maxAtOnce) break;
        begin(one, now);
      }
    },
    close() {
      for (const record of [...underWay]) record.cancel?.();
    },
  };
}

function newRecord(nextAt: number): HealthRecord {
  return { healthy: true, checked: false, against: 0, nextAt, cancel: undefined };
}

/** True when the endpoint's health has changed. */
function noteCheck(record: HealthRecord, policy: HealthCheckPolicy, healthy: boolean): boolean {
  const first = !record.checked;
  record.checked = true;
  if (healthy === record.healthy) {
    record.against = 0;
    return false;
  }
  record.against++;
  const threshold = healthy ? policy.healthyThreshold : policy.unhealthyThreshold;
  if (!first && record.against < threshold) return false;
  record.healthy = healthy;
  record.against = 0;
  return true;
}

/** Gives up the check under way of an endpoint that is not to be checked any more, and forgets what was found. */
export function stopChecking(pool: Pool): void {
  pool.health?.cancel?.();
  pool.health = undefined;
}
