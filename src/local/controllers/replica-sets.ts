/** ReplicaSets and ReplicationControllers: as many Pods as asked for. */
import { blank } from '../../base/blank.ts';
import { keyOf } from '../../kube/resources.ts';
import { createReconciler, type Reconciler } from '../../kube/store/reconciler.ts';
import type { LabelSelector, Pod, ReplicaSet } from '../../kube/types/index.ts';
import type { ControllerContext } from './context.ts';
import { compareText, replicaSetsResource } from './indexes.ts';
import { generatedName, generatedPrefix } from './naming.ts';
import { createOwnership } from './ownership.ts';
import { createPod, forgetPodLimit } from './pod-limit.ts';
import { canMakePods, claim, isActive, isReady, isTakenUp, podFrom } from './workload-pods.ts';

/** How one of the two kinds differs from the other. */
export interface ReplicaKind {
  readonly kind: 'ReplicaSet' | 'ReplicationController';
  readonly resource: string;
  readonly selectorOf: (set: ReplicaSet) => LabelSelector | undefined;
}

export const replicaSetKind: ReplicaKind = {
  kind: 'ReplicaSet',
  resource: replicaSetsResource,
  selectorOf: (set) => set.spec.selector,
};

/** The selector of a ReplicationController is a plain map, by default the labels of its template. */
export const replicationControllerKind: ReplicaKind = {
  kind: 'ReplicationController',
  resource: 'replicationcontrollers',
  selectorOf(set) {
    const pairs = (set.spec.selector ?? set.spec.template?.metadata?.labels) as Record<string, string> | undefined;
    return pairs && { matchLabels: pairs };
  },
};

/** The order in which Pods were made, which decides their names and which ones go first. */
interface Births {
  readonly uid: string | undefined;
  readonly ordinals: Map<string, number>;
  next: number;
}

export function createReplicaController(ctx: ControllerContext, traits: ReplicaKind): Reconciler {
  const births = new Map<string, Births>();
  const ownership = createOwnership(traits.kind, (set) => traits.selectorOf(set as ReplicaSet));

  function birthsOf(set: ReplicaSet): Births {
    const known = births.get(keyOf(set));
    if (known && known.uid === set.metadata.uid) return known;
    const fresh: Births = { uid: set.metadata.uid, ordinals: new Map(), next: 0 };
    births.set(keyOf(set), fresh);
    return fresh;
  }

  /** A name from the set's name and the Pod's ordinal; names in use are passed over, those of Pods gone never return. */
  function nextName(set: ReplicaSet, born: Births): string {
    for (;;) {
      const ordinal = born.next++;
      const name = generatedName(set.metadata.name, `${set.metadata.namespace}/${set.metadata.name}/${ordinal}`);
      if (ctx.store.get('pods', `${set.metadata.namespace}/${name}`)) continue;
      born.ordinals.set(name, ordinal);
      return name;
    }
  }

  /** True when it made any. */
  function grow(set: ReplicaSet, count: number): boolean {
    const born = birthsOf(set);
    for (let made = 0; made < count; made++) {
      const name = nextName(set, born);
      const generateName = generatedPrefix(set.metadata.name);
      const pod = podFrom(set, set.spec.template!, { name, generateName, nodeName: ctx.config.nodeName });
      if (createPod(ctx, set, pod, () => reconciler.enqueue(keyOf(set)))) continue;
      born.next--;
      return made > 0;
    }
    return count > 0;
  }

  /** Lets go of the Pods above a number: those that are not ready first, then the newest. True when there were any. */
  function shrink(set: ReplicaSet, pods: readonly Pod[], wanted: number): boolean {
    if (pods.length <= wanted) return false;
    const { ordinals } = birthsOf(set);
    const age = (pod: Pod) => ordinals.get(pod.metadata.name) ?? -1;
    const order = [...pods].sort(
      (a, b) =>
        Number(isReady(a)) - Number(isReady(b)) ||
        age(b) - age(a) ||
        compareText(b.metadata.creationTimestamp ?? '', a.metadata.creationTimestamp ?? '') ||
        compareText(b.metadata.name, a.metadata.name),
    );
    for (const pod of order.slice(0, pods.length - wanted)) ctx.write.remove('pods', pod);
    return true;
  }

  function writeStatus(set: ReplicaSet, pods: readonly Pod[]): void {
    const isNew = set.status?.observedGeneration === undefined;
    if (isNew && !pods.every(isTakenUp)) return;
    const ready = pods.filter(isReady).length;
    const status = {
      ...blank,
      ...set.status,
      replicas: pods.length,
      fullyLabeledReplicas: pods.length,
      readyReplicas: ready,
      availableReplicas: ready,
      observedGeneration: set.metadata.generation,
    };
    ctx.write.updateStatus<ReplicaSet>({ ...blank, ...set, status });
  }

  function forgetDead(set: ReplicaSet): void {
    const { ordinals } = birthsOf(set);
    for (const name of ordinals.keys())
      if (!ctx.store.get('pods', `${set.metadata.namespace}/${name}`)) ordinals.delete(name);
  }

  function reconcile(key: string): void {
    const set = ctx.store.get<ReplicaSet>(traits.resource, key);
    if (!set) {
      births.delete(key);
      return;
    }
    const selector = traits.selectorOf(set);
    const fits = canMakePods(ctx, set, selector, set.spec.template);
    if (!fits || set.metadata.deletionTimestamp) return;
    forgetDead(set);
    const claimed = () => claim<Pod>(ctx, 'pods', set, selector!).filter(isActive);
    const active = claimed();
    const wanted = set.spec.replicas ?? 1;
    const changed = active.length < wanted ? grow(set, wanted - active.length) : shrink(set, active, wanted);
    if (active.length >= wanted) forgetPodLimit(ctx, set);
    writeStatus(set, changed ? claimed() : active);
  }

  const reconciler = createReconciler({
    store: ctx.store,
    watch: { [traits.resource]: ownership.owners, pods: ownership.owned },
    reconcile,
    ignoreOwnWrites: true,
    onError: ctx.onError,
  });
  return reconciler;
}
