/**
 * The controller: objects change → compile → deliver to the data plane → write status. The first change of a quiet
 * time is compiled at once, those of a burst together. Endpoints have a path of their own, so that a Pod that comes or
 * goes costs no compilation.
 */
import { toKubeTime } from '../base/clock.ts';
import type { Diagnostic } from '../base/diagnostics/index.ts';
import type { ObjectApi } from '../kube/objects.ts';
import type { Bindings, ProxyChannel, ProxyReport } from '../proxy/channel.ts';
import { createTranslationCache } from '../routing/incremental/cache.ts';
import { recordChanges } from '../routing/incremental/records.ts';
import { type BackendId, emptyPlan, type Plan } from '../routing/plan/plan.ts';
import type { DeliveryReport, StatusUpdate, TranslateInput } from '../routing/translate.ts';
import type { BindPolicy, L4Protocol } from '../service/bind.ts';
import type { Endpoint } from '../service/endpoints.ts';
import { watchEndpoints } from '../service/watch-endpoints.ts';
import { type Compiled, compile } from './compile.ts';
import { createLeaving } from './leaving.ts';
import { callsForPlan } from './relevance.ts';
import { createStatusWriter } from './status-writer.ts';

export interface ControllerOptions {
  objects: ObjectApi;
  proxy: ProxyChannel;
  addresses: TranslateInput['addresses'];
  adopt: boolean;
  position: TranslateInput['position'];
  /** See TranslateInput; to be given when positions of an object can change while it stays the same. */
  placements?: TranslateInput['placements'];
  bind: BindPolicy;
  /** Least time between two compilations of a burst, in milliseconds. Default 20. */
  settleMs?: number;
  /**
   * For how long the data plane keeps the endpoints of a backend that plans do not name any more, in milliseconds, for
   * requests that began with an older plan. Default 10,000.
   */
  forgetMs?: number;
  /** A compiled plan is in force in the data plane and its statuses are written. */
  onSettled?(state: ControllerState): void;
  onError(message: string): void;
}

export interface ControllerState {
  readonly generation: number;
  readonly plan: Plan;
  readonly diagnostics: readonly Diagnostic[];
  /** Listeners that the data plane could not open, by id, with the reason. */
  readonly unbound: Readonly<Record<string, string>>;
}

export interface Controller {
  start(): void;
  stop(): void;
  readonly state: ControllerState;
  /** Sends changed endpoints now instead of in the next macrotask. */
  deliverEndpoints(): void;
  /** Resolves when no change is waiting, being compiled or being applied. */
  settled(): Promise<void>;
}

export function createController(options: ControllerOptions): Controller {
  const { objects, proxy } = options;
  const { store } = objects;
  const settleMs = options.settleMs ?? 20;
  const statusWriter = createStatusWriter({ objects, onError: options.onError });
  let state: ControllerState = { generation: 0, plan: emptyPlan, diagnostics: [], unbound: {} };
  let generation = 0;
  let statuses: readonly StatusUpdate[] = [];
  let report: Extract<ProxyReport, { type: 'applied' }>['listeners'] = {};
  let compiled: Compiled | undefined;
  let cache = createTranslationCache();
  let compiledGeneration = 0;
  let lastCompile = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  /** Backends whose endpoints are followed. */
  let tracked: Plan['backends'] = {};
  /** By what those, and those that are leaving, are reached. */
  const protocols = new Map<BackendId, L4Protocol>();
  let dirty = true;
  /** True while our own statuses are being written: those changes call for nothing. */
  let writing = false;
  let running = false;
  let waiting: (() => void)[] = [];
  let unsubscribe = () => {};

  const deliveryReport: DeliveryReport = { listener: (id) => report[id] };

  function mapEndpoint(endpoint: Endpoint, protocol: L4Protocol): Endpoint {
    return { ...endpoint, ...options.bind.map(endpoint.address, endpoint.port, protocol) };
  }

  const endpoints = watchEndpoints(store, {
    onChange(changed) {
      generation++;
      const message: Record<string, readonly Endpoint[] | null> = {};
      for (const [id, list] of changed) {
        const protocol = protocols.get(id) ?? 'TCP';
        message[id] = list?.map((endpoint) => mapEndpoint(endpoint, protocol)) ?? null;
      }
      proxy.send({ type: 'endpoints', generation, changed: message });
    },
  });

  const leaving = createLeaving(options.forgetMs ?? 10_000, (id) => {
    protocols.delete(id);
    endpoints.forget(id);
  });

  /** Backends that did not change are the same objects. */
  function track(backends: Plan['backends']): void {
    for (const { key, now } of recordChanges(tracked, backends)) {
      if (!now) {
        leaving.add(key);
        continue;
      }
      leaving.remove(key);
      const { namespace, service, port } = now;
      const protocol = now.protocol === 'udp' ? 'UDP' : 'TCP';
      protocols.set(key, protocol);
      endpoints.add({ id: key, namespace, service, port, protocol });
    }
    tracked = backends;
  }

  function bindings(plan: Plan): Bindings {
    const { listeners, streams = [] } = plan;
    return Object.fromEntries([
      ...listeners.map(({ id, address, port }) => [id, options.bind.map(address, port, 'TCP')]),
      ...streams.map(({ id, address, port, protocol }) => [
        id,
        options.bind.map(address, port, protocol === 'UDP' ? 'UDP' : 'TCP'),
      ]),
    ]);
  }

  function recompile(): void {
    dirty = false;
    lastCompile = performance.now();
    try {
      compiled = compile({
        store,
        adopt: options.adopt,
        addresses: options.addresses,
        position: options.position,
        ...(options.placements && { placements: options.placements }),
        now: toKubeTime(Date.now()),
        cache,
      });
    } catch (error) {
      // What was kept may be half of one state and half of another.
      cache = createTranslationCache();
      // The last good plan stays in force: a fault in a translator must not become an outage.
      options.onError(`compiling failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      return;
    }
    statuses = compiled.statuses;
    // Endpoints go first, so that no route ever points at a backend that the data plane has not heard of.
    track(compiled.plan.backends);
    endpoints.flush();
    generation++;
    compiledGeneration = generation;
    proxy.send({ type: 'plan', generation, plan: compiled.plan, bindings: bindings(compiled.plan) });
  }

  function schedule(): void {
    if (!running || timer) return;
    const wait = Math.max(0, lastCompile + settleMs - performance.now());
    timer = setTimeout(() => {
      timer = undefined;
      recompile();
    }, wait);
  }

  function settle(): void {
    writing = true;
    try {
      statusWriter.write(statuses, deliveryReport);
    } finally {
      writing = false;
    }
    const unbound = Object.fromEntries(
      Object.entries(report).flatMap(([id, listener]) => (listener.bound ? [] : [[id, listener.error ?? 'not bound']])),
    );
    state = { generation: compiledGeneration, plan: compiled!.plan, diagnostics: compiled!.diagnostics, unbound };
    options.onSettled?.(state);
    if (dirty) return;
    for (const resolve of waiting.splice(0)) resolve();
  }

  proxy.onReport((message) => {
    if (message.type !== 'applied' || message.generation < compiledGeneration || !compiled) return;
    if (message.generation > compiledGeneration && state.generation === compiledGeneration) return;
    report = message.listeners;
    settle();
  });

  return {
    start() {
      running = true;
      unsubscribe = store.subscribe((change) => {
        if (writing || !callsForPlan(change)) return;
        dirty = true;
        schedule();
      });
      recompile();
    },
    stop() {
      running = false;
      waiting = [];
      unsubscribe();
      leaving.stop();
      endpoints.stop();
      statusWriter.stop();
      clearTimeout(timer);
    },
    get state() {
      return state;
    },
    deliverEndpoints: () => endpoints.flush(),
    settled() {
      if (!dirty && state.generation === compiledGeneration) return Promise.resolve();
      return new Promise((resolve) => waiting.push(resolve));
    },
  };
}
