/**
 * The controller: objects change → compile → deliver to the data plane → write status. The first change of a quiet
 * time is compiled at once, those of a burst together. Endpoints have a path of their own, so that a Pod that comes or
 * goes costs no compilation.
 */
import { toKubeTime } from '../base/clock.ts';
import { type Diagnostic, diagnostic } from '../base/diagnostics/index.ts';
import type { StoreReader } from '../kube/store/store.ts';
import type { Bindings, ProxyChannel, ProxyReport } from '../proxy/channel.ts';
import { createTranslationCache } from '../routing/incremental/cache.ts';
import { recordChanges } from '../routing/incremental/records.ts';
import { type BackendId, emptyPlan, type Plan } from '../routing/plan/plan.ts';
import type { DeliveryReport, Generated, StatusUpdate, TranslateInput } from '../routing/translate.ts';
import type { BindPolicy, L4Protocol } from '../service/bind.ts';
import type { Endpoint } from '../service/endpoints.ts';
import { createExternalEndpoints, type ExternalOptions } from '../service/external-endpoints.ts';
import { type WatchEndpointsOptions, watchEndpoints } from '../service/watch-endpoints.ts';
import { type Compiled, compile } from './compile.ts';
import { createLeaving } from './leaving.ts';
import { createOwnCertificates } from './own-certificates.ts';
import { relevanceOf } from './relevance.ts';
import type { StatusSink } from './status-sink.ts';
import { createStatusWriter } from './status-writer.ts';

/**
 * Compilations of a burst take at most one part of so many of the time. With four, a route added right after another waited
 * three times as long as it took to compile it: 17 ms instead of 7 among 3,000.
 */
const leisure = 2;

const bothFamilies = ['IPv4', 'IPv6'] as const;

export interface ControllerOptions {
  store: StoreReader;
  /** Where statuses go. */
  statuses: StatusSink;
  proxy: ProxyChannel;
  addresses: TranslateInput['addresses'];
  adopt: boolean;
  /** See TranslateInput. */
  controllerName?: TranslateInput['controllerName'];
  /** See TranslateInput. */
  generate?: TranslateInput['generate'];
  /** See TranslateInput. */
  ingressNginx?: TranslateInput['ingressNginx'];
  position: TranslateInput['position'];
  /** See TranslateInput; to be given when positions of an object can change while it stays the same. */
  placements?: TranslateInput['placements'];
  bind: BindPolicy;
  /** `namespace/name` of the ConfigMap of open challenges (acme/challenge-plan.ts). Absent: there are none. */
  challenges?: string;
  /** Of endpoints. Default IPv4 only. */
  families?: WatchEndpointsOptions['families'];
  /** How names outside of the cluster are resolved, and where they may lead. */
  external?: ExternalOptions;
  /**
   * Resolves when the store has what the last compilation asked for in vain and may yet come; undefined: it has. What
   * was compiled is delivered only then, after another look.
   */
  awaited?(): Promise<unknown> | undefined;
  /** Longest pause between two compilations of a burst, from beginning to beginning, in milliseconds. Default 20. */
  settleMs?: number;
  /**
   * For how long the data plane keeps the endpoints of a backend that plans do not name any more, in milliseconds, for
   * requests that began with an older plan. Default 10,000.
   */
  forgetMs?: number;
  /** A compiled plan is in force in the data plane and its statuses are written. */
  onSettled?(state: ControllerState): void;
  /** What comes up while traffic flows: names that lead nowhere. */
  onFinding?(finding: Diagnostic): void;
  onError(message: string): void;
}

export interface ControllerState {
  readonly generation: number;
  readonly plan: Plan;
  readonly diagnostics: readonly Diagnostic[];
  /** Objects that are to exist because of those compiled; infrastructure.ts writes them. */
  readonly generated: readonly Generated[];
  /** Listeners that the data plane could not open, by id, with the reason. */
  readonly unbound: Readonly<Record<string, string>>;
}

export interface Controller {
  start(): void;
  stop(): void;
  readonly state: ControllerState;
  /** Compiles everything from scratch, and looks at every status: after what no change in the store tells. */
  refresh(): void;
  /** Sends changed endpoints now instead of in the next macrotask. */
  deliverEndpoints(): void;
  /** Resolves when no change is waiting, being compiled or being applied. */
  settled(): Promise<void>;
}

export function createController(options: ControllerOptions): Controller {
  const { store, proxy, statuses: sink } = options;
  const settleMs = options.settleMs ?? 20;
  const statusWriter = createStatusWriter({ store, sink, onError: options.onError });
  let state: ControllerState = { generation: 0, plan: emptyPlan, diagnostics: [], generated: [], unbound: {} };
  let generation = 0;
  let statuses: readonly StatusUpdate[] = [];
  let report: Extract<ProxyReport, { type: 'applied' }>['listeners'] = {};
  let compiled: Compiled | undefined;
  let cache = createTranslationCache();
  let compiledGeneration = 0;
  let lastCompile = Number.NEGATIVE_INFINITY;
  /** From the last compilation's beginning until its statuses were written, in milliseconds. */
  let tookMs = Number.POSITIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  /** Backends whose endpoints are followed. */
  let tracked: Plan['backends'] = {};
  /** By what those, and those that are leaving, are reached. */
  const protocols = new Map<BackendId, L4Protocol>();
  let dirty = true;
  let running = false;
  let waiting: (() => void)[] = [];
  let unsubscribe = () => {};

  const deliveryReport: DeliveryReport = { listener: (id) => report[id] };

  function mapEndpoint(endpoint: Endpoint, protocol: L4Protocol): Endpoint {
    return { ...endpoint, ...options.bind.map(endpoint.address, endpoint.port, protocol) };
  }

  const endpoints = watchEndpoints(store, {
    ...(options.families && { families: options.families }),
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

  const externals = createExternalEndpoints(options.external ?? {}, {
    ...(options.families && { families: options.families === 'primary' ? bothFamilies : options.families }),
    onChange(id, list) {
      generation++;
      proxy.send({ type: 'endpoints', generation, changed: { [id]: list } });
    },
    onProblem: (message) => options.onFinding?.(diagnostic('FW3417', { message })),
  });

  const leaving = createLeaving(options.forgetMs ?? 10_000, (id) => {
    protocols.delete(id);
    endpoints.forget(id);
    externals.forget(id);
  });

  /** Backends that did not change are the same objects. */
  function track(backends: Plan['backends']): void {
    for (const { key, now } of recordChanges(tracked, backends)) {
      if (!now) {
        leaving.add(key);
        continue;
      }
      leaving.remove(key);
      const { namespace, service, port, external } = now;
      if (external) {
        externals.add({ id: key, hostname: external.hostname, port });
        continue;
      }
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

  const own = createOwnCertificates((error) => options.onError(`a certificate of our own: ${String(error)}`));
  const { challenges } = options;

  function tryCompile(): Compiled | undefined {
    try {
      return compile({
        store,
        adopt: options.adopt,
        addresses: options.addresses,
        position: options.position,
        ...(options.placements && { placements: options.placements }),
        ...(options.controllerName !== undefined && { controllerName: options.controllerName }),
        ...(options.generate !== undefined && { generate: options.generate }),
        ...(challenges !== undefined && { challenges: { key: challenges, proofs: own.proofs } }),
        ...(options.ingressNginx && { ingressNginx: options.ingressNginx }),
        selfSigned: own.selfSigned,
        now: toKubeTime(Date.now()),
        cache,
      });
    } catch (error) {
      // What was kept may be half of one state and half of another.
      cache = createTranslationCache();
      // The last good plan stays in force: a fault in a translator must not become an outage.
      options.onError(`compiling failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      return undefined;
    }
  }

  function recompile(): void {
    dirty = false;
    lastCompile = performance.now();
    const now = tryCompile();
    if (!now) return;
    const awaited = options.awaited?.() ?? own.awaited();
    if (awaited) {
      dirty = true;
      void awaited.then(schedule);
      return;
    }
    compiled = now;
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
    const wait = Math.max(0, lastCompile + Math.min(settleMs, leisure * tookMs) - performance.now());
    timer = setTimeout(() => {
      timer = undefined;
      recompile();
    }, wait);
  }

  function settle(): void {
    statusWriter.write(statuses, deliveryReport);
    const unbound = Object.fromEntries(
      Object.entries(report).flatMap(([id, listener]) => (listener.bound ? [] : [[id, listener.error ?? 'not bound']])),
    );
    const { plan, diagnostics, generated } = compiled!;
    state = { generation: compiledGeneration, plan, diagnostics, generated, unbound };
    options.onSettled?.(state);
    tookMs = performance.now() - lastCompile;
    if (dirty) return;
    if (waiting.length > 0) statusWriter.flush();
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
        const relevance = relevanceOf(change);
        if (relevance === 'none' || (relevance === 'status' && sink.disregards(change))) return;
        dirty = true;
        schedule();
      });
      recompile();
    },
    refresh() {
      cache = createTranslationCache();
      statusWriter.lookAgain();
      dirty = true;
      schedule();
    },
    stop() {
      running = false;
      waiting = [];
      unsubscribe();
      leaving.stop();
      endpoints.stop();
      externals.stop();
      statusWriter.stop();
      clearTimeout(timer);
    },
    get state() {
      return state;
    },
    deliverEndpoints: () => endpoints.flush(),
    settled() {
      if (!dirty && state.generation === compiledGeneration) {
        statusWriter.flush();
        return Promise.resolve();
      }
      return new Promise((resolve) => waiting.push(resolve));
    },
  };
}
