/** The search list that a Pod's resolver has, by the address from which it asks. */
import { readFileSync } from 'node:fs';
import type { StoreReader } from '../../../kube/store/store.ts';
import type { Pod } from '../../../kube/types/index.ts';
import { canonicalAddress } from '../../wire/address.ts';
import { searchOf } from '../autopath/setup.ts';
import type { Client } from '../plugin.ts';

const finished = new Set(['Succeeded', 'Failed', 'Unknown']);

function hostSearch(): string[] {
  try {
    return searchOf(readFileSync('/etc/resolv.conf', 'utf8'));
  } catch {
    // A host without the file has no search list.
    return [];
  }
}

function addressesOf(pod: Pod): string[] {
  if (pod.metadata.deletionTimestamp || finished.has(pod.status?.phase ?? '') || pod.spec?.hostNetwork) return [];
  const given = [pod.status?.podIP, ...(pod.status?.podIPs ?? []).map(({ ip }) => ip)];
  return given.flatMap((text) => (text && canonicalAddress(text)) || []);
}

export interface SearchPaths {
  of(client: Client): readonly string[];
  close(): void;
}

/** `ns.svc.zone`, `svc.zone`, `zone` and those of this host; nothing for addresses that no Pod has. */
export function createSearchPath(store: StoreReader, zone: string): SearchPaths {
  const namespaces = new Map<string, string>();
  const host = hostSearch();
  const file = (pod: Pod) => {
    for (const address of addressesOf(pod)) namespaces.set(address, pod.metadata.namespace ?? 'default');
  };
  const unfile = (pod: Pod) => {
    for (const address of addressesOf(pod))
      if (namespaces.get(address) === (pod.metadata.namespace ?? 'default')) namespaces.delete(address);
  };
  for (const pod of store.list<Pod>('pods')) file(pod);
  const unsubscribe = store.subscribe(({ resource, type, object, previous }) => {
    if (resource !== 'pods') return;
    if (previous) unfile(previous as Pod);
    if (type !== 'DELETED') file(object as Pod);
  });
  return {
    of({ address }) {
      const namespace = namespaces.get(canonicalAddress(address) ?? '');
      return namespace === undefined ? [] : [`${namespace}.svc.${zone}`, `svc.${zone}`, zone, ...host];
    },
    close: unsubscribe,
  };
}
