/**
 * The DNS autoscaler: keeps the replicas of its targets in proportion to the size of the cluster
 * (cluster-proportional-autoscaler). One of several replicas scales; the others watch and wait.
 */
import { createMetricsRegistry, type MetricsRegistry } from '../../base/metrics.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import { createLeaderElection, type LeaderElectionOptions } from '../../kube/client/leader-election.ts';
import { createReflector } from '../../kube/client/reflector.ts';
import { createResourceRegistry } from '../../kube/resources.ts';
import { createStore } from '../../kube/store/store.ts';
import { addPage } from '../plugins/pages.ts';
import type { LogLine, MapAddress, ProcessWishes } from '../plugins/setup.ts';
import type { HostPort } from '../server/addresses.ts';
import { createHttpDoors } from '../server/http-doors.ts';
import { createAutoscalerApi } from './api.ts';
import { type SlimNode, slimNode } from './cluster-size.ts';
import { createAutoscalerMetrics } from './metrics.ts';
import { createPoll } from './poll.ts';
import type { ScaleTarget } from './targets.ts';

export interface AutoscalerOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly configMap: string;
  readonly targets: readonly ScaleTarget[];
  /** Data of a ConfigMap that is made when there is none. */
  readonly defaultParams?: Readonly<Record<string, string>>;
  /** Label selector of the Nodes that count; default all. */
  readonly nodeLabels?: string;
  /** Default 10,000. */
  readonly pollMs?: number;
  /** How long the first poll waits for the list of Nodes, ms. Default 30,000. */
  readonly firstListMs?: number;
  /** Failed polls in a row after which the process ends; 0, the default: never. */
  readonly maxFailures?: number;
  /** Of pages: `/healthz`, `/last-poll`, `/metrics`. Default `:8080`. */
  readonly address?: string;
  /** Elects the one that scales; absent: every replica scales. */
  readonly election?: Pick<LeaderElectionOptions, 'name' | 'identity' | 'leaseMs' | 'renewDeadlineMs' | 'retryMs'>;
  readonly log: LogLine;
  /** Called once when the process must not go on, with the reason. */
  readonly onFatal: (reason: string) => void;
  readonly mapAddress?: MapAddress;
  readonly metrics?: MetricsRegistry;
}

export interface Autoscaler {
  /** Opens the pages and begins; the error names what cannot be bound. */
  start(): Promise<Result<void, string>>;
  isLeader(): boolean;
  /** Where the pages are. */
  door(): HostPort | undefined;
  /** Gives the Lease back and ends what is under way. */
  stop(): Promise<void>;
}

export function createAutoscaler(options: AutoscalerOptions): Autoscaler {
  const { client, targets, namespace, log, pollMs = 10_000, maxFailures = 0, address = ':8080' } = options;
  const { firstListMs = 30_000 } = options;
  const registry = options.metrics ?? createMetricsRegistry();
  const metrics = createAutoscalerMetrics(registry);
  const { timing } = client;
  const stopping = new AbortController();
  const store = createStore({ mirror: true, historyLimit: 0 });
  const doors = createHttpDoors(options.mapAddress ?? ((wanted) => wanted));
  const reflector = createReflector({
    ...{ client, store, project: slimNode, skipUnchanged: true },
    resource: createResourceRegistry().byName('nodes')!,
    ...(options.nodeLabels && { labelSelector: options.nodeLabels }),
    onError: ({ message }) => log('warning', `nodes: ${message}`),
  });
  const poll = createPoll({
    ...{ targets, log, metrics },
    api: createAutoscalerApi({
      ...{ client, namespace, configMap: options.configMap },
      ...(options.defaultParams && { defaults: options.defaultParams }),
    }),
    nodes: () =>
      reflector.hasSynced()
        ? ok(store.list('nodes') as readonly SlimNode[])
        : err(`the Nodes are not known yet${reflector.error ? `: ${reflector.error.message}` : ''}`),
  });

  /** What went wrong in the last poll. */
  let fault: string | undefined;
  let failures = 0;
  let leading = options.election === undefined;
  let running: Promise<void> | undefined;
  /** Ends a poll when another replica took over. */
  let turn = new AbortController();
  /** Ends the wait for the next poll when this one took over. */
  let wake = new AbortController();

  const election =
    options.election &&
    createLeaderElection({
      ...{ client, namespace, ...options.election },
      onStarted: () => setLeading(true),
      onStopped: () => setLeading(false),
      onNewLeader: (identity) => log('info', `${identity || 'nobody'} leads`),
      onError(error) {
        log('warning', `Lease: ${error.message}`);
        if (error.code !== 403 || leading) return;
        // Rules written for cluster-proportional-autoscaler allow no Leases.
        log('warning', 'Leases are forbidden: scaling without an election, as with --leader-elect=false');
        void election?.stop();
        setLeading(true);
      },
    });

  function setLeading(now: boolean): void {
    leading = now;
    metrics.leads(now);
    if (now) {
      wake.abort();
      return;
    }
    turn.abort();
    fault = undefined;
    failures = 0;
  }

  async function pollOnce(): Promise<void> {
    turn = new AbortController();
    const signal = AbortSignal.any([turn.signal, stopping.signal]);
    const polled = await poll(signal);
    if (signal.aborted) return;
    metrics.polled(polled.ok, timing.now());
    fault = polled.ok ? polled.value.warning : polled.error;
    failures = polled.ok ? 0 : failures + 1;
    if (polled.ok) return;
    log('error', polled.error);
    if (failures === maxFailures)
      options.onFatal(`${maxFailures} polls in a row failed, the last one: ${polled.error}`);
  }

  async function run(): Promise<void> {
    const synced = new AbortController();
    void reflector.whenSynced().then(() => synced.abort());
    await timing.sleep(firstListMs, AbortSignal.any([synced.signal, stopping.signal]));
    let next = timing.monotonic();
    while (!stopping.signal.aborted) {
      wake = new AbortController();
      if (leading) await pollOnce();
      // A poll that took longer than its time is not made up for.
      next = Math.max(next + pollMs, timing.monotonic());
      await timing.sleep(next - timing.monotonic(), AbortSignal.any([wake.signal, stopping.signal]));
      if (wake.signal.aborted) next = timing.monotonic();
    }
  }

  function pages(): ProcessWishes['pages'] {
    const wishes: ProcessWishes = { pages: new Map(), lameduckMs: 0 };
    addPage(wishes, address, '/healthz', () => ({ status: 200, text: 'ok' }));
    addPage(wishes, address, '/last-poll', () =>
      fault === undefined
        ? { status: 200, text: 'ok' }
        : { status: 500, text: `Encountered error at last poll cycle: ${fault}` },
    );
    const type = 'text/plain; version=0.0.4; charset=utf-8';
    addPage(wishes, address, '/metrics', () => ({ status: 200, text: registry.expose(), type }));
    return wishes.pages;
  }

  return {
    async start() {
      const opened = await doors.open(pages());
      if (!opened.ok) return opened;
      metrics.leads(leading);
      reflector.start();
      election?.start();
      running ??= run();
      return ok(undefined);
    },
    isLeader: () => leading,
    door: () => doors.bound(address),
    async stop() {
      stopping.abort();
      await Promise.all([running, election?.stop(), reflector.stop()]);
      await doors.close();
    },
  };
}
