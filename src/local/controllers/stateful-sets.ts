/** StatefulSets: Pods with names that stay, made in order and replaced from the last one down. */
import { keyOf } from '../../kube/resources.ts';
import { createReconciler, type Reconciler } from '../../kube/store/reconciler.ts';
import type { Pod, StatefulSet } from '../../kube/types/index.ts';
import type { ControllerContext } from './context.ts';
import { templateHashOf } from './naming.ts';
import { createOwnership } from './ownership.ts';
import { createPod, forgetPodLimit } from './pod-limit.ts';
import { canMakePods, claim, isActive, isReady, podFrom } from './workload-pods.ts';

const resource = 'statefulsets.apps';
const revisionLabel = 'controller-revision-hash';
const indexLabel = 'apps.kubernetes.io/pod-index';

interface UpdateStrategy {
  type?: string;
  rollingUpdate?: { partition?: number };
}

const revisionOf = (set: StatefulSet) => `${set.metadata.name}-${templateHashOf(set)}`;
const isCurrent = (pod: Pod, revision: string) => pod.metadata.labels?.[revisionLabel] === revision;

/** Pods below this ordinal keep the template they were made from. */
function firstReplaceable(set: StatefulSet): number {
  const strategy = (set.spec.updateStrategy ?? {}) as UpdateStrategy;
  return strategy.type === 'OnDelete' ? Number.POSITIVE_INFINITY : (strategy.rollingUpdate?.partition ?? 0);
}

/** The ordinal in a Pod's name, if it is one that the set would give. */
function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const prefix = `${set.metadata.name}-`;
  const digits = pod.metadata.name.slice(prefix.length);
  return pod.metadata.name.startsWith(prefix) && /^(0|[1-9]\d*)$/.test(digits) ? Number(digits) : undefined;
}

export function createStatefulSetController(ctx: ControllerContext): Reconciler {
  const ownership = createOwnership('StatefulSet', (owner) => (owner as StatefulSet).spec.selector);

  function make(set: StatefulSet, ordinal: number): Pod | undefined {
    const name = `${set.metadata.name}-${ordinal}`;
    // The Pod of a set deleted a moment ago may still hold the name; its going brings us back here.
    if (ctx.store.get('pods', `${set.metadata.namespace}/${name}`)) return undefined;
    const pod = podFrom(set, set.spec.template, {
      name,
      nodeName: ctx.config.nodeName,
      labels: {
        [revisionLabel]: revisionOf(set),
        'statefulset.kubernetes.io/pod-name': name,
        [indexLabel]: String(ordinal),
      },
      spec: { hostname: name, ...(set.spec.serviceName && { subdomain: set.spec.serviceName }) },
    });
    return createPod(ctx, set, pod, () => reconciler.enqueue(keyOf(set)));
  }

  /** Makes missing Pods, lowest ordinal first; unless told to go in parallel, each waits for the one before it. */
  function fill(set: StatefulSet, pods: ReadonlyMap<number, Pod>, ordinals: readonly number[]): boolean {
    const parallel = set.spec.podManagementPolicy === 'Parallel';
    for (const ordinal of ordinals) {
      const pod = pods.get(ordinal);
      if (!pod && !make(set, ordinal)) return false;
      if (!parallel && !(pod && isActive(pod) && isReady(pod))) return false;
    }
    return true;
  }

  function shrink(set: StatefulSet, pods: ReadonlyMap<number, Pod>, ordinals: ReadonlySet<number>): boolean {
    const excess = [...pods.entries()].filter(([ordinal]) => !ordinals.has(ordinal)).sort(([a], [b]) => b - a);
    const parallel = set.spec.podManagementPolicy === 'Parallel';
    for (const [, pod] of parallel ? excess : excess.slice(0, 1))
      if (!pod.metadata.deletionTimestamp) ctx.write.remove('pods', pod);
    return excess.length === 0;
  }

  /** Pods of an old template that never became ready go at once: waiting for them would make a mended set wait for ever. */
  function removeBroken(set: StatefulSet, pods: ReadonlyMap<number, Pod>): void {
    for (const [ordinal, pod] of pods)
      if (ordinal >= firstReplaceable(set) && isActive(pod) && !isReady(pod) && !isCurrent(pod, revisionOf(set)))
        ctx.write.remove('pods', pod);
  }

  /** Replaces one Pod of an old template, the last first. */
  function replaceOne(set: StatefulSet, pods: ReadonlyMap<number, Pod>, ordinals: readonly number[]): void {
    const revision = revisionOf(set);
    for (const ordinal of [...ordinals].reverse()) {
      if (ordinal < firstReplaceable(set)) return;
      const pod = pods.get(ordinal);
      if (!pod || !isActive(pod)) return;
      if (!isCurrent(pod, revision)) ctx.write.remove('pods', pod);
      if (!isCurrent(pod, revision) || !isReady(pod)) return;
    }
  }

  function writeStatus(key: string): void {
    const set = ctx.store.get<StatefulSet>(resource, key);
    if (!set) return;
    const pods = claim<Pod>(ctx, 'pods', set, set.spec.selector).filter(isActive);
    const revision = revisionOf(set);
    const updated = pods.filter((pod) => isCurrent(pod, revision)).length;
    const ready = pods.filter(isReady).length;
    const done = updated === pods.length && pods.length === (set.spec.replicas ?? 1);
    const current = done ? revision : ((set.status?.currentRevision as string | undefined) ?? revision);
    ctx.write.updateStatus<StatefulSet>({
      ...set,
      status: {
        ...set.status,
        observedGeneration: set.metadata.generation,
        replicas: pods.length,
        readyReplicas: ready,
        availableReplicas: ready,
        updatedReplicas: updated,
        currentReplicas: pods.filter((pod) => isCurrent(pod, current)).length,
        currentRevision: current,
        updateRevision: revision,
        collisionCount: 0,
      },
    });
  }

  function reconcile(key: string): void {
    const set = ctx.store.get<StatefulSet>(resource, key);
    if (!set || set.metadata.deletionTimestamp) return;
    if (!canMakePods(ctx, set, set.spec.selector, set.spec.template)) return;
    const pods = new Map<number, Pod>();
    for (const pod of claim<Pod>(ctx, 'pods', set, set.spec.selector)) {
      const ordinal = ordinalOf(set, pod);
      if (ordinal === undefined) continue;
      pods.set(ordinal, pod);
      // A finished Pod makes room for one of the same name.
      if (!isActive(pod) && !pod.metadata.deletionTimestamp) ctx.write.remove('pods', pod, 0);
    }
    removeBroken(set, pods);
    const start = set.spec.ordinals?.start ?? 0;
    // No more than may exist: the limit ends the loop over them, not the wish.
    const count = Math.min(set.spec.replicas ?? 1, ctx.podLimit.max + 1);
    const ordinals = Array.from({ length: count }, (_, index) => start + index);
    if (ordinals.every((ordinal) => pods.has(ordinal))) forgetPodLimit(ctx, set);
    if (fill(set, pods, ordinals) && shrink(set, pods, new Set(ordinals))) replaceOne(set, pods, ordinals);
    writeStatus(key);
  }

  const reconciler = createReconciler({
    store: ctx.store,
    watch: { [resource]: ownership.owners, pods: ownership.owned },
    reconcile,
    onError: ctx.onError,
  });
  return reconciler;
}
