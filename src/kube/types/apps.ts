/** apps/v1 workloads. */
import type { PodTemplateSpec } from './core.ts';
import type { KubeObject, LabelSelector } from './meta.ts';

interface WorkloadStatus {
  observedGeneration?: number;
  replicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  updatedReplicas?: number;
  currentReplicas?: number;
  [field: string]: unknown;
}

export interface Deployment extends KubeObject {
  kind: 'Deployment';
  spec: { replicas?: number; selector: LabelSelector; template: PodTemplateSpec; [field: string]: unknown };
  status?: WorkloadStatus;
}

export interface ReplicaSet extends KubeObject {
  kind: 'ReplicaSet';
  spec: { replicas?: number; selector: LabelSelector; template?: PodTemplateSpec; [field: string]: unknown };
  status?: WorkloadStatus;
}

export interface StatefulSet extends KubeObject {
  kind: 'StatefulSet';
  spec: {
    replicas?: number;
    serviceName?: string;
    selector: LabelSelector;
    template: PodTemplateSpec;
    ordinals?: { start?: number };
    [field: string]: unknown;
  };
  status?: WorkloadStatus;
}

export interface DaemonSet extends KubeObject {
  kind: 'DaemonSet';
  spec: { selector: LabelSelector; template: PodTemplateSpec; [field: string]: unknown };
  status?: WorkloadStatus;
}
