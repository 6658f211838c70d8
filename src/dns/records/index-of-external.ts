/**
 * The addresses of Services that are reached from outside: `spec.externalIPs` and what load balancers gave them
 * (`status.loadBalancer.ingress`: an address or, on some clouds, a host name).
 */
import { isDeepStrictEqual } from 'node:util';
import { keyOf } from '../../kube/resources.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import type { Service } from '../../kube/types/index.ts';
import { canonicalAddress } from '../wire/address.ts';
import { canonicalName, foldCase, keyOfName } from '../wire/name.ts';
import { createGroups } from './groups.ts';

export interface ExternalEntry {
  /** Lower case. */
  readonly namespace: string;
  readonly name: string;
  /** Canonical, each once, in the order of the object. */
  readonly addresses: readonly string[];
  /** Absolute. */
  readonly hostnames: readonly string[];
}

export interface ExternalIndex {
  /** By namespace and name in lower case; undefined for a Service that is not reached from outside. */
  get(namespace: string, name: string): ExternalEntry | undefined;
  /** Sorted by namespace and name. */
  all(): ExternalEntry[];
  /** Services with an external address (canonical), sorted by namespace and name. */
  byAddress(address: string): ExternalEntry[];
  /** Works out what changed since the last call. */
  refresh(): void;
  close(): void;
}

/** Undefined when nothing outside leads to the Service. */
export function externalEntry({ metadata, spec, status }: Service): ExternalEntry | undefined {
  const ingress = status?.loadBalancer?.ingress ?? [];
  const given = [...(spec?.externalIPs ?? []), ...ingress.map(({ ip, hostname }) => ip || hostname || '')];
  const addresses = given.flatMap((text) => canonicalAddress(text) ?? []);
  const names = given.filter((text) => text && !canonicalAddress(text) && keyOfName(text) !== undefined);
  if (addresses.length + names.length === 0) return undefined;
  return {
    namespace: foldCase(metadata.namespace ?? 'default'),
    name: foldCase(metadata.name),
    addresses: [...new Set(addresses)],
    hostnames: [...new Set(names.map(canonicalName))],
  };
}

/** `onChange`: addresses or names came, changed or went. */
export function createExternalIndex(store: StoreReader, onChange: () => void): ExternalIndex {
  const entries = new Map<string, ExternalEntry>();
  const byAddress = createGroups();
  const dirty = new Set<string>();

  function file(key: string, entry: ExternalEntry, verb: 'add' | 'remove'): void {
    for (const address of entry.addresses) byAddress[verb](address, key);
  }

  function update(name: string): void {
    const key = foldCase(name);
    const object = store.get<Service>('services', name);
    const next = object && externalEntry(object);
    const previous = entries.get(key);
    if (isDeepStrictEqual(next, previous)) return;
    if (previous) file(key, previous, 'remove');
    if (next) {
      file(key, next, 'add');
      entries.set(key, next);
    } else entries.delete(key);
    onChange();
  }

  for (const service of store.list('services')) dirty.add(keyOf(service));
  const unsubscribe = store.subscribe(({ resource, object }) => {
    if (resource === 'services') dirty.add(keyOf(object));
  });
  const sorted = (keys: readonly string[]) => keys.flatMap((key) => entries.get(key) ?? []);

  return {
    get: (namespace, name) => entries.get(`${namespace}/${name}`),
    all: () => sorted([...entries.keys()].sort()),
    byAddress: (address) => sorted(byAddress.members(address)),
    refresh() {
      if (dirty.size === 0) return;
      const names = [...dirty];
      dirty.clear();
      for (const name of names) update(name);
    },
    close: unsubscribe,
  };
}
