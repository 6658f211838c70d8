/** The built-in kinds that have rules of their own, by resource name. All others get the checks of metadata only. */
import type { ResourceName } from '../../resources.ts';
import { checkPathSegment } from '../names.ts';
import { cronJob, job } from './batch.ts';
import { lease, namespace, node } from './cluster.ts';
import { configMap, secret } from './config.ts';
import { endpointSlice, endpoints } from './endpoints.ts';
import { ingress, ingressClass } from './ingress.ts';
import { type CoreKind, object } from './kind.ts';
import { serviceImport } from './multicluster.ts';
import { pod } from './pod.ts';
import { service } from './service.ts';
import { daemonSet, deployment, replicaSet, statefulSet } from './workloads.ts';

/** RBAC names are free but for what a URL path needs: `system:node`. */
const rbac: CoreKind = { shape: object(), checkName: checkPathSegment };

const other: CoreKind = { shape: object() };

const kinds: Record<ResourceName, CoreKind> = {
  namespaces: namespace,
  nodes: node,
  pods: pod,
  services: service,
  endpoints,
  configmaps: configMap,
  secrets: secret,
  'deployments.apps': deployment,
  'replicasets.apps': replicaSet,
  'statefulsets.apps': statefulSet,
  'daemonsets.apps': daemonSet,
  'jobs.batch': job,
  'cronjobs.batch': cronJob,
  'endpointslices.discovery.k8s.io': endpointSlice,
  'serviceimports.multicluster.x-k8s.io': serviceImport,
  'ingresses.networking.k8s.io': ingress,
  'ingressclasses.networking.k8s.io': ingressClass,
  'leases.coordination.k8s.io': lease,
  'roles.rbac.authorization.k8s.io': rbac,
  'rolebindings.rbac.authorization.k8s.io': rbac,
  'clusterroles.rbac.authorization.k8s.io': rbac,
  'clusterrolebindings.rbac.authorization.k8s.io': rbac,
};

export function coreKind(name: ResourceName): CoreKind {
  return Object.hasOwn(kinds, name) ? kinds[name]! : other;
}
