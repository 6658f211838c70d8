/** What is counted of TCP and TLS connections and UDP flows, by route and listener. */
import type { Counter } from '../../base/metrics.ts';
import type { Plan } from '../../routing/plan/plan.ts';
import type { TelemetryOptions } from '../options.ts';
import type { StreamFlag } from '../stream/record.ts';
import { createTaken, type Families } from './families.ts';
import { MORE } from './inventory.ts';

/** The series of one route of one listener. */
export interface StreamSeries {
  /** A connection or flow begins. */
  begin(): void;
  /** Bytes that moved since the last call. */
  bytes(received: number, sent: number): void;
  end(durationMs: number): void;
}

export interface StreamMetrics {
  /** `route` is undefined for what no route takes. */
  of(listener: string, route: string | undefined): StreamSeries;
  /** Refused or cut; `backend` is the one chosen for it. */
  flagged(listener: string, flag: StreamFlag, backend: string | undefined): void;
  /** Called before figures are read, to count what moved in connections that are open. */
  onRead(update: () => void): void;
}

interface Kept extends StreamSeries {
  readonly listener: string;
  forget(): void;
}

/** Label of what no route took. */
const NO_ROUTE = '';

const idOf = (listener: string, route: string) => `${listener} ${route}`;

export function createStreamMetrics(
  families: Families,
  { maxRouteSeries }: TelemetryOptions,
  failed: (backend: string, flag: StreamFlag) => void,
) {
  const own = new Map<string, Kept>();
  /** Without a route, and of routes beyond the limit. */
  const shared = new Map<string, Kept>();
  /** By listener and flag. */
  const cuts = new Map<string, Map<StreamFlag, Counter>>();
  const updates: (() => void)[] = [];
  /** A plan that was not looked through for routes that are gone. */
  let unseen: Plan | undefined;

  function keptIn(all: Map<string, Kept>, listener: string, route: string): Kept {
    const id = idOf(listener, route);
    let kept = all.get(id);
    if (!kept) {
      kept = createSeries(families, listener, route);
      all.set(id, kept);
    }
    return kept;
  }

  function cutsOf(listener: string, flag: StreamFlag): Counter {
    const counters = cuts.get(listener) ?? new Map<StreamFlag, Counter>();
    cuts.set(listener, counters);
    const counter = counters.get(flag) ?? families.streamsCut.with(listener, flag);
    counters.set(flag, counter);
    return counter;
  }

  function forgetCuts(listener: string): void {
    for (const flag of cuts.get(listener)?.keys() ?? []) families.streamsCut.remove(listener, flag);
    cuts.delete(listener);
  }

  function prune(): void {
    if (!unseen) return;
    const { streams = [] } = unseen;
    unseen = undefined;
    const listed = new Set(streams.flatMap(({ id, routes }) => routes.map((route) => idOf(id, route.id))));
    const open = new Set(streams.map(({ id }) => id));
    for (const [id, series] of own) if (!listed.has(id) && own.delete(id)) series.forget();
    for (const [id, series] of shared) if (!open.has(series.listener) && shared.delete(id)) series.forget();
    for (const id of cuts.keys()) if (!open.has(id)) forgetCuts(id);
  }

  return {
    of(listener: string, route: string | undefined): StreamSeries {
      if (route === undefined) return keptIn(shared, listener, NO_ROUTE);
      if (!own.has(idOf(listener, route)) && own.size >= maxRouteSeries) prune();
      const hasPlace = own.has(idOf(listener, route)) || own.size < maxRouteSeries;
      return hasPlace ? keptIn(own, listener, route) : keptIn(shared, listener, MORE);
    },
    flagged(listener: string, flag: StreamFlag, backend: string | undefined): void {
      cutsOf(listener, flag).inc();
      if (backend !== undefined && flag.startsWith('upstream_')) failed(backend, flag);
    },
    onRead: (update: () => void) => void updates.push(update),
    plan(plan: Plan): void {
      unseen = plan;
    },
    refresh(): void {
      for (const update of updates) update();
      prune();
    },
  };
}

function createSeries(families: Families, listener: string, route: string): Kept {
  const taken = createTaken();
  const total = taken.take(families.streams, route, listener);
  const open = taken.take(families.streamsOpen, route, listener);
  const received = taken.take(families.streamReceivedBytes, route, listener);
  const sent = taken.take(families.streamSentBytes, route, listener);
  const duration = taken.take(families.streamDuration, route, listener);
  open.set(0);
  return {
    listener,
    begin() {
      total.inc();
      open.inc();
    },
    bytes(more, back) {
      if (more > 0) received.inc(more);
      if (back > 0) sent.inc(back);
    },
    end(durationMs) {
      open.inc(-1);
      duration.observe(durationMs / 1000);
    },
    forget: taken.forget,
  };
}
