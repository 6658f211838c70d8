/**
 * `fairway gateway`: the controller of a cluster. Mirrors what it needs of a Kubernetes API, feeds one data plane, and
 * writes statuses while it leads. Nothing that the API does, or fails to do, reaches traffic but changes of objects.
 */
import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.ts';
import type { MetricsRegistry } from '../../base/metrics.ts';
import { createKubeClient, type KubeClient } from '../../kube/client/client.ts';
import type { ClientConfig } from '../../kube/client/config.ts';
import { type ClusterMirrorOptions, createClusterMirror } from '../../kube/client/mirror.ts';
import { createReflectorExposition } from '../../kube/client/reflector-exposition.ts';
import { keyOf } from '../../kube/resources.ts';
import { createStore, type StoreReader } from '../../kube/store/store.ts';
import type { ProxyChannel } from '../../proxy/channel.ts';
import { generatorOf } from '../../routing/gateway/infrastructure.ts';
import { gatewayControllerName } from '../../routing/translate.ts';
import { createBindPolicy } from '../../service/bind.ts';
import type { ExternalOptions } from '../../service/external-endpoints.ts';
import { createAcmeManager } from '../acme/manager.ts';
import { type AcmePlace, challengesName } from '../acme/names.ts';
import { clusterAcmeObjects } from '../acme/objects.ts';
import { createClassFinalizers } from '../class-finalizers.ts';
import { type ControllerOptions, type ControllerState, createController } from '../controller.ts';
import { createEvents } from '../events.ts';
import { createInfrastructure } from '../infrastructure.ts';
import { type ClusterAddressesOptions, createClusterAddresses } from './addresses.ts';
import { apiFindings } from './api-watch.ts';
import { askAhead } from './ask-ahead.ts';
import { createEventSink } from './event-sink.ts';
import { createLeader, type ElectionOptions } from './leader.ts';
import { createEventMetrics, createStatusMetrics, showClusterFigures } from './metrics.ts';
import { createObjectSink } from './object-sink.ts';
import { createReferences, type FollowBounds, mostFollowed } from './references.ts';
import { createResume } from './resume.ts';
import { createStatusQueue } from './status-queue.ts';
import { createSweep } from './sweep.ts';
import { createTeller } from './teller.ts';
import { createWatchedRegistry, referencedResources, watchedResources } from './watched.ts';

export interface GatewayProcessOptions {
  readonly config: ClientConfig;
  readonly userAgent?: string;
  readonly proxy: ProxyChannel;
  readonly addresses: Omit<ClusterAddressesOptions, 'store' | 'controllerName'>;
  /** GatewayClasses with this `spec.controllerName` are ours. Default `gatewayControllerName`. */
  readonly controllerName?: string;
  /** Services for Gateways; false: none, and those that there are go. Default true. */
  readonly gatewayServices?: boolean;
  /** How names of XBackends are resolved, and where they may lead. */
  readonly external?: ExternalOptions;
  /** Absent: this replica writes statuses without asking others. */
  readonly election?: ElectionOptions;
  /** Bound on status writes. Default 50 a second, 100 after a rest. 0: none. */
  readonly statusWrites?: { readonly qps: number; readonly burst: number };
  /** ConfigMap of ACME's issuers, in whose namespace its state is kept. Absent: no certificate is asked for. */
  readonly acme?: AcmePlace;
  /** See TranslateInput. */
  readonly ingressNginx?: ControllerOptions['ingressNginx'];
  /** Name of this replica in Events. Absent: it writes none. */
  readonly events?: { readonly instance: string };
  /** How the API is read, where the defaults of the reflector do not fit. */
  readonly tuning?: Partial<
    Pick<ClusterMirrorOptions, 'backoff' | 'absentMs' | 'watchSeconds' | 'idleMs' | 'pageSize' | 'discoveryMs'>
  >;
  /** Bounds on Secrets and ConfigMaps that are followed by reference. */
  readonly follow?: FollowBounds;
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
  /** Events that wait to be written. */
  readonly pendingEvents: number;
  /** Lists of the API after the first of each kind. */
  readonly relists: number;
  /** Writes no more, gives the Lease back, and reads no more; the data plane is the caller's to close. */
  stop(): Promise<void>;
}

const defaultWrites = { qps: 50, burst: 100 };
/** Longest pause between attempts to read a kind, in milliseconds: a front door is to resume soon. */
const longestPauseMs = 5000;
/** For other replicas to hear of a challenge of ACME before the authority does, in milliseconds. */
const replicaPauseMs = 2000;
/** Between looks at what the store does not tell of, in milliseconds. */
const lookMs = 1000;

type FourClients = [KubeClient, KubeClient, KubeClient, KubeClient];

/**
 * Clients of one API, each with bounds of its own: the Lease must never wait behind statuses, nor either behind lists, nor
 * any of them behind Events.
 */
function createClients({ config, userAgent, statusWrites = defaultWrites }: GatewayProcessOptions) {
  const common = { config, timeoutMs: 15_000, ...(userAgent && { userAgent }) };
  const [reading, leasing, telling, issuing] = [1, 2, 3, 4].map(() => createKubeClient(common)) as FourClients;
  const writing = createKubeClient({ ...common, limits: statusWrites });
  const close = () => {
    for (const client of [reading, leasing, writing, telling, issuing]) client.close();
  };
  return { reading, leasing, writing, telling, issuing, close };
}

export function createGatewayProcess(options: GatewayProcessOptions): GatewayProcess {
  const { config, log, metrics, controllerName = gatewayControllerName } = options;
  const { reading, leasing, writing, telling, issuing, close } = createClients(options);
  const tuning = { backoff: { maxMs: longestPauseMs }, ...options.tuning };
  const store = createStore({ mirror: true, historyLimit: 0 });
  const registry = createWatchedRegistry();
  const mirror = createClusterMirror({
    ...{ client: reading, store, registry, resources: watchedResources(), skipUnchanged: true },
    ...tuning,
  });
  const exposition = metrics && createReflectorExposition(metrics);
  const most = options.follow?.most ?? mostFollowed;
  const references = createReferences({
    ...{ client: reading, store, registry, discovery: mirror.discovery, resources: referencedResources, tuning },
    ...{ ...options.follow, most },
    ...(exposition && { expose: exposition.add }),
    // An object that is not there changes nothing in the store, though it was shut for as long as nobody knew.
    onLateAnswer: () => controller.refresh(),
  });
  const addresses = createClusterAddresses({ ...options.addresses, store, controllerName });

  let isReady = false;
  let isStopped = false;
  const leader = createLeader({
    ...{ client: leasing, log, ...(options.election && { election: options.election }) },
    onStarted() {
      infrastructure.refresh();
      finalizers.refresh();
      events?.refresh();
      acme?.lead();
      controller.refresh();
    },
    onStopped() {
      statuses.pause();
      void acme?.pause();
    },
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
  const infrastructure = createInfrastructure({ ...generating, generator: generatorOf(controllerName) });
  const finalizers = createClassFinalizers({ ...generating, controllerName });
  const events =
    options.events &&
    createEvents({
      ...{ store, sink: createEventSink(telling, registry), instance: options.events.instance, mayWrite: isLeader },
      ...(metrics && { metrics: createEventMetrics(metrics) }),
      onError: (message) => log('error', message),
    });
  const acme =
    options.acme &&
    createAcmeManager({
      ...{ store: references.reader, objects: clusterAcmeObjects(issuing, registry), place: options.acme, isLeader },
      ...{ adopt: false, controllerName, position: () => undefined, userAgent: options.userAgent ?? 'fairway' },
      // Without an election there is no other replica that the authority could meet.
      replicaPauseMs: options.election ? replicaPauseMs : 0,
      log,
    });
  const told = (found: readonly Diagnostic[]) => acme?.told(found) ?? found;
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
    controllerName,
    generate: options.gatewayServices ?? true,
    ...(options.external && { external: options.external }),
    position: () => undefined,
    bind: createBindPolicy('native'),
    families: 'primary',
    awaited() {
      sweep.translated();
      return references.awaited();
    },
    ...(options.ingressNginx && { ingressNginx: options.ingressNginx }),
    ...(options.acme && { challenges: `${options.acme.namespace}/${challengesName}` }),
    onSettled({ plan, generated, diagnostics: found }) {
      infrastructure.apply(generated);
      acme?.update(plan);
      events?.tell(told(found));
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
      ...apiFindings([...mirror.reflectors, ...references.readers], config.server),
      ...(references.isFull
        ? [diagnostic('FW1604', { message: `more than ${most.toLocaleString('en')} are referred to` })]
        : []),
      ...(closed === undefined ? [] : [diagnostic('FW1605', { message: closed })]),
      ...(addresses.current().length > 0 ? [] : [diagnostic('FW1606', { message: 'statuses show no address' })]),
      ...(refused === undefined ? [] : [diagnostic('FW1607', { message: refused })]),
      ...told(controller.state.diagnostics),
      ...Object.entries(controller.state.unbound).map(([id, reason]) =>
        diagnostic('FW5201', { message: `cannot listen on ${id}: ${reason}` }),
      ),
    ];
  }

  const isAwayFor = createResume({ readers: () => [...mirror.reflectors, ...references.readers] });
  let wasAway = false;
  function look(): void {
    const isGone = isAwayFor();
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
  const unexpose = exposition?.add(mirror.reflectors);
  if (metrics) showClusterFigures(metrics, { isLeader, isReady: () => isReady, pending: () => statuses.pending });

  return {
    store,
    get state() {
      return controller.state;
    },
    get pendingStatuses() {
      return statuses.pending;
    },
    get pendingEvents() {
      return events?.pending ?? 0;
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
      await askAhead(references, { ...options.ingressNginx, controllerName });
      if (isStopped) return false;
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
      await acme?.stop();
      controller.stop();
      infrastructure.stop();
      finalizers.stop();
      events?.stop();
      await statuses.stop();
      await leader.stop();
      tellSettled();
      await Promise.all([mirror.stop(), references.stop()]);
      close();
    },
  };
}
