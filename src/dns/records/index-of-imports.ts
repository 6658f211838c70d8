/**
 * ServiceImports of a store and the EndpointSlices of other clusters as DNS entries: the Services of a clusterset
 * (Multi-Cluster Services API, KEP-1645 and its DNS specification). Kept up to date like index-of-services.ts.
 */
import { isDeepStrictEqual } from 'node:util';
import { keyOf, refOf } from '../../kube/resources.ts';
import {
  type EndpointSlice,
  importNameLabel,
  type KubeObject,
  type ServiceImport,
  sourceClusterLabel,
} from '../../kube/types/index.ts';
import { canonicalAddress } from '../wire/address.ts';
import { foldCase } from '../wire/name.ts';
import { type EndpointAddress, type NamedPort, type ServiceEntry, sliceAddresses } from './entry.ts';
import { createGroups } from './groups.ts';
import { entryKey, type ServiceIndex, type ServiceIndexOptions } from './index-of-services.ts';

const imports = 'serviceimports.multicluster.x-k8s.io';
const slicesResource = 'endpointslices.discovery.k8s.io';
const noPorts: readonly NamedPort[] = [{ name: '', protocol: '', port: -1 }];

function importOfSlice(slice: KubeObject): string | undefined {
  const name = slice.metadata.labels?.[importNameLabel];
  return name ? `${slice.metadata.namespace ?? 'default'}/${name}` : undefined;
}

/** Endpoints of a slice; their own names begin with `endpoint.cluster`. */
function clusterAddresses(slice: EndpointSlice, podNames: boolean): EndpointAddress[] {
  const cluster = foldCase(slice.metadata.labels?.[sourceClusterLabel] ?? '');
  const addresses = sliceAddresses(slice, false, podNames);
  return cluster ? addresses.map((address) => ({ ...address, label: `${address.label}.${cluster}` })) : addresses;
}

function portsOf({ spec }: ServiceImport): readonly NamedPort[] {
  if (!spec?.ports?.length) return noPorts;
  return spec.ports.map(({ name = '', protocol = 'TCP', port }) => ({
    ...{ name: foldCase(name), protocol: foldCase(protocol), port },
  }));
}

/** Slices whose label names the import belong to it, whichever cluster they come from. */
export function importEntry(object: ServiceImport, slices: readonly EndpointSlice[], podNames = false): ServiceEntry {
  const headless = object.spec?.type === 'Headless';
  const ips = headless ? [] : (object.spec?.ips ?? []);
  return {
    namespace: foldCase(object.metadata.namespace ?? 'default'),
    name: foldCase(object.metadata.name),
    ref: refOf(object),
    form: headless ? 'headless' : 'clusterIP',
    addresses: [...new Set(ips.flatMap((text) => canonicalAddress(text) ?? []))],
    ports: portsOf(object),
    endpoints: slices.flatMap((slice) => clusterAddresses(slice, podNames)),
    findings: [],
  };
}

/** The index of a clusterset's zone. */
export function createImportIndex({ store, endpointPodNames, onChange }: ServiceIndexOptions): ServiceIndex {
  const entries = new Map<string, ServiceEntry>();
  const dirty = new Set<string>();
  const slices = createGroups();
  const addresses = createGroups();
  const endpoints = createGroups();
  const namespaces = createGroups();

  function file(entry: ServiceEntry, verb: 'add' | 'remove'): void {
    const key = entryKey(entry);
    namespaces[verb](entry.namespace, key);
    for (const address of entry.addresses) addresses[verb](address, key);
    for (const { address } of entry.endpoints) endpoints[verb](address, key);
  }

  function noteSlice(object: KubeObject, previous: KubeObject | undefined, present: boolean): void {
    const before = previous && importOfSlice(previous);
    const after = present ? importOfSlice(object) : undefined;
    if (before) slices.remove(before, keyOf(object));
    if (after) slices.add(after, keyOf(object));
    for (const name of [before, after]) if (name) dirty.add(name);
  }

  function update(name: string): void {
    const object = store.get<ServiceImport>(imports, name);
    const found = slices.members(name).flatMap((key) => store.get<EndpointSlice>(slicesResource, key) ?? []);
    const next = object && importEntry(object, found, endpointPodNames);
    const previous = entries.get(foldCase(name));
    if (isDeepStrictEqual(next, previous)) return;
    if (previous) {
      file(previous, 'remove');
      entries.delete(entryKey(previous));
    }
    if (next) {
      entries.set(entryKey(next), next);
      file(next, 'add');
    }
    onChange((next ?? previous)!);
  }

  for (const object of store.list(imports)) dirty.add(keyOf(object));
  for (const slice of store.list(slicesResource)) noteSlice(slice, undefined, true);
  const unsubscribe = store.subscribe(({ resource, type, object, previous }) => {
    if (resource === imports) dirty.add(keyOf(object));
    if (resource === slicesResource) noteSlice(object, previous, type !== 'DELETED');
  });
  const entriesOf = (keys: readonly string[]) => keys.flatMap((key) => entries.get(key) ?? []);

  return {
    get: (namespace, name) => entries.get(`${namespace}/${name}`),
    all: () => entries.values(),
    hasNamespace: (namespace) => namespaces.has(namespace),
    byClusterAddress: (address) => entriesOf(addresses.members(address))[0],
    byEndpointAddress: (address) => entriesOf(endpoints.members(address)),
    refresh() {
      if (dirty.size === 0) return;
      const names = [...dirty];
      dirty.clear();
      for (const name of names) update(name);
    },
    close: unsubscribe,
  };
}
