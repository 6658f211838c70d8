/** What is counted of backends with a policy: ejections, health checks, who is out of turn, who waits. */
import type { Counter } from '../../base/metrics.ts';
import { createSelection } from '../../routing/incremental/records.ts';
import type { Backend, BackendId, Plan } from '../../routing/plan/plan.ts';
import type { TelemetryOptions } from '../options.ts';
import type { Upstream, Upstreams } from '../upstream/upstreams.ts';
import { createTaken, type Families } from './families.ts';
import { MORE } from './inventory.ts';

export interface BackendMetrics {
  ejected(backend: BackendId): void;
  checked(backend: BackendId, healthy: boolean): void;
  /** Where the gauges are read from. */
  read(upstreams: Pick<Upstreams, 'all'>): void;
  plan(plan: Plan): void;
  /** Brings the gauges up to date; after those of the inventory, to which it adds. */
  refresh(): void;
}

interface Series {
  readonly ejections: Counter;
  readonly healthy: Counter;
  readonly unhealthy: Counter;
  forget(): void;
}

export function createBackendMetrics(families: Families, { maxBackendSeries }: TelemetryOptions): BackendMetrics {
  const all = new Map<string, Series>();
  const judged = createSelection<Backend, BackendId>((backend) => (isJudged(backend) ? backend.id : undefined));
  let source: Pick<Upstreams, 'all'> | undefined;

  /** Also of backends that have nothing to show yet: a counter that begins at 0 shows its first step. */
  function of(backend: BackendId): Series {
    const name = all.has(backend) || all.size < maxBackendSeries ? backend : MORE;
    let series = all.get(name);
    if (!series) {
      series = createSeries(families, name);
      all.set(name, series);
    }
    return series;
  }

  function refreshOne({ id, usable, policy, room }: Upstream): void {
    if (!policy) return;
    const label = all.has(id) || all.size < maxBackendSeries ? id : MORE;
    if (policy.healthCheck) {
      const unhealthy = usable.filter(({ health }) => health?.healthy === false).length;
      families.endpoints.with(label, 'unhealthy').inc(unhealthy);
    }
    if (policy.outlierEjection) {
      const ejected = usable.filter(({ outlier }) => outlier?.ejected).length;
      families.endpoints.with(label, 'ejected').inc(ejected);
    }
    if (policy.limits?.maxPending) families.pending.with(label).inc(room.waiting.size);
  }

  return {
    ejected: (backend) => of(backend).ejections.inc(),
    checked: (backend, healthy) => (healthy ? of(backend).healthy : of(backend).unhealthy).inc(),
    read(upstreams) {
      source = upstreams;
    },
    plan({ backends }) {
      for (const [name, series] of all) {
        if (name === MORE || (Object.hasOwn(backends, name) && isJudged(backends[name]!))) continue;
        series.forget();
        all.delete(name);
      }
      for (const id of judged(backends)) of(id);
    },
    refresh() {
      families.pending.reset();
      for (const upstream of source?.all() ?? []) refreshOne(upstream);
    },
  };
}

const isJudged = ({ policy }: Plan['backends'][string]): boolean =>
  policy?.healthCheck !== undefined || policy?.outlierEjection !== undefined;

function createSeries(families: Families, backend: string): Series {
  const taken = createTaken();
  return {
    ejections: taken.take(families.ejections, backend),
    healthy: taken.take(families.healthChecks, backend, 'healthy'),
    unhealthy: taken.take(families.healthChecks, backend, 'unhealthy'),
    forget: taken.forget,
  };
}
