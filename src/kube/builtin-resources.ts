/** Kinds that an API server knows without any CustomResourceDefinition, and that manifests hold. */
import type { Resource } from './resources.ts';

interface Traits {
  short?: string[];
  cluster?: true;
  status?: true;
  scale?: true;
  all?: true;
  storedAs?: string;
}

/** Kinds whose `metadata.generation` an API server leaves unset (registry strategies of Kubernetes 1.35). */
const uncounted: ReadonlySet<string> = new Set([
  'Namespace',
  'Node',
  'Service',
  'Endpoints',
  'ConfigMap',
  'Secret',
  'ServiceAccount',
  'Event',
  'PersistentVolumeClaim',
  'PersistentVolume',
  'LimitRange',
  'ResourceQuota',
  'HorizontalPodAutoscaler',
  'Lease',
  'StorageClass',
  'Role',
  'RoleBinding',
  'ClusterRole',
  'ClusterRoleBinding',
]);

function define(group: string, versions: string[], kind: string, plural: string, traits: Traits = {}): Resource {
  return {
    group,
    versions,
    kind,
    plural,
    singular: kind.toLowerCase(),
    shortNames: traits.short ?? [],
    categories: traits.all ? ['all'] : [],
    namespaced: !traits.cluster,
    status: traits.status ?? false,
    scale: traits.scale ?? false,
    ...(uncounted.has(kind) && { generation: false }),
    ...(traits.storedAs !== undefined && { storedAs: traits.storedAs }),
    custom: false,
  };
}

export const builtinResources: readonly Resource[] = [
  define('', ['v1'], 'Namespace', 'namespaces', { short: ['ns'], cluster: true, status: true }),
  define('', ['v1'], 'Node', 'nodes', { short: ['no'], cluster: true, status: true }),
  define('', ['v1'], 'Pod', 'pods', { short: ['po'], status: true, all: true }),
  define('', ['v1'], 'Service', 'services', { short: ['svc'], status: true, all: true }),
  define('', ['v1'], 'Endpoints', 'endpoints', { short: ['ep'] }),
  define('', ['v1'], 'ConfigMap', 'configmaps', { short: ['cm'] }),
  define('', ['v1'], 'Secret', 'secrets'),
  define('', ['v1'], 'ServiceAccount', 'serviceaccounts', { short: ['sa'] }),
  define('', ['v1'], 'Event', 'events', { short: ['ev'] }),
  define('', ['v1'], 'PersistentVolumeClaim', 'persistentvolumeclaims', { short: ['pvc'], status: true }),
  define('', ['v1'], 'PersistentVolume', 'persistentvolumes', { short: ['pv'], cluster: true, status: true }),
  define('', ['v1'], 'LimitRange', 'limitranges', { short: ['limits'] }),
  define('', ['v1'], 'ResourceQuota', 'resourcequotas', { short: ['quota'], status: true }),
  define('', ['v1'], 'ReplicationController', 'replicationcontrollers', {
    short: ['rc'],
    status: true,
    scale: true,
    all: true,
  }),
  define('apps', ['v1'], 'Deployment', 'deployments', { short: ['deploy'], status: true, scale: true, all: true }),
  define('apps', ['v1'], 'ReplicaSet', 'replicasets', { short: ['rs'], status: true, scale: true, all: true }),
  define('apps', ['v1'], 'StatefulSet', 'statefulsets', { short: ['sts'], status: true, scale: true, all: true }),
  define('apps', ['v1'], 'DaemonSet', 'daemonsets', { short: ['ds'], status: true, all: true }),
  define('batch', ['v1'], 'Job', 'jobs', { status: true, all: true }),
  define('batch', ['v1'], 'CronJob', 'cronjobs', { short: ['cj'], status: true, all: true }),
  define('autoscaling', ['v2', 'v1'], 'HorizontalPodAutoscaler', 'horizontalpodautoscalers', {
    short: ['hpa'],
    status: true,
    all: true,
  }),
  define('policy', ['v1'], 'PodDisruptionBudget', 'poddisruptionbudgets', { short: ['pdb'], status: true }),
  define('discovery.k8s.io', ['v1'], 'EndpointSlice', 'endpointslices'),
  // Multi-Cluster Services API (KEP-1645): a CRD in real clusters, which takes this one's place.
  define('multicluster.x-k8s.io', ['v1alpha1', 'v1beta1'], 'ServiceImport', 'serviceimports', {
    short: ['svcim', 'svcimport'],
    status: true,
  }),
  define('networking.k8s.io', ['v1'], 'Ingress', 'ingresses', { short: ['ing'], status: true }),
  define('networking.k8s.io', ['v1'], 'IngressClass', 'ingressclasses', { cluster: true }),
  define('networking.k8s.io', ['v1'], 'NetworkPolicy', 'networkpolicies', { short: ['netpol'] }),
  define('coordination.k8s.io', ['v1'], 'Lease', 'leases'),
  define('events.k8s.io', ['v1'], 'Event', 'events', { short: ['ev'], storedAs: 'events' }),
  define('storage.k8s.io', ['v1'], 'StorageClass', 'storageclasses', { short: ['sc'], cluster: true }),
  define('scheduling.k8s.io', ['v1'], 'PriorityClass', 'priorityclasses', { short: ['pc'], cluster: true }),
  define('rbac.authorization.k8s.io', ['v1'], 'Role', 'roles'),
  define('rbac.authorization.k8s.io', ['v1'], 'RoleBinding', 'rolebindings'),
  define('rbac.authorization.k8s.io', ['v1'], 'ClusterRole', 'clusterroles', { cluster: true }),
  define('rbac.authorization.k8s.io', ['v1'], 'ClusterRoleBinding', 'clusterrolebindings', { cluster: true }),
  define('apiextensions.k8s.io', ['v1'], 'CustomResourceDefinition', 'customresourcedefinitions', {
    short: ['crd', 'crds'],
    cluster: true,
    status: true,
  }),
  define('admissionregistration.k8s.io', ['v1'], 'ValidatingWebhookConfiguration', 'validatingwebhookconfigurations', {
    cluster: true,
  }),
  define('admissionregistration.k8s.io', ['v1'], 'MutatingWebhookConfiguration', 'mutatingwebhookconfigurations', {
    cluster: true,
  }),
];
