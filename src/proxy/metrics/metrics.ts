/**
 * What a data plane counts. The number of series follows from the plan and the limits of TelemetryOptions, never from
 * what clients send; series of what left the plan are forgotten.
 */
import type { Counter, MetricsRegistry } from '../../base/metrics.ts';
import type { Plan } from '../../routing/plan/plan.ts';
import type { AccessFlag } from '../access.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { TelemetryOptions } from '../options.ts';
import type { CompiledRoute } from '../routes/compile.ts';
import type { StreamFlag } from '../stream/record.ts';
import { type BackendMetrics, createBackendMetrics } from './backend-series.ts';
import { createFamilies, createTaken, type Families } from './families.ts';
import { createInventory, type Inventory, MORE } from './inventory.ts';
import { createRouteSeries, type RouteSeries } from './route-series.ts';
import { createStreamMetrics, type StreamMetrics } from './stream-series.ts';

export interface ProxyMetrics extends Pick<Inventory, 'endpoints'> {
  /** A request is over. */
  observe(exchange: Exchange, durationMs: number): void;
  connected(listener: string): void;
  /** A connection was closed because there are too many. */
  refused(listener: string): void;
  handshakeFailed(listener: string): void;
  /** An HTTP/2 connection was ended for what its client did with streams. */
  flooded(listener: string): void;
  readonly streams: StreamMetrics;
  readonly backends: BackendMetrics;
  /** A plan came; series of what it does not hold are forgotten. */
  plan(generation: number, plan: Plan): void;
}

/** The connections that are open, as far as they are counted. */
type Connections = Iterable<{ readonly door: { readonly id: string } }>;

export function createProxyMetrics(
  registry: MetricsRegistry,
  limits: TelemetryOptions,
  connections: Connections,
): ProxyMetrics {
  const families = createFamilies(registry);
  const inventory = createInventory(families, limits);
  const routes = createRoutes(families, limits);
  const listeners = createByName((listener) => createListenerSeries(families, listener));
  const backends = createByName((backend) => createFlagCounters(families.upstreamFailures, backend));
  const policies = createBackendMetrics(families, limits);
  const streams = createStreamMetrics(families, limits, countFailure);
  registry.onExpose(() => {
    routes.prune();
    streams.refresh();
    inventory.refresh();
    policies.refresh();
    families.connectionsOpen.reset();
    for (const name of listeners.names()) families.connectionsOpen.with(name).set(0);
    for (const { door } of connections) families.connectionsOpen.with(door.id).inc(1);
  });

  function countFailure(backend: string, flag: AccessFlag | StreamFlag): void {
    backends.ofAtMost(backend, limits.maxBackendSeries).of(flag).inc();
  }

  function observeFlag(exchange: Exchange, flag: AccessFlag): void {
    const series = listeners.of(exchange.client.door.id);
    (exchange.madeHere ? series.made : series.cut).of(flag).inc();
    const backend = exchange.share?.upstream?.id;
    if (backend === undefined || !isUpstreamFailure(flag)) return;
    countFailure(backend, flag);
  }

  return {
    streams,
    backends: policies,
    observe(exchange, durationMs) {
      routes.of(exchange).observe(exchange, durationMs);
      if (exchange.flag !== undefined) observeFlag(exchange, exchange.flag);
    },
    connected: (listener) => listeners.of(listener).connections.inc(),
    refused: (listener) => listeners.of(listener).refused.inc(),
    handshakeFailed: (listener) => listeners.of(listener).handshakeFailures.inc(),
    flooded: (listener) => listeners.of(listener).floods.inc(),
    plan(generation, plan) {
      inventory.plan(generation, plan);
      const ids = new Set(plan.listeners.map(({ id }) => id));
      routes.plan(plan);
      streams.plan(plan);
      policies.plan(plan);
      listeners.keep((listener) => ids.has(listener));
      backends.keep((backend) => backend === MORE || Object.hasOwn(plan.backends, backend));
      for (const id of ids) listeners.of(id);
    },
    endpoints: inventory.endpoints,
  };
}

/** Whether a backend is to blame. */
function isUpstreamFailure(flag: AccessFlag): boolean {
  return flag.startsWith('upstream_') || flag === 'backend_request_timeout';
}

interface Forgettable {
  forget(): void;
}

/** Series by the name that they are for. */
function createByName<T extends Forgettable>(make: (name: string) => T) {
  const all = new Map<string, T>();

  function of(name: string): T {
    const known = all.get(name);
    if (known) return known;
    const made = make(name);
    all.set(name, made);
    return made;
  }

  return {
    of,
    /** Those of `(more)` once there are `most`. */
    ofAtMost: (name: string, most: number) => of(all.has(name) || all.size < most ? name : MORE),
    names: () => all.keys(),
    keep(stays: (name: string) => boolean) {
      for (const [name, series] of all) {
        if (stays(name)) continue;
        series.forget();
        all.delete(name);
      }
    },
  };
}

/** Counters by flag; made when a flag is seen. */
function createFlagCounters(family: Families['responsesMade'], name: string) {
  const taken = createTaken();
  const counters = new Map<AccessFlag | StreamFlag, Counter>();
  return {
    of(flag: AccessFlag | StreamFlag): Counter {
      const known = counters.get(flag);
      if (known) return known;
      const counter = taken.take(family, name, flag);
      counters.set(flag, counter);
      return counter;
    },
    forget: taken.forget,
  };
}

function createListenerSeries(families: Families, listener: string) {
  const taken = createTaken();
  const made = createFlagCounters(families.responsesMade, listener);
  const cut = createFlagCounters(families.responsesCut, listener);
  return {
    made,
    cut,
    connections: taken.take(families.connections, listener),
    refused: taken.take(families.connectionsRefused, listener),
    handshakeFailures: taken.take(families.handshakeFailures, listener),
    floods: taken.take(families.floods, listener),
    forget() {
      for (const one of [taken, made, cut]) one.forget();
    },
  };
}

const idOf = (route: string, listener: string) => `${listener} ${route}`;

/** Label of requests that no route took. */
const NO_ROUTE = '';

/** Series of routes by the route as it was compiled, which a request has at hand. */
function createRoutes(families: Families, { maxRouteSeries }: TelemetryOptions) {
  const known = new WeakMap<CompiledRoute, RouteSeries>();
  /** Of those with series of their own, by listener and route. */
  const own = new Map<string, RouteSeries>();
  /** Of all others of a listener: requests without a route, and routes beyond the limit. */
  const shared = new Map<string, { readonly listener: string; readonly series: RouteSeries }>();
  /** A plan that was not looked through for routes that are gone. */
  let unseen: Plan | undefined;

  function sharedOf(route: string, listener: string): RouteSeries {
    const id = idOf(route, listener);
    const found = shared.get(id);
    if (found) return found.series;
    const series = createRouteSeries(families, route, listener);
    shared.set(id, { listener, series });
    return series;
  }

  function ownOf(route: string, listener: string): RouteSeries {
    const id = idOf(route, listener);
    const found = own.get(id);
    if (found) return found;
    if (own.size >= maxRouteSeries) prune();
    if (own.size >= maxRouteSeries) return sharedOf(MORE, listener);
    const series = createRouteSeries(families, route, listener);
    own.set(id, series);
    return series;
  }

  function prune(): void {
    if (!unseen) return;
    const { listeners } = unseen;
    unseen = undefined;
    const listed = new Set(
      listeners.flatMap(({ id, hosts }) => hosts.flatMap(({ routes }) => routes.map((route) => idOf(route.id, id)))),
    );
    const open = new Set(listeners.map(({ id }) => id));
    for (const [id, series] of own) if (!listed.has(id) && own.delete(id)) series.forget();
    for (const [id, { listener, series }] of shared) if (!open.has(listener) && shared.delete(id)) series.forget();
  }

  return {
    of({ route, client }: Exchange): RouteSeries {
      if (!route) return sharedOf(NO_ROUTE, client.door.id);
      const found = known.get(route);
      // A route can come back after its series were forgotten.
      if (found && !found.forgotten) return found;
      const series = ownOf(route.route.id, client.door.id);
      known.set(route, series);
      return series;
    },
    /** Looked through when somebody reads the metrics or room is wanted: a swap of a large plan must not take long. */
    plan(plan: Plan): void {
      unseen = plan;
    },
    prune,
  };
}
