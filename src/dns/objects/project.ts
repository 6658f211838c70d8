/**
 * What is kept of the objects of a large cluster: the fields that DNS reads, in the shape of the whole objects. Applied
 * to each object as it comes from the wire; strings and parts that many objects have in common are kept once.
 */
import type { Intern } from '../../kube/client/intern.ts';
import type { Project } from '../../kube/client/project.ts';
import type { ResourceName } from '../../kube/resources.ts';
import {
  type ConfigMap,
  type EndpointConditions,
  type EndpointSlice,
  importNameLabel,
  type KubeObject,
  type ObjectMeta,
  type Pod,
  type Service,
  type ServiceImport,
  type ServicePort,
  type SliceEndpoint,
  serviceNameLabel,
  sourceClusterLabel,
} from '../../kube/types/index.ts';

/** What of the objects is wanted beside addresses, names and ports. */
export interface Wanted {
  /** Objects of these namespaces only; default all. */
  readonly namespaces?: readonly string[];
  /** All labels of Services and EndpointSlices, for a selector that looks at them. */
  readonly labels?: boolean;
  /** Names of the Pods behind endpoints. */
  readonly podNames?: boolean;
}

/** When the endpoints of a slice last changed, for the measure of how long DNS takes to follow. */
export const triggerAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';
const sliceLabels = [serviceNameLabel, importNameLabel, sourceClusterLabel];

type Labels = Record<string, string> | undefined;
/** One copy of equal values, by their JSON. */
type Share = <T extends object>(value: T) => T;

function createShare(maxEntries = 10_000): Share {
  const known = new Map<string, object>();
  return <T extends object>(value: T): T => {
    const id = JSON.stringify(value);
    const found = known.get(id);
    if (found) return found as T;
    if (known.size >= maxEntries) known.clear();
    known.set(id, value);
    return value;
  };
}

interface Tools {
  readonly wanted: Wanted;
  readonly intern: Intern;
  readonly share: Share;
}

function pickLabels(labels: Labels, names: readonly string[]): Labels {
  const found = names.filter((name) => labels?.[name] !== undefined);
  return found.length > 0 ? Object.fromEntries(found.map((name) => [name, labels![name]!])) : undefined;
}

const listOf = <T>(value: readonly T[] | undefined): readonly T[] => (Array.isArray(value) ? value : []);
const filled = (labels: Labels): Labels => (labels && Object.keys(labels).length > 0 ? labels : undefined);

// Objects are made by literals without spreads: those have hidden classes of their own in V8, larger than themselves.

function metaOf(object: KubeObject, labels: Labels, { intern }: Tools): ObjectMeta {
  const { name, namespace, deletionTimestamp } = object.metadata;
  const kept: ObjectMeta = namespace ? { name, namespace: intern(namespace) } : { name };
  if (labels) kept.labels = labels;
  if (deletionTimestamp) kept.deletionTimestamp = deletionTimestamp;
  return kept;
}

interface NamedPort {
  name?: string;
  protocol?: string;
  port?: number;
}

/** Undefined for none. Few clusters have many different lists of ports. */
function keepPorts(ports: readonly NamedPort[] | undefined, share: Share): NamedPort[] | undefined {
  const kept = listOf(ports).map(({ name, protocol, port }) => (name ? { name, protocol, port } : { protocol, port }));
  return kept.length > 0 ? share(kept) : undefined;
}

function keepSpec(given: Service['spec'], { intern, share }: Tools): Service['spec'] {
  const kept: Service['spec'] = {};
  if (given.type) kept.type = intern(given.type) as 'ClusterIP';
  if (given.clusterIPs?.length) kept.clusterIPs = given.clusterIPs;
  else if (given.clusterIP) kept.clusterIP = given.clusterIP;
  const ports = keepPorts(given.ports, share);
  if (ports) kept.ports = ports as ServicePort[];
  if (given.externalName) kept.externalName = given.externalName;
  if (given.externalIPs?.length) kept.externalIPs = given.externalIPs;
  if (given.publishNotReadyAddresses) kept.publishNotReadyAddresses = true;
  return kept;
}

function keepService(object: Service, tools: Tools): Service {
  const labels = tools.wanted.labels ? filled(object.metadata.labels) : undefined;
  const kept: Service = {
    apiVersion: object.apiVersion,
    kind: 'Service',
    metadata: metaOf(object, labels, tools),
    spec: keepSpec(object.spec ?? {}, tools),
  };
  const ingress = listOf(object.status?.loadBalancer?.ingress).map(({ ip, hostname }) => ({ ip, hostname }));
  if (ingress.length > 0) kept.status = { loadBalancer: { ingress } };
  return kept;
}

function keepConditions({ ready, serving, terminating }: EndpointConditions, share: Share): EndpointConditions {
  return share({
    ...(typeof ready === 'boolean' && { ready }),
    ...(typeof serving === 'boolean' && { serving }),
    ...(typeof terminating === 'boolean' && { terminating }),
  });
}

function keepEndpoint(endpoint: SliceEndpoint, { wanted, intern, share }: Tools): SliceEndpoint {
  const { hostname, targetRef } = endpoint;
  const addresses = listOf(endpoint.addresses) as string[];
  const conditions = keepConditions(endpoint.conditions ?? {}, share);
  // Fields of the literal lie in the object itself; those that come later cost a list of their own.
  const kept: SliceEndpoint = endpoint.zone
    ? { addresses, conditions, zone: intern(endpoint.zone) }
    : { addresses, conditions };
  if (hostname) kept.hostname = hostname;
  if (wanted.podNames && targetRef?.kind === 'Pod' && targetRef.name)
    kept.targetRef = { kind: 'Pod', name: targetRef.name };
  return kept;
}

function keepSlice(object: EndpointSlice, tools: Tools): EndpointSlice {
  const { labels, annotations } = object.metadata;
  const metadata = metaOf(object, tools.wanted.labels ? filled(labels) : pickLabels(labels, sliceLabels), tools);
  const changed = annotations?.[triggerAnnotation];
  if (changed) metadata.annotations = { [triggerAnnotation]: changed };
  const kept: EndpointSlice = {
    apiVersion: object.apiVersion,
    kind: 'EndpointSlice',
    metadata,
    addressType: tools.intern(object.addressType) as EndpointSlice['addressType'],
    endpoints: listOf(object.endpoints).map((endpoint) => keepEndpoint(endpoint, tools)),
  };
  const ports = keepPorts(object.ports, tools.share);
  if (ports) kept.ports = ports;
  return kept;
}

function keepPod(object: Pod, tools: Tools): Pod {
  const { labels, ownerReferences, creationTimestamp } = object.metadata;
  // Pods of one owner have most of their labels, and the owner, in common.
  const metadata = metaOf(object, labels && filled(labels) && tools.share(labels), tools);
  const owner = listOf(ownerReferences).find(({ controller }) => controller);
  if (owner) metadata.ownerReferences = tools.share([owner]);
  if (owner?.kind === 'Job' && creationTimestamp) metadata.creationTimestamp = creationTimestamp;
  const status: Pod['status'] = {};
  if (object.status?.phase) status.phase = tools.intern(object.status.phase) as 'Running';
  if (object.status?.podIPs?.length) status.podIPs = object.status.podIPs;
  else if (object.status?.podIP) status.podIP = object.status.podIP;
  const spec = tools.share(object.spec?.hostNetwork ? { containers: [], hostNetwork: true } : { containers: [] });
  return { apiVersion: object.apiVersion, kind: 'Pod', metadata, spec, status };
}

function keepNamespace(object: KubeObject, tools: Tools): KubeObject {
  const { apiVersion, kind } = object;
  return { apiVersion, kind, metadata: metaOf(object, filled(object.metadata.labels), tools) };
}

function keepImport(object: ServiceImport, tools: Tools): ServiceImport {
  const spec: ServiceImport['spec'] = {};
  const { type, ips, ports } = object.spec ?? {};
  if (type) spec.type = type;
  if (ips) spec.ips = ips;
  if (ports) spec.ports = tools.share(ports);
  const metadata = metaOf(object, filled(object.metadata.labels), tools);
  return { apiVersion: object.apiVersion, kind: 'ServiceImport', metadata, spec };
}

/** Only one is ever asked for, and read whole. */
function keepConfigMap({ apiVersion, kind, metadata, data }: ConfigMap): ConfigMap {
  const { name, namespace, resourceVersion } = metadata;
  const kept = {
    name,
    ...(namespace !== undefined && { namespace }),
    ...(resourceVersion !== undefined && { resourceVersion }),
  };
  return { apiVersion, kind, metadata: kept, ...(data && { data }) };
}

const keepers: Readonly<Record<ResourceName, (object: never, tools: Tools) => KubeObject>> = {
  services: keepService,
  'endpointslices.discovery.k8s.io': keepSlice,
  pods: keepPod,
  configmaps: keepConfigMap,
  namespaces: keepNamespace,
  'serviceimports.multicluster.x-k8s.io': keepImport,
};

/** One for each resource; all share what is kept once. */
export function createProjections(wanted: Wanted, intern: Intern): (resource: ResourceName) => Project {
  const tools: Tools = { wanted, intern, share: createShare() };
  const named = wanted.namespaces?.length ? new Set(wanted.namespaces) : undefined;
  return (resource) => {
    const keep = keepers[resource] as ((object: KubeObject, tools: Tools) => KubeObject) | undefined;
    if (!keep) throw new Error(`no projection of ${resource}`);
    return (object) => {
      const namespace = resource === 'namespaces' ? object.metadata.name : (object.metadata.namespace ?? 'default');
      return named && !named.has(namespace) ? undefined : keep(object, tools);
    };
  };
}
