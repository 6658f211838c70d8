/**
 * The cluster on loopback, without its sockets: controllers that turn Services, workloads and Pods into addresses,
 * Pods with a status and EndpointSlices. They read the store and write through the object API, synchronously, so that
 * `settle` computes a whole cluster from manifests while nothing runs.
 */
import { type Clock, systemClock } from '../base/clock.ts';
import type { Diagnostic } from '../base/diagnostics/index.ts';
import type { ObjectApi } from '../kube/objects.ts';
import { keyOf, resourceName } from '../kube/resources.ts';
import { settle } from '../kube/store/reconciler.ts';
import type { AddressBook } from '../routing/translate.ts';
import { type ClusterConfig, defaultClusterConfig } from './config.ts';
import { createAddressBook } from './controllers/address-book.ts';
import type { BackendOverride } from './controllers/backend-overrides.ts';
import { type ControllerContext, createWriter, kubeTimeOf } from './controllers/context.ts';
import { createDaemonSetController } from './controllers/daemon-sets.ts';
import { createDeploymentController } from './controllers/deployments.ts';
import { createEndpointSliceController } from './controllers/endpoint-slices.ts';
import { createEndpointsMirror } from './controllers/endpoints-mirror.ts';
import { createEventKeeper } from './controllers/event-keeper.ts';
import { createFindings } from './controllers/findings.ts';
import { createGarbageCollector } from './controllers/garbage.ts';
import { addIndexes } from './controllers/indexes.ts';
import { createCronJobController, createJobController } from './controllers/jobs.ts';
import { createKubelet } from './controllers/kubelet.ts';
import { createNamespaceController } from './controllers/namespaces.ts';
import { createPodLimit } from './controllers/pod-limit.ts';
import { createPool4 } from './controllers/pool.ts';
import { createReplicaController, replicaSetKind, replicationControllerKind } from './controllers/replica-sets.ts';
import { createServiceController } from './controllers/services.ts';
import { type Door, standingObjects } from './controllers/standing-objects.ts';
import { createStatefulSetController } from './controllers/stateful-sets.ts';
import type { PodRuntime } from './runtime.ts';

export { createAddressBook } from './controllers/address-book.ts';
export type { BackendOverride } from './controllers/backend-overrides.ts';
export { admitForeignAddresses, requestedAddressesAnnotation } from './controllers/foreign-addresses.ts';
export { readyAnnotation } from './controllers/pod-status.ts';
export { type Door, resolvConfAnnotation } from './controllers/standing-objects.ts';

export interface LocalClusterOptions {
  objects: ObjectApi;
  config?: ClusterConfig;
  /** What makes Pods answer. Without it Pods are Running and Ready as soon as they exist. */
  runtime?: PodRuntime;
  /** Processes that stand in for the Pods of a Service. */
  backends?: readonly BackendOverride[];
  /** Text of the node's resolv.conf, kept in an annotation of the Node (`resolvConfAnnotation`). */
  nodeResolvConf?: string;
  /** Where the parts of the cluster answer; EndpointSlices of their Services lead there. */
  doors?: { api?: Door; dns?: Door; dnsMetrics?: Door };
  /**
   * Longest time in milliseconds that a deleted Pod stays, terminating; a shorter grace period of its own counts.
   * Default 1000. Before `start` deleted Pods go at once.
   */
  terminationDelay?: number;
  /** Most Pods that workloads may have together. Default 10,000. */
  maxPods?: number;
  clock?: Clock;
  /** Hears of each finding when it is made; `diagnostics` has those that still hold. */
  onDiagnostic?: (diagnostic: Diagnostic) => void;
  /** An exception out of a controller, which is a bug; the other objects go on. Default: thrown again. */
  onError?: (error: unknown, key: string) => void;
}

export interface LocalCluster {
  /** Works by itself from now on, in the macrotask after each change. */
  start(): void;
  /** Works until nothing is left to do. Throws if that never happens. */
  settle(): void;
  /** For good: a stopped cluster does not start again. */
  stop(): void;
  /** Findings that hold now. */
  diagnostics(): readonly Diagnostic[];
  /** Front-door addresses that do not collide with those of this cluster's Services. */
  readonly addresses: AddressBook;
}

function rethrow(error: unknown): never {
  throw error;
}

function createStandingObjects(ctx: ControllerContext, options: LocalClusterOptions): void {
  const wanted = standingObjects({
    config: ctx.config,
    now: ctx.now(),
    ...options.doors,
    nodeResolvConf: options.nodeResolvConf,
  });
  for (const object of wanted) {
    const resource = ctx.objects.registry.ofKind(object.apiVersion, object.kind);
    if (!resource || ctx.store.get(resourceName(resource), keyOf(object))) continue;
    const made = ctx.write.create(object);
    // An API server takes no status on creation.
    const { status } = object as { status?: unknown };
    if (made && status) ctx.write.updateStatus({ ...made, status } as typeof made);
  }
}

/** Creates the standing objects (namespaces, Node, Services of DNS and API) and the controllers, which wait for work. */
export function createLocalCluster(options: LocalClusterOptions): LocalCluster {
  const { objects, runtime, terminationDelay = 1000, maxPods = 10_000 } = options;
  const { store } = objects;
  const config = options.config ?? defaultClusterConfig;
  const findings = createFindings(store, options.onDiagnostic);
  const podLimit = createPodLimit(store, maxPods);
  const events = createEventKeeper({ store });
  const ctx: ControllerContext = {
    objects,
    store,
    config,
    now: kubeTimeOf(options.clock ?? systemClock),
    findings,
    podLimit,
    write: createWriter(objects, findings),
    onError: options.onError ?? rethrow,
  };
  addIndexes(store);
  createStandingObjects(ctx, options);

  const loadBalancers = createPool4(config.loadBalancerPrefix);
  // In the order in which work flows, so that few rounds settle it.
  const controllers = [
    createNamespaceController(ctx),
    createServiceController(ctx, loadBalancers),
    createCronJobController(ctx),
    createJobController(ctx),
    createDeploymentController(ctx),
    createReplicaController(ctx, replicaSetKind),
    createReplicaController(ctx, replicationControllerKind),
    createStatefulSetController(ctx),
    createDaemonSetController(ctx),
    createKubelet(ctx, { terminationDelay, ...(runtime && { runtime }) }),
    createEndpointSliceController(ctx, options.backends ?? []),
    createEndpointsMirror(ctx),
    createGarbageCollector(ctx),
  ];

  return {
    start() {
      for (const controller of controllers) controller.start();
    },
    // A StatefulSet takes one round for each of its Pods.
    settle: () => settle(controllers, maxPods + 1000),
    stop() {
      for (const controller of controllers) controller.stop();
      findings.close();
      podLimit.close();
      events.close();
    },
    diagnostics: () => findings.list(),
    addresses: createAddressBook({ config, pool: loadBalancers, store }),
  };
}
