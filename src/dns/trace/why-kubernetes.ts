/** Why the kubernetes plugin answers a name as it does, from the objects of the moment. */
import type { StoreReader } from '../../kube/store/store.ts';
import type { QueryContext } from '../plugins/plugin.ts';
import { type ClusterName, type Grammar, parseClusterName, podAddress } from '../records/cluster-name.ts';
import type { ServiceEntry } from '../records/entry.ts';
import { labelsInside } from '../records/external-names.ts';
import type { ServiceIndex } from '../records/index-of-services.ts';
import type { PodMode } from '../records/records.ts';
import { addressOfReverse, canonicalAddress } from '../wire/address.ts';
import { foldCase, parseName } from '../wire/name.ts';
import { recordType } from '../wire/numbers.ts';
import { labelsOf } from '../wire/query.ts';
import { familyType } from '../wire/records.ts';

export interface WhyOptions {
  /** Cluster domains and reverse zones, canonical. */
  readonly zones: readonly string[];
  readonly reverseZones: readonly string[];
  readonly services: ServiceIndex;
  /** What the plugin exposes, and all that it is given. */
  readonly store: StoreReader;
  readonly everything: StoreReader;
  readonly podMode: PodMode;
  readonly grammarOf?: (zone: string) => Grammar;
  readonly synced: () => boolean;
}

type ServiceName = Extract<ClusterName, { kind: 'service' }>;

const endpointsText = (count: number): string => `${count || 'no'} ready endpoint${count === 1 ? '' : 's'}`;

/** What a Service that is there says to a name below it. */
function serviceText(entry: ServiceEntry, name: ServiceName, type: number): string {
  const id = `Service ${entry.namespace}/${entry.name}`;
  if (entry.form === 'externalName') {
    if (!entry.externalName) return `${id} is an ExternalName whose value is no host name`;
    const below = name.endpoint !== undefined || name.port !== undefined;
    return `${id} is an ExternalName for ${entry.externalName}${below ? ': nothing is below it' : ''}`;
  }
  if (name.endpoint !== undefined && !name.zone) {
    const matching = entry.endpoints.filter(({ label }) => label === name.endpoint);
    if (matching.length === 0)
      return `${id} has no ready endpoint named ${name.endpoint}, of ${entry.endpoints.length}`;
    return familyText(
      `endpoint ${name.endpoint} of ${id}`,
      type,
      matching.map(({ address }) => address),
    );
  }
  if (name.port !== undefined) {
    const ports = entry.form === 'headless' ? entry.endpoints.flatMap((one) => one.ports) : entry.ports;
    const found = ports.some((p) => p.name === name.port && p.protocol === name.protocol);
    return found
      ? `port ${name.port}/${name.protocol} of ${id}`
      : `${id} has no port named ${name.port}/${name.protocol}`;
  }
  if (entry.form === 'headless')
    return familyText(
      `headless ${id}, ${endpointsText(entry.endpoints.length)}`,
      type,
      entry.endpoints.map((e) => e.address),
    );
  return familyText(`${id}, ${endpointsText(entry.endpoints.length)}`, type, entry.addresses);
}

function familyText(what: string, type: number, addresses: readonly string[]): string {
  if (type !== recordType.A && type !== recordType.AAAA) return what;
  if (addresses.length === 0 || addresses.some((address) => familyType(address) === type)) return what;
  return `${what}, has only ${type === recordType.A ? 'IPv6' : 'IPv4'} addresses`;
}

export function createWhy(options: WhyOptions): (context: QueryContext) => string | undefined {
  const { services, store, everything, grammarOf = () => ({}) } = options;
  const zones = options.zones.map((zone) => ({ zone, labels: (parseName(zone) ?? []).map(foldCase) }));
  const reverseZones = options.reverseZones.map((zone) => parseName(zone) ?? []);
  const exists = (of: StoreReader, namespace: string) => of.get('namespaces', namespace) !== undefined;

  function missingNamespace(namespace: string): string | undefined {
    if (services.hasNamespace(namespace) || exists(store, namespace)) return undefined;
    return exists(everything, namespace) ? `namespace ${namespace} is not exposed` : `no namespace ${namespace}`;
  }

  function service(name: ServiceName, type: number): string {
    const entry = services.get(name.namespace, name.service);
    if (entry) return serviceText(entry, name, type);
    const missing = missingNamespace(name.namespace);
    if (missing) return missing;
    const hidden = everything.get('services', `${name.namespace}/${name.service}`) !== undefined;
    return hidden
      ? `Service ${name.namespace}/${name.service} is not exposed`
      : `no Service ${name.service} in namespace ${name.namespace}`;
  }

  function pod({ namespace, pod: label }: Extract<ClusterName, { kind: 'pod' }>): string {
    if (options.podMode === 'disabled') return 'Pods have no names here (pods disabled)';
    const address = canonicalAddress(podAddress(label));
    if (!address) return `${label} spells no address`;
    return (
      missingNamespace(namespace) ??
      (options.podMode === 'insecure'
        ? `any address in namespace ${namespace} (pods insecure)`
        : `pods verified: Pods of namespace ${namespace} at ${address}`)
    );
  }

  function forward(inside: readonly string[], zone: string, type: number): string {
    const name = parseClusterName(inside, grammarOf(zone));
    if (name.kind === 'service') return service(name, type);
    if (name.kind === 'pod') return pod(name);
    if (name.kind === 'namespace')
      return missingNamespace(name.namespace) ?? `namespace ${name.namespace}: the name has no records of its own`;
    if (name.kind === 'unknown') return `no name of a cluster: neither svc nor pod stands before ${zone}`;
    return name.kind === 'structure' ? `part of the zone ${zone}` : `a name of the server itself`;
  }

  function reverse(labels: readonly string[]): string {
    const address = addressOfReverse(labels);
    if (!address) return 'no name of a whole address';
    const service = services.byClusterAddress(address);
    if (service) return `cluster address of Service ${service.namespace}/${service.name}`;
    const published = services.byEndpointAddress(address).map(({ namespace, name }) => `${namespace}/${name}`);
    if (published.length === 0) return `no Service and no endpoint has the address ${address}`;
    return `endpoint of Service ${published.join(', ')}`;
  }

  return ({ query }) => {
    services.refresh();
    const labels = labelsOf(query);
    const found = zones
      .filter((one) => labelsInside(labels, one.labels))
      .sort((a, b) => b.labels.length - a.labels.length)[0];
    const unread = options.synced() ? '' : '; the objects of the cluster have not all been read yet';
    if (found) return forward(labelsInside(labels, found.labels)!, found.zone, query.type) + unread;
    if (reverseZones.some((zone) => labelsInside(labels, zone))) return reverse(labels) + unread;
    return `not below ${options.zones.join(', ')}`;
  };
}
