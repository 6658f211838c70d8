/**
 * `fairway gateway`: the controller of a cluster. Mirrors what it needs of a Kubernetes API, feeds one data plane, and
 * writes statuses while it leads. Nothing that the API does, or fails to do, reaches traffic but changes of objects.
 */
import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.ts';
import type { MetricsRegistry } from '../../base/metrics.ts';
import { createKubeClient } from '../../kube/client/client.ts';
import type { ClientConfig } from '../../kube/client/config.ts';
import { type ClusterMirrorOptions, createClusterMirror } from '../../kube/client/mirror.ts';
import { createReflectorExposition } from '../../kube/client/reflector-exposition.ts';
import { keyOf } from '../../kube/resources.ts';
import { createStore, type StoreReader } from '../../kube/store/store.ts';
import type { ProxyChannel } from '../../proxy/channel.ts';
import { createBindPolicy } from '../../service/bind.ts';
import { createClassFinalizers } from '../class-finalizers.ts';
import { type ControllerState, createController } from '../controller.ts';
import { createInfrastructure } from '../infrastructure.ts';
import { type ClusterAddressesOptions, createClusterAddresses } from './addresses.ts';
import { apiFindings, isAway } from './api-watch.ts';
import { createLeader, type ElectionOptions } from './leader.ts';
import { createStatusMetrics, showClusterFigures } from './metrics.ts';
import { createObjectSink } from './object-sink.ts';
import { createReferences } from './references.ts';
import { createStatusQueue } from './status-queue.ts';
import { createSweep } from './sweep.ts';
import { createTeller } from './teller.ts';
import { createWatchedRegistry, referencedResources, watchedResources } from './watched.ts';

export interface GatewayProcessOptions {
  readonly config: ClientConfig;
  readonly userAgent?: string;
  readonly proxy: ProxyChannel;
  readonly addresses: Omit<ClusterAddressesOptions, 'store'>;
  /** Absent: this replica writes statuses without asking others. */
  readonly election?: ElectionOptions;
  /** Bound on status writes. Default 50 a second, 100 after a rest. 0: none. */
  readonly statusWrites?: { readonly qps: number; readonly burst: number };
  /** How the API is read, where the defaults of the reflector do not fit. */
  readonly tuning?: Partial<
    Pick<ClusterMirrorOptions, 'backoff' | 'absentMs' | 'watchSeconds' | 'idleMs' | 'pageSize' | 'discoveryMs'>
  >;
  readonly metrics?: MetricsRegistry;
  readonly log: (level: 'info' | 'warning' | 'error', text: string) => void;
  /** A finding that is new. */
  readonly onFinding?: (finding: Diagnostic) => void;
}

export interface GatewayProcess {
  /** Resolves when everything was read once and is in force in the data plane; with false when stopped before. */
  start(): Promise<boolean>;
  isReady(): boolean;
  isLeader(): boolean;
  readonly state: ControllerState;
  readonly store: StoreReader;
  /** Findings in force now. */
  diagnostics(): Diagnostic[];
  /** Statuses that wait to be written. */
  readonly pendingStatuses: number;
  /** Lists of the API after the first of each kind. */
  readonly relists: number;
  /** Writes no more, gives the Lease back, and reads no more; the data plane is the caller's to close. */
  stop(): Promise<void>;
}

const defaultWrites = { qps: 50, burst: 100 };
/** Longest pause between attempts to read a kind, in milliseconds: a front door is to resume soon. */
const longestPauseMs = 10_000;
/** Between looks at what the store does not tell of, in milliseconds. */
const lookMs = 1000;

/** Clients of one API, each with bounds of its own: the Lease must never wait behind statuses, nor either behind lists. */
function createClients({ config, userAgent, statusWrites = defaultWrites }: GatewayProcessOptions) {
  const common = { config, timeoutMs: 15_000, ...(userAgent && { userAgent }) };
  const [reading, leasing] = [createKubeClient(common), createKubeClient(common)];
  const writing = createKubeClient({ ...common, limits: statusWrites });
  const close = () => {
    for (const client of [reading, leasing, writing]) client.close();
  };
  return { reading, leasing, writing, close };
}

export function createGatewayProcess(options: GatewayProcessOptions): GatewayProcess {
  const { config, log, metrics } = options;
  const { reading, leasing, writing, close } = createClients(options);
  const tuning = { backoff: { maxMs: longestPauseMs }, ...options.tuning };
  const store = createStore({ mirror: true, historyLimit: 0 });
  const registry = createWatchedRegistry();
  const mirror = createClusterMirror({
    ...{ client: reading, store, registry, resources: watchedResources(), skipUnchanged: true },
    ...tuning,
  });
  const references = createReferences({
    ...{ client: reading, store, registry, discovery: mirror.discovery, resources: referencedResources },
    tuning,
  });
  const addresses = createClusterAddresses({ ...options.addresses, store });

  let isReady = false;
  let isStopped = false;
  const leader = createLeader({
    ...{ client: leasing, log, ...(options.election && { election: options.election }) },
    onStarted() {
      infrastructure.refresh();
      finalizers.refresh();
      controller.refresh();
    },
    onStopped: () => statuses.pause(),
  });
  const { isLeader } = leader;
  const statuses = createStatusQueue({
    ...{ client: writing, store, registry, isLeader },
    ...(metrics && { metrics: createStatusMetrics(metrics) }),
    onError: (message) => log('error', message),
  });
  const generating = {
    ...{ store, sink: createObjectSink(writing, registry, store), mayWrite: isLeader },
    onError: (message: string) => log('error', message),
  };
  const infrastructure = createInfrastructure(generating);
  const finalizers = createClassFinalizers(generating);
  let tellSettled = () => {};
  const settledOnce = new Promise<void>((resolve) => {
    tellSettled = resolve;
  });
  const controller = createController({
    store: references.reader,
    statuses,
    proxy: options.proxy,
    addresses,
    adopt: false,
    position: () => undefined,
    bind: createBindPolicy('native'),
    families: 'primary',
    awaited: references.awaited,
    onSettled({ generated }) {
      infrastructure.apply(generated);
      tellSettled();
      sweep.end();
    },
    onFinding: (finding) => options.onFinding?.(finding),
    onError: (message) => log('error', message),
  });

  const sweep = createSweep(references, () => controller.refresh());
  const tell = createTeller((finding) => options.onFinding?.(finding));

  /** What statuses show, and what decides it, may change while no object that is compiled does. */
  let shown = '';
  function lookAtAddresses(): void {
    const now = addresses.look();
    if (now === shown) return;
    shown = now;
    if (isReady) controller.refresh();
  }

  function diagnostics(): Diagnostic[] {
    const closed = addresses.closedIngress();
    const refused = leader.fault();
    return [
      ...apiFindings([...mirror.reflectors, ...references.reflectors], config.server),
      ...(references.isFull ? [diagnostic('FW1604', { message: 'more than 1,000 are referred to by name' })] : []),
      ...(closed === undefined ? [] : [diagnostic('FW1605', { message: closed })]),
      ...(addresses.current().length > 0 ? [] : [diagnostic('FW1606', { message: 'statuses show no address' })]),
      ...(refused === undefined ? [] : [diagnostic('FW1607', { message: refused })]),
      ...controller.state.diagnostics,
      ...Object.entries(controller.state.unbound).map(([id, reason]) =>
        diagnostic('FW5201', { message: `cannot listen on ${id}: ${reason}` }),
      ),
    ];
  }

  let wasAway = false;
  function look(): void {
    const isGone = mirror.reflectors.some(({ error }) => error && isAway(error));
    if (wasAway && !isGone) log('info', `the Kubernetes API at ${config.server} answers again`);
    wasAway = isGone;
    lookAtAddresses();
    sweep.begin();
    tell(diagnostics());
  }
  const timer = setInterval(look, lookMs);
  timer.unref();
  const publishService = options.addresses.publishService;
  const unsubscribe = store.subscribe(({ resource, object }) => {
    if (resource === 'services' && keyOf(object) === publishService) lookAtAddresses();
  });
  const unexpose = metrics && createReflectorExposition(metrics).add(mirror.reflectors);
  if (metrics) showClusterFigures(metrics, { isLeader, isReady: () => isReady, pending: () => statuses.pending });

  return {
    store,
    get state() {
      return controller.state;
    },
    get pendingStatuses() {
      return statuses.pending;
    },
    get relists() {
      return mirror.reflectors.reduce((sum, each) => sum + each.metrics.relists, 0);
    },
    isReady: () => isReady,
    isLeader,
    diagnostics,
    async start() {
      mirror.start();
      if (!(await mirror.whenSynced()) || isStopped) return false;
      shown = addresses.look();
      controller.start();
      await settledOnce;
      if (isStopped) return false;
      isReady = true;
      finalizers.refresh();
      leader.start();
      return true;
    },
    async stop() {
      isReady = false;
      isStopped = true;
      clearInterval(timer);
      unsubscribe();
      unexpose?.();
      controller.stop();
      infrastructure.stop();
      finalizers.stop();
      await statuses.stop();
      await leader.stop();
      tellSettled();
      await Promise.all([mirror.stop(), references.stop()]);
      close();
    },
  };
}
