/**
 * Services and EndpointSlices of a store as DNS entries, kept up to date: a change marks its Service, and only marked
 * Services are worked out anew, before the next question at the latest.
 */
import { keyOf } from '../../kube/resources.ts';
import type { Change, StoreReader } from '../../kube/store/store.ts';
import { type EndpointSlice, type KubeObject, type Service, serviceNameLabel } from '../../kube/types/index.ts';
import { foldCase } from '../wire/name.ts';
import { addressChanges, type Described, describe, sameAnswers } from './described.ts';
import type { ServiceEntry } from './entry.ts';
import { createGroups } from './groups.ts';

export interface ServiceIndex {
  /** By namespace and name in lower case. */
  get(namespace: string, name: string): ServiceEntry | undefined;
  all(): Iterable<ServiceEntry>;
  /** Whether the namespace holds any Service. */
  hasNamespace(namespace: string): boolean;
  /** The Service that has a cluster address (canonical). */
  byClusterAddress(address: string): ServiceEntry | undefined;
  /** Services that publish an endpoint at an address, sorted by namespace and name. */
  byEndpointAddress(address: string): ServiceEntry[];
  /** Works out what changed since the last call. */
  refresh(): void;
  close(): void;
}

export interface ServiceIndexOptions {
  store: StoreReader;
  /** Endpoints without a hostname are named after their Pod. Default false. */
  endpointPodNames?: boolean;
  /** An entry came, changed in a way that DNS can show, or went. */
  onChange(entry: ServiceEntry): void;
}

export const entryKey = ({ namespace, name }: { namespace: string; name: string }): string => `${namespace}/${name}`;

function serviceOfSlice(slice: KubeObject): string | undefined {
  const name = slice.metadata.labels?.[serviceNameLabel];
  return name ? `${slice.metadata.namespace ?? 'default'}/${name}` : undefined;
}

export function createServiceIndex({ store, endpointPodNames = false, onChange }: ServiceIndexOptions): ServiceIndex {
  /** By namespace and name in lower case. */
  const known = new Map<string, Described>();
  const dirty = new Set<string>();
  const slices = createGroups();
  const clusterAddresses = createGroups();
  const endpointAddresses = createGroups();
  const namespaces = createGroups();
  let scheduled: NodeJS.Immediate | undefined;

  function mark(service: string | undefined): void {
    if (service === undefined) return;
    dirty.add(service);
    scheduled ??= setImmediate(refresh);
  }

  function noteSlice(change: Pick<Change, 'type' | 'object' | 'previous'>): void {
    const key = keyOf(change.object);
    const before = change.previous && serviceOfSlice(change.previous);
    const after = change.type === 'DELETED' ? undefined : serviceOfSlice(change.object);
    if (before) slices.remove(before, key);
    if (after) slices.add(after, key);
    mark(before);
    mark(after);
  }

  function note(change: Change): void {
    if (change.resource === 'services') mark(keyOf(change.object));
    if (change.resource === 'endpointslices.discovery.k8s.io') noteSlice(change);
  }

  function file(key: string, before: Described | undefined, after: Described | undefined): void {
    const { added, removed } = addressChanges(before, after);
    for (const address of removed) endpointAddresses.remove(address, key);
    for (const address of added) endpointAddresses.add(address, key);
    for (const address of before?.entry.addresses ?? []) clusterAddresses.remove(address, key);
    for (const address of after?.entry.addresses ?? []) clusterAddresses.add(address, key);
    if (!after) namespaces.remove(before!.entry.namespace, key);
    else if (!before) namespaces.add(after.entry.namespace, key);
  }

  function update(service: string): void {
    const object = store.get<Service>('services', service);
    const found = slices
      .members(service)
      .flatMap((key) => store.get<EndpointSlice>('endpointslices.discovery.k8s.io', key) ?? []);
    const after = object && describe(object, found, endpointPodNames);
    const key = foldCase(service);
    const before = known.get(key);
    const same = sameAnswers(before, after, endpointPodNames);
    // The new objects take the place of the old ones in any case, so that these can go.
    if (after) known.set(key, after);
    else known.delete(key);
    // A change that DNS cannot show (labels, annotations, target ports) keeps ready answers and serial.
    if (same) return;
    file(key, before, after);
    onChange((after ?? before)!.entry);
  }

  function refresh(): void {
    if (scheduled) clearImmediate(scheduled);
    scheduled = undefined;
    if (dirty.size === 0) return;
    const services = [...dirty];
    dirty.clear();
    for (const service of services) update(service);
  }

  for (const service of store.list('services')) mark(keyOf(service));
  for (const slice of store.list('endpointslices.discovery.k8s.io')) noteSlice({ type: 'ADDED', object: slice });
  const unsubscribe = store.subscribe(note);
  const entriesOf = (keys: string[]): ServiceEntry[] => keys.flatMap((key) => known.get(key)?.entry ?? []);

  return {
    get: (namespace, name) => known.get(`${namespace}/${name}`)?.entry,
    *all() {
      for (const { entry } of known.values()) yield entry;
    },
    hasNamespace: (namespace) => namespaces.has(namespace),
    byClusterAddress: (address) => entriesOf(clusterAddresses.members(address))[0],
    byEndpointAddress: (address) => entriesOf(endpointAddresses.members(address)),
    refresh,
    close() {
      unsubscribe();
      if (scheduled) clearImmediate(scheduled);
    },
  };
}
