/**
 * Deployments: one ReplicaSet per version of the Pod template. A new version comes up beside the old one, and the old
 * one goes as the new Pods become available, so that a change never takes a Service down.
 */
import { blank } from '../../base/blank.ts';
import { createReconciler, type Reconciler } from '../../kube/store/reconciler.ts';
import type { Deployment, ReplicaSet } from '../../kube/types/index.ts';
import type { ControllerContext } from './context.ts';
import { deploymentStatus } from './deployment-status.ts';
import { compareText, replicaSetsResource } from './indexes.ts';
import { templateHashOf } from './naming.ts';
import { createOwnership } from './ownership.ts';
import { canMakePods, claim, controllerReference } from './workload-pods.ts';

const hashLabel = 'pod-template-hash';
const revisionAnnotation = 'deployment.kubernetes.io/revision';
const causeAnnotation = 'kubernetes.io/change-cause';

const revisionOf = (set: ReplicaSet) => Number(set.metadata.annotations?.[revisionAnnotation] ?? 0) || 0;
const replicasOf = (set: ReplicaSet) => set.spec.replicas ?? 1;
const total = (sets: readonly ReplicaSet[]) => sets.reduce((sum, set) => sum + replicasOf(set), 0);

function isRecreate(deployment: Deployment): boolean {
  return (deployment.spec.strategy as { type?: string } | undefined)?.type === 'Recreate';
}

/** The ReplicaSet of the template as it is now; its Pods carry the hash, so that versions are told apart. */
function newReplicaSet(deployment: Deployment, revision: string): ReplicaSet {
  const { selector, template, minReadySeconds } = deployment.spec;
  const cause = deployment.metadata.annotations?.[causeAnnotation];
  const hash = templateHashOf(deployment);
  const labels = { ...blank, ...template.metadata?.labels, [hashLabel]: hash };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      namespace: deployment.metadata.namespace!,
      labels,
      annotations: { [revisionAnnotation]: revision, ...(cause && { [causeAnnotation]: cause }) },
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas: deployment.spec.replicas ?? 1,
      ...(minReadySeconds !== undefined && { minReadySeconds }),
      selector: { ...blank, ...selector, matchLabels: { ...blank, ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...blank, ...template, metadata: { ...blank, ...template.metadata, labels } },
    },
  };
}

export function createDeploymentController(ctx: ControllerContext): Reconciler {
  const ownership = createOwnership('Deployment', (owner) => (owner as Deployment).spec.selector);

  function scale(set: ReplicaSet, replicas: number): ReplicaSet {
    if (replicasOf(set) === replicas) return set;
    return ctx.write.update<ReplicaSet>({ ...set, spec: { ...set.spec, replicas } }) ?? set;
  }

  /** Lowers ReplicaSets, oldest first, until they ask for no more than `allowed` Pods together. */
  function shrinkTo(sets: readonly ReplicaSet[], allowed: number): ReplicaSet[] {
    let excess = total(sets) - allowed;
    return sets.map((set) => {
      const cut = Math.min(Math.max(0, excess), replicasOf(set));
      excess -= cut;
      return scale(set, replicasOf(set) - cut);
    });
  }

  /** The newest version has the highest revision, also after a rollback to an old template. */
  function nextRevision(others: readonly ReplicaSet[]): string {
    return String(Math.max(0, ...others.map(revisionOf)) + 1);
  }

  function number(set: ReplicaSet, others: readonly ReplicaSet[]): ReplicaSet {
    const revision = nextRevision(others);
    if (revisionOf(set) >= Number(revision)) return set;
    const annotations = { ...blank, ...set.metadata.annotations, [revisionAnnotation]: revision };
    return ctx.write.update<ReplicaSet>({ ...set, metadata: { ...set.metadata, annotations } }) ?? set;
  }

  function roll(deployment: Deployment, found: ReplicaSet | undefined, old: readonly ReplicaSet[]) {
    const wanted = deployment.spec.replicas ?? 1;
    const gone = old.every((set) => replicasOf(set) === 0 && (set.status?.replicas ?? 0) === 0);
    if (isRecreate(deployment) && !gone) return { current: found && scale(found, 0), old: shrinkTo(old, 0) };
    const present = found ?? ctx.write.create(newReplicaSet(deployment, nextRevision(old)), deployment);
    if (!present) return { current: undefined, old };
    const current = scale(number(present, old), wanted);
    return { current, old: shrinkTo(old, Math.max(0, wanted - (current.status?.availableReplicas ?? 0))) };
  }

  /** A paused Deployment makes no new version; a change of `replicas` goes to the newest one there is. */
  function holdStill(deployment: Deployment, found: ReplicaSet | undefined, old: readonly ReplicaSet[]) {
    const newest = found ?? old.at(-1);
    if (!newest) return { current: undefined, old };
    const others = old.filter((set) => set !== newest);
    const scaled = scale(newest, Math.max(0, (deployment.spec.replicas ?? 1) - total(others)));
    return found ? { current: scaled, old } : { current: undefined, old: [...others, scaled] };
  }

  function forgetHistory(deployment: Deployment, old: readonly ReplicaSet[]): void {
    const limit = (deployment.spec.revisionHistoryLimit as number | undefined) ?? 10;
    const idle = old.filter((set) => replicasOf(set) === 0 && (set.status?.replicas ?? 0) === 0);
    for (const set of idle.slice(0, Math.max(0, idle.length - limit))) ctx.write.remove(replicaSetsResource, set);
  }

  function showRevision(deployment: Deployment, current: ReplicaSet | undefined): Deployment {
    const revision = current?.metadata.annotations?.[revisionAnnotation];
    const { annotations } = deployment.metadata;
    if (!revision || annotations?.[revisionAnnotation] === revision) return deployment;
    const shown = { ...blank, ...annotations, [revisionAnnotation]: revision };
    const metadata = { ...blank, ...deployment.metadata, annotations: shown };
    // What stands there already was judged when it was written.
    return ctx.store.put('deployments.apps', { ...deployment, metadata });
  }

  function reconcile(key: string): void {
    const deployment = ctx.store.get<Deployment>('deployments.apps', key);
    if (!deployment || deployment.metadata.deletionTimestamp) return;
    const { selector, template, paused } = deployment.spec;
    if (!canMakePods(ctx, deployment, selector, template)) return;
    const sets = claim<ReplicaSet>(ctx, replicaSetsResource, deployment, selector)
      .filter((set) => !set.metadata.deletionTimestamp)
      .sort((a, b) => revisionOf(a) - revisionOf(b) || compareText(a.metadata.name, b.metadata.name));
    const hash = templateHashOf(deployment);
    const found = sets.find((set) => set.metadata.labels?.[hashLabel] === hash);
    const rest = sets.filter((set) => set !== found);
    const { current, old } = (paused ? holdStill : roll)(deployment, found, rest);
    forgetHistory(deployment, old);
    const shown = showRevision(deployment, current);
    // A ReplicaSet that is just made says nothing yet; it will be back with a status.
    if (current && current.status?.observedGeneration === undefined) return;
    const view = { deployment: shown, current, sets: [...old, ...(current ? [current] : [])] };
    const status = deploymentStatus({ ...view, now: ctx.now() });
    ctx.write.updateStatus<Deployment>({ ...blank, ...shown, status: { ...blank, ...shown.status, ...status } });
  }

  return createReconciler({
    store: ctx.store,
    watch: { 'deployments.apps': ownership.owners, [replicaSetsResource]: ownership.owned },
    reconcile,
    ignoreOwnWrites: true,
    onError: ctx.onError,
  });
}
