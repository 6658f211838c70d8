/** DaemonSets: one Pod on each Node. Node selectors and taints do not count: everything runs on this machine. */
import { keyOf } from '../../kube/resources.ts';
import { createReconciler, type Reconciler } from '../../kube/store/reconciler.ts';
import type { Change } from '../../kube/store/store.ts';
import type { DaemonSet, Pod } from '../../kube/types/index.ts';
import type { ControllerContext } from './context.ts';
import { compareText } from './indexes.ts';
import { generatedName, generatedPrefix, templateHashOf } from './naming.ts';
import { createOwnership } from './ownership.ts';
import { createPod, forgetPodLimit } from './pod-limit.ts';
import { canMakePods, claim, isActive, isReady, podFrom } from './workload-pods.ts';

const resource = 'daemonsets.apps';
const revisionLabel = 'controller-revision-hash';

export function createDaemonSetController(ctx: ControllerContext): Reconciler {
  const ownership = createOwnership('DaemonSet', (owner) => (owner as DaemonSet).spec.selector);

  const nodeNames = () =>
    ctx.store
      .list('nodes')
      .map((node) => node.metadata.name)
      .sort(compareText);

  function freeName(set: DaemonSet, node: string): string {
    for (let attempt = 0; ; attempt++) {
      const seed = `${set.metadata.namespace}/${set.metadata.name}/${node}/${attempt}`;
      const name = generatedName(set.metadata.name, seed);
      if (!ctx.store.get('pods', `${set.metadata.namespace}/${name}`)) return name;
    }
  }

  function make(set: DaemonSet, node: string): void {
    const pod = podFrom(set, set.spec.template, {
      name: freeName(set, node),
      generateName: generatedPrefix(set.metadata.name),
      nodeName: node,
      labels: {
        [revisionLabel]: templateHashOf(set),
        'pod-template-generation': String(set.metadata.generation ?? 1),
      },
    });
    createPod(ctx, set, { ...pod, spec: { ...pod.spec, nodeName: node } }, () => reconciler.enqueue(keyOf(set)));
  }

  const isUpdated = (set: DaemonSet, pod: Pod) => pod.metadata.labels?.[revisionLabel] === templateHashOf(set);
  const strategyOf = (set: DaemonSet) => (set.spec.updateStrategy as { type?: string } | undefined)?.type;

  /** Old Pods go one after the other; those that are not ready anyway all at once. */
  function replace(set: DaemonSet, pods: readonly Pod[]): void {
    if (strategyOf(set) === 'OnDelete') return;
    const old = pods.filter((pod) => !isUpdated(set, pod));
    const broken = old.filter((pod) => !isReady(pod));
    const next = pods.every(isReady) ? old.slice(0, 1) : [];
    for (const pod of [...broken, ...next]) ctx.write.remove('pods', pod);
  }

  function writeStatus(key: string, nodes: readonly string[]): void {
    const set = ctx.store.get<DaemonSet>(resource, key);
    if (!set) return;
    const pods = claim<Pod>(ctx, 'pods', set, set.spec.selector).filter(isActive);
    const ready = pods.filter(isReady).length;
    const status = {
      ...set.status,
      observedGeneration: set.metadata.generation,
      desiredNumberScheduled: nodes.length,
      currentNumberScheduled: pods.length,
      updatedNumberScheduled: pods.filter((pod) => isUpdated(set, pod)).length,
      numberReady: ready,
      numberAvailable: ready,
      numberUnavailable: Math.max(0, nodes.length - ready),
      numberMisscheduled: 0,
    };
    ctx.write.updateStatus<DaemonSet>({ ...set, status });
  }

  function reconcile(key: string): void {
    const set = ctx.store.get<DaemonSet>(resource, key);
    if (!set || set.metadata.deletionTimestamp) return;
    if (!canMakePods(ctx, set, set.spec.selector, set.spec.template)) return;
    const nodes = nodeNames();
    const active = claim<Pod>(ctx, 'pods', set, set.spec.selector).filter(isActive);
    const byNode = new Map(active.map((pod) => [pod.spec.nodeName, pod]));
    for (const pod of active)
      if (byNode.get(pod.spec.nodeName) !== pod || !nodes.includes(pod.spec.nodeName ?? ''))
        ctx.write.remove('pods', pod);
    const missing = nodes.filter((node) => !byNode.has(node));
    for (const node of missing) make(set, node);
    if (missing.length === 0) forgetPodLimit(ctx, set);
    if (missing.length === 0) replace(set, [...byNode.values()]);
    writeStatus(key, nodes);
  }

  const isNewsToAll = (change: Change) => change.type !== 'MODIFIED';
  const reconciler = createReconciler({
    store: ctx.store,
    watch: {
      [resource]: ownership.owners,
      pods: ownership.owned,
      nodes: (change) => (isNewsToAll(change) ? ctx.store.list(resource).map(keyOf) : []),
    },
    reconcile,
    onError: ctx.onError,
  });
  return reconciler;
}
