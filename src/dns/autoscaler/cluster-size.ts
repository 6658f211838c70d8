/** How large a cluster is: Nodes and their allocatable cores, all of them and those that take Pods. */
import type { KubeObject } from '../../kube/types/index.ts';
import { parseCpu, wholeCores } from './cpu.ts';

export interface ClusterSize {
  readonly totalNodes: number;
  readonly schedulableNodes: number;
  /** Rounded up. */
  readonly totalCores: number;
  readonly schedulableCores: number;
}

/** What is kept of a Node. */
export interface SlimNode extends KubeObject {
  readonly spec?: { readonly unschedulable?: boolean };
  readonly status?: {
    readonly allocatable?: { readonly cpu?: string };
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** The fields of a Node that are counted; anything else may change without being noticed. */
export function slimNode(object: KubeObject): SlimNode {
  const { apiVersion, kind, metadata, spec, status } = object as SlimNode;
  const { name, uid, resourceVersion } = metadata;
  const cpu = status?.allocatable?.cpu;
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return {
    ...{ apiVersion, kind, metadata: { name, ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) } },
    ...(spec?.unschedulable && { spec: { unschedulable: true } }),
    status: {
      ...(cpu !== undefined && { allocatable: { cpu: String(cpu) } }),
      ...(ready && { conditions: [{ type: ready.type, status: ready.status }] }),
    },
  };
}

/** Not cordoned, and Ready. */
function isSchedulable({ spec, status }: SlimNode): boolean {
  const ready = status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True');
  return !spec?.unschedulable && ready === true;
}

/** Counts Nodes; one whose cpu is no quantity counts as a Node without cores. */
export function sizeOf(nodes: readonly SlimNode[]): ClusterSize {
  let total = 0n;
  let schedulable = 0n;
  let schedulableNodes = 0;
  for (const node of nodes) {
    const cpu = parseCpu(node.status?.allocatable?.cpu ?? '0') ?? 0n;
    total += cpu;
    if (!isSchedulable(node)) continue;
    schedulableNodes++;
    schedulable += cpu;
  }
  return {
    ...{ totalNodes: nodes.length, schedulableNodes },
    ...{ totalCores: wholeCores(total), schedulableCores: wholeCores(schedulable) },
  };
}
