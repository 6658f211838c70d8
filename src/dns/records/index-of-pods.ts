/** Which Pods have which address, for Pod names that are answered only when there is such a Pod (`pods verified`). */
import { keyOf } from '../../kube/resources.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import type { KubeObject, Pod } from '../../kube/types/index.ts';
import { canonicalAddress } from '../wire/address.ts';
import { createGroups } from './groups.ts';

export interface PodIndex {
  has(namespace: string, address: string): boolean;
  close(): void;
}

const finished = new Set(['Succeeded', 'Failed', 'Unknown']);

/** All addresses of a Pod, of both families, canonical, while it runs. */
export function podAddresses(pod: Pod): string[] {
  if (pod.metadata.deletionTimestamp || finished.has(pod.status?.phase ?? '')) return [];
  const given = [pod.status?.podIP, ...(pod.status?.podIPs ?? []).map(({ ip }) => ip)];
  return [...new Set(given.flatMap((text) => (text && canonicalAddress(text)) || []))];
}

export function createPodIndex(store: StoreReader): PodIndex {
  /** Keys of Pods by `namespace/address`. */
  const holders = createGroups();

  function file(pod: Pod, verb: 'add' | 'remove'): void {
    for (const address of podAddresses(pod))
      holders[verb](`${pod.metadata.namespace ?? 'default'}/${address}`, keyOf(pod));
  }

  for (const pod of store.list<Pod>('pods')) file(pod, 'add');
  const unsubscribe = store.subscribe((change) => {
    if (change.resource !== 'pods') return;
    if (change.previous) file(change.previous as KubeObject as Pod, 'remove');
    if (change.type !== 'DELETED') file(change.object as Pod, 'add');
  });
  return { has: (namespace, address) => holders.has(`${namespace}/${address}`), close: unsubscribe };
}
