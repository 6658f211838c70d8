/**
 * The kubelet of the one machine: gives Pods their node and addresses, has them run, writes their status, and removes
 * them some time after they were deleted. Node selectors, affinities and taints do not count.
 */
import { blank } from '../../base/blank.ts';
import { diagnostic } from '../../base/diagnostics/index.ts';
import { equalJson } from '../../kube/objects.ts';
import { keyOf, refOf } from '../../kube/resources.ts';
import { createReconciler, type Reconciler } from '../../kube/store/reconciler.ts';
import type { Change } from '../../kube/store/store.ts';
import type { Node, Pod } from '../../kube/types/index.ts';
import type { PodRuntime, PodState } from '../runtime.ts';
import { createAwaited } from './awaited.ts';
import type { ControllerContext } from './context.ts';
import { controllerOf } from './indexes.ts';
import { type PodView, podStatus } from './pod-status.ts';
import { createNumbering6, createPool4 } from './pool.ts';
import { createRoomless } from './roomless.ts';

export interface KubeletOptions {
  /** What makes Pods answer. Without it they count as running at once. */
  runtime?: PodRuntime;
  /** Longest time in milliseconds that a deleted Pod stays to finish its work; its own grace period may be shorter. */
  terminationDelay: number;
}

/** How long in milliseconds, at least, a new Pod is given to answer before its first status says that it does not yet. */
const firstStatusDelay = 25;

/** Containers of a Pod that the runtime has been told of. */
interface Running {
  readonly pod: Pod;
  state: PodState | undefined;
}

const isJobPod = (pod: Pod) => controllerOf(pod)?.kind === 'Job';
const isOver = (pod: Pod) => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

/** Whether the runtime has to hear of a change: not of a status that the kubelet wrote itself. */
function differs(a: Pod, b: Pod): boolean {
  return (
    a.metadata.uid !== b.metadata.uid ||
    a.status?.podIP !== b.status?.podIP ||
    !equalJson(a.spec, b.spec) ||
    !equalJson(a.metadata.labels, b.metadata.labels) ||
    !equalJson(a.metadata.annotations, b.metadata.annotations)
  );
}

export function createKubelet(ctx: ControllerContext, options: KubeletOptions): Reconciler {
  const { runtime } = options;
  const addresses = createPool4(ctx.config.podPrefix);
  const numbering6 = createNumbering6(ctx.config.podPrefix6);
  const running = new Map<string, Running>();
  const roomless = createRoomless(ctx);
  const unaddressed = new Set<string>();
  /** By uid of the Pod. */
  const removals = new Map<string, NodeJS.Timeout>();
  /** Deleted Pods linger only where there is time, not while a cluster is being computed. */
  let live = false;
  let writing = false;
  const awaited = createAwaited(firstStatusDelay, (key) => reconciler.enqueue(key));

  runtime?.onState((key, state) => {
    const entry = running.get(key);
    if (!entry || state.type === 'stopped') return;
    entry.state = state;
    reconciler.enqueue(key);
  });

  function hostAddressOf(pod: Pod): string {
    const node = ctx.store.get<Node>('nodes', pod.spec.nodeName ?? ctx.config.nodeName);
    const internal = node?.status?.addresses?.find(({ type }) => type === 'InternalIP');
    return internal?.address ?? ctx.config.nodeAddress;
  }

  /** In order of names, so that Pods that hash to one address get theirs in the same order in every run. */
  function giveAddresses(): void {
    const keys = [...unaddressed].sort();
    unaddressed.clear();
    for (const key of keys) {
      const pod = ctx.store.get<Pod>('pods', key);
      if (!pod || pod.spec.hostNetwork) addresses.release(key);
      else reportAddress(pod, addresses.allocate(key));
    }
  }

  function reportAddress(pod: Pod, address: string | undefined): void {
    const message = 'has no address: the range is used up';
    ctx.findings.set('address', refOf(pod), address ? [] : [diagnostic('FW1511', { message, object: refOf(pod) })]);
  }

  function addressesOf(pod: Pod): string[] {
    if (pod.spec.hostNetwork) return [hostAddressOf(pod)];
    const address = addresses.itemOf(keyOf(pod));
    if (!address) return [];
    const [, , high, low] = address.split('.');
    return [address, numbering6(Number(high) * 256 + Number(low))];
  }

  function halt(key: string): void {
    awaited.forget(key);
    roomless.forget(key);
    if (!running.delete(key)) return;
    runtime?.remove(key);
  }

  /** Tells the runtime of a Pod that has its address, and what it said of it so far. */
  function run(pod: Pod): PodState | undefined {
    if (!runtime || isJobPod(pod)) return { type: 'running' };
    const key = keyOf(pod);
    const before = running.get(key);
    if (before && before.pod.metadata.uid !== pod.metadata.uid) halt(key);
    const present = running.get(key);
    if (!pod.status?.podIP || (present && !differs(present.pod, pod))) return present?.state;
    const entry: Running = { pod, state: present?.state };
    running.set(key, entry);
    runtime.ensure(pod);
    return entry.state;
  }

  /** Writes that call for no more work of the kubelet. */
  function quietly<T>(write: () => T): T {
    writing = true;
    try {
      return write();
    } finally {
      writing = false;
    }
  }

  /** What the runtime needs to know of a status. */
  function withAddresses(pod: Pod, addresses: readonly string[]): Pod {
    if (pod.status?.podIP || !runtime) return pod;
    const given = { podIP: addresses[0]!, podIPs: addresses.map((ip) => ({ ip })), hostIP: hostAddressOf(pod) };
    return addresses.length === 0 ? pod : { ...blank, ...pod, status: { ...blank, ...pod.status, ...given } };
  }

  function writeStatus(view: Omit<PodView, 'hostAddress' | 'now'>): void {
    const { pod } = view;
    const status = podStatus({ ...view, hostAddress: hostAddressOf(pod), now: ctx.now() });
    quietly(() => ctx.write.updateStatus<Pod>({ ...blank, ...pod, status }));
  }

  function reportState(pod: Pod, state: PodState | undefined): void {
    const isFailing = state?.type === 'failing';
    const wantsRoom = isFailing && state.cause === 'wants-room';
    roomless.note(pod, wantsRoom ? state.message : undefined);
    const found = isFailing && !wantsRoom ? [diagnostic('FW1513', { message: state.message, object: refOf(pod) })] : [];
    ctx.findings.set('runtime', refOf(pod), found);
  }

  /**
   * A Pod that is new to the runtime is given a moment to answer before its status is written: nearly all do, and a
   * thousand Pods that start together then cost one write each.
   */
  function isGivenTime(key: string, pod: Pod, state: PodState | undefined): boolean {
    if (!state && !pod.status?.podIP) return awaited.isAwaited(key);
    awaited.forget(key);
    return false;
  }

  function keepRunning(pod: Pod): void {
    const isJob = isJobPod(pod);
    const finished = isJob && pod.status?.phase === 'Running';
    if (isJob && !finished) reconciler.enqueue(keyOf(pod));
    const addresses = addressesOf(pod);
    const state = run(withAddresses(pod, addresses));
    reportState(pod, state);
    if (!isGivenTime(keyOf(pod), pod, state)) writeStatus({ pod, addresses, state, finished });
  }

  /** The scheduler's work first, where nobody has chosen a node. */
  function admit(pod: Pod): void {
    const spec = { ...blank, ...pod.spec, nodeName: ctx.config.nodeName };
    const bound = pod.spec.nodeName ? pod : quietly(() => ctx.write.update<Pod>({ ...pod, spec }));
    if (bound) keepRunning(bound);
  }

  function remove(pod: Pod): void {
    halt(keyOf(pod));
    ctx.write.remove('pods', pod, 0);
  }

  /** A deleted Pod still answers for a while, so that clients have time to hear of it. */
  function terminate(pod: Pod): void {
    const { uid } = pod.metadata;
    const grace = (pod.metadata.deletionGracePeriodSeconds ?? 0) * 1000;
    const delay = live && !isOver(pod) ? Math.min(grace, options.terminationDelay) : 0;
    if (delay === 0) {
      remove(pod);
      return;
    }
    if (removals.has(uid!)) return;
    const timer = setTimeout(() => {
      removals.delete(uid!);
      const present = ctx.store.get<Pod>('pods', keyOf(pod));
      if (present && present.metadata.uid === uid) remove(present);
    }, delay);
    removals.set(uid!, timer);
  }

  function reconcile(key: string): void {
    if (unaddressed.size > 0) giveAddresses();
    const pod = ctx.store.get<Pod>('pods', key);
    if (pod?.metadata.deletionTimestamp) terminate(pod);
    else if (!pod || isOver(pod)) halt(key);
    else admit(pod);
  }

  function note(change: Change): string[] {
    if (writing) return [];
    const key = keyOf(change.object);
    if (change.type !== 'MODIFIED') unaddressed.add(key);
    return [key];
  }

  const reconciler = createReconciler({ store: ctx.store, watch: { pods: note }, reconcile, onError: ctx.onError });
  return {
    ...reconciler,
    start() {
      live = true;
      reconciler.start();
    },
    stop() {
      live = false;
      for (const timer of removals.values()) clearTimeout(timer);
      removals.clear();
      awaited.close();
      reconciler.stop();
    },
  };
}
