/** The columns of each kind. */
import type { Resource, ResourceName } from '../../../kube/resources.ts';
import { resourceName } from '../../../kube/resources.ts';
import type { SchemaSource } from '../schemas.ts';
import * as cluster from './cluster.ts';
import { customTable } from './custom.ts';
import * as networking from './networking.ts';
import { pods } from './pods.ts';
import type { TableDefinition } from './table.ts';
import * as workloads from './workloads.ts';

const builtin: Record<ResourceName, TableDefinition> = {
  pods,
  namespaces: cluster.namespaces,
  nodes: cluster.nodes,
  services: networking.services,
  endpoints: networking.endpoints,
  configmaps: cluster.configMaps,
  secrets: cluster.secrets,
  serviceaccounts: cluster.serviceAccounts,
  events: cluster.events,
  'events.events.k8s.io': cluster.events,
  persistentvolumeclaims: cluster.volumeClaims,
  persistentvolumes: cluster.volumes,
  resourcequotas: cluster.resourceQuotas,
  replicationcontrollers: workloads.replicationControllers,
  'deployments.apps': workloads.deployments,
  'replicasets.apps': workloads.replicaSets,
  'statefulsets.apps': workloads.statefulSets,
  'daemonsets.apps': workloads.daemonSets,
  'jobs.batch': workloads.jobs,
  'cronjobs.batch': workloads.cronJobs,
  'horizontalpodautoscalers.autoscaling': workloads.autoscalers,
  'poddisruptionbudgets.policy': workloads.disruptionBudgets,
  'endpointslices.discovery.k8s.io': networking.endpointSlices,
  'ingresses.networking.k8s.io': networking.ingresses,
  'ingressclasses.networking.k8s.io': networking.ingressClasses,
  'networkpolicies.networking.k8s.io': networking.networkPolicies,
  'leases.coordination.k8s.io': cluster.leases,
  'storageclasses.storage.k8s.io': cluster.storageClasses,
  'priorityclasses.scheduling.k8s.io': cluster.priorityClasses,
  'rolebindings.rbac.authorization.k8s.io': cluster.roleBindings,
  'clusterrolebindings.rbac.authorization.k8s.io': cluster.roleBindings,
  'validatingwebhookconfigurations.admissionregistration.k8s.io': cluster.webhookConfigurations,
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': cluster.webhookConfigurations,
};

export function tableFor(resource: Resource, version: string, schemas: SchemaSource): TableDefinition {
  if (resource.custom) return customTable(schemas.columnsOf(resource, version));
  return builtin[resourceName(resource)] ?? cluster.createdAt;
}
