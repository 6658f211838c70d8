/** multicluster.x-k8s.io, the Multi-Cluster Services API (KEP-1645); v1alpha1 and v1beta1 are the same here. */
import type { ServicePort } from './core.ts';
import type { KubeObject } from './meta.ts';

export interface ServiceImport extends KubeObject {
  kind: 'ServiceImport';
  spec?: {
    type?: 'ClusterSetIP' | 'Headless';
    /** Addresses of the clusterset; at most one of each family. */
    ips?: string[];
    ports?: Pick<ServicePort, 'name' | 'protocol' | 'appProtocol' | 'port'>[];
  };
  status?: { clusters?: { cluster: string }[]; conditions?: unknown[] };
}

/** Label of an EndpointSlice that names its ServiceImport (same namespace). */
export const importNameLabel = 'multicluster.kubernetes.io/service-name';
/** Label of an imported EndpointSlice that names the cluster it comes from. */
export const sourceClusterLabel = 'multicluster.kubernetes.io/source-cluster';
