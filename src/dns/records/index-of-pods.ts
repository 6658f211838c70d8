/** Which Pods have which address, for Pod names that are answered only when there is such a Pod (`pods verified`). */
import { keyOf } from '../../kube/resources.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import type { KubeObject, Pod } from '../../kube/types/index.ts';
import { canonicalAddress } from '../wire/address.ts';

export interface PodIndex {
  has(namespace: string, address: string): boolean;
  close(): void;
}

const finished = new Set(['Succeeded', 'Failed', 'Unknown']);

/** All addresses of a Pod, of both families, while it runs. */
function addressesOf(pod: Pod): string[] {
  if (pod.metadata.deletionTimestamp || finished.has(pod.status?.phase ?? '')) return [];
  const given = [pod.status?.podIP, ...(pod.status?.podIPs ?? []).map(({ ip }) => ip)];
  return [...new Set(given.flatMap((text) => (text && canonicalAddress(text)) || []))];
}

export function createPodIndex(store: StoreReader): PodIndex {
  /** `namespace/address` to keys of Pods. */
  const holders = new Map<string, Set<string>>();

  function file(pod: Pod, present: boolean): void {
    for (const address of addressesOf(pod)) {
      const id = `${pod.metadata.namespace ?? 'default'}/${address}`;
      const pods = holders.get(id) ?? new Set();
      if (present) pods.add(keyOf(pod));
      else pods.delete(keyOf(pod));
      if (pods.size > 0) holders.set(id, pods);
      else holders.delete(id);
    }
  }

  for (const pod of store.list<Pod>('pods')) file(pod, true);
  const unsubscribe = store.subscribe((change) => {
    if (change.resource !== 'pods') return;
    if (change.previous) file(change.previous as KubeObject as Pod, false);
    if (change.type !== 'DELETED') file(change.object as Pod, true);
  });
  return { has: (namespace, address) => holders.has(`${namespace}/${address}`), close: unsubscribe };
}
