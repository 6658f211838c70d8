/** Status of a Deployment, from the ReplicaSets it controls: what `kubectl rollout status` and `kubectl wait` read. */
import { blank } from '../../base/blank.ts';
import type { Deployment, ReplicaSet } from '../../kube/types/index.ts';

interface DeploymentCondition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  lastUpdateTime: string;
  lastTransitionTime: string;
}

interface RollingUpdate {
  maxUnavailable?: number | string;
}

export interface RolloutView {
  readonly deployment: Deployment;
  readonly current: ReplicaSet | undefined;
  readonly sets: readonly ReplicaSet[];
  /** RFC 3339. */
  readonly now: string;
}

const sum = (sets: readonly ReplicaSet[], field: 'replicas' | 'readyReplicas' | 'availableReplicas') =>
  sets.reduce((total, set) => total + (set.status?.[field] ?? 0), 0);

/** How many Pods may be missing for the Deployment to count as available; percentages are rounded down. */
function toleratedAbsence(deployment: Deployment, wanted: number): number {
  const strategy = deployment.spec.strategy as { type?: string; rollingUpdate?: RollingUpdate } | undefined;
  if (strategy?.type === 'Recreate') return 0;
  const limit = strategy?.rollingUpdate?.maxUnavailable ?? '25%';
  if (typeof limit === 'number') return limit;
  return Math.floor((wanted * Number.parseInt(limit, 10)) / 100) || 0;
}

function available(view: RolloutView, wanted: number, count: number): Omit<DeploymentCondition, Times> {
  return count >= wanted - toleratedAbsence(view.deployment, wanted)
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
}

type Times = 'lastUpdateTime' | 'lastTransitionTime';

function progressing(view: RolloutView, complete: boolean): Omit<DeploymentCondition, Times> {
  const type = 'Progressing';
  const name = view.current?.metadata.name;
  if (view.deployment.spec.paused && !complete)
    return { type, status: 'Unknown', reason: 'DeploymentPaused', message: 'Deployment is paused' };
  if (!name) return { type, status: 'True', reason: 'ReplicaSetUpdated', message: 'Deployment is progressing.' };
  return complete
    ? {
        type,
        status: 'True',
        reason: 'NewReplicaSetAvailable',
        message: `ReplicaSet "${name}" has successfully progressed.`,
      }
    : { type, status: 'True', reason: 'ReplicaSetUpdated', message: `ReplicaSet "${name}" is progressing.` };
}

/** A condition keeps its times while it says the same. */
function timed(
  condition: Omit<DeploymentCondition, Times>,
  before: readonly DeploymentCondition[],
  now: string,
): DeploymentCondition {
  const old = before.find(({ type }) => type === condition.type);
  const unchanged = old?.status === condition.status && old.reason === condition.reason;
  return {
    ...blank,
    ...condition,
    lastUpdateTime: unchanged && old.message === condition.message ? old.lastUpdateTime : now,
    lastTransitionTime: old?.status === condition.status ? old.lastTransitionTime : now,
  };
}

export function deploymentStatus(view: RolloutView): NonNullable<Deployment['status']> {
  const { deployment, current, sets, now } = view;
  const wanted = deployment.spec.replicas ?? 1;
  const replicas = sum(sets, 'replicas');
  const availableReplicas = sum(sets, 'availableReplicas');
  const updatedReplicas = current?.status?.replicas ?? 0;
  const complete =
    updatedReplicas === wanted && replicas === wanted && availableReplicas >= wanted && current !== undefined;
  const before = (deployment.status?.conditions ?? []) as DeploymentCondition[];
  return {
    observedGeneration: deployment.metadata.generation,
    replicas,
    updatedReplicas,
    readyReplicas: sum(sets, 'readyReplicas'),
    availableReplicas,
    unavailableReplicas: Math.max(0, wanted - availableReplicas),
    conditions: [available(view, wanted, availableReplicas), progressing(view, complete)].map((condition) =>
      timed(condition, before, now),
    ),
  };
}
