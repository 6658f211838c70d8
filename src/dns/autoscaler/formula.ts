/** How many replicas a cluster of some size needs: the arithmetic of cluster-proportional-autoscaler, in its order. */
import type { ClusterSize } from './cluster-size.ts';
import type { LadderParams, LinearParams, ScalingParams, Step } from './params.ts';

type Resources = { readonly nodes: number; readonly cores: number };

function counted(size: ClusterSize, all: boolean): Resources {
  return all
    ? { nodes: size.totalNodes, cores: size.totalCores }
    : { nodes: size.schedulableNodes, cores: size.schedulableCores };
}

/** One resource's share, within bounds: max first, min last. A resource that does not count asks for one replica. */
function share(amount: number, perReplica: number, { min, max }: LinearParams): number {
  if (perReplica === 0) return 1;
  const wanted = Math.ceil(amount / perReplica);
  return Math.max(min, max === 0 ? wanted : Math.min(max, wanted));
}

/** The second replica against a single point of failure comes after the bounds, and may exceed them. */
function linear(params: LinearParams, { nodes, cores }: Resources): number {
  const fromCores = share(cores, params.coresPerReplica, params);
  const fromNodes = share(nodes, params.nodesPerReplica, params);
  const several = params.preventSinglePointFailure && nodes > 1;
  return Math.max(fromCores, several ? Math.max(2, fromNodes) : fromNodes);
}

/** The last step at or below the amount; the first one when all are above; 0 without steps. */
function stepOf(amount: number, steps: readonly Step[]): number {
  const above = steps.findIndex(([threshold]) => amount < threshold);
  const at = above < 0 ? steps.length - 1 : Math.max(0, above - 1);
  return steps[at]?.[1] ?? 0;
}

function ladder({ coresToReplicas, nodesToReplicas }: LadderParams, { nodes, cores }: Resources): number {
  return Math.max(stepOf(cores, coresToReplicas), stepOf(nodes, nodesToReplicas));
}

const largest = 2 ** 31 - 1;

/** Replicas, a whole number that fits an API's int32. */
export function replicasFor(params: ScalingParams, size: ClusterSize): number {
  const resources = counted(size, params.includeUnschedulableNodes);
  return Math.min(largest, params.mode === 'linear' ? linear(params, resources) : ladder(params, resources));
}
