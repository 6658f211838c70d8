/** Which Pod asks from an address, where Pods are known (`pods verified`). */
import type { StoreReader } from '../../../kube/store/store.ts';
import type { Pod } from '../../../kube/types/index.ts';
import { podAddresses } from '../../records/index-of-pods.ts';
import { canonicalAddress } from '../../wire/address.ts';

export interface Clients {
  /** The Pod that alone has an address; undefined for those on their node's network and for everybody else. */
  podAt(address: string): Pod | undefined;
  close(): void;
}

const addressesOf = (pod: Pod): string[] => (pod.spec?.hostNetwork ? [] : podAddresses(pod));

export function createClients(store: StoreReader): Clients {
  const pods = new Map<string, Pod>();
  const file = (pod: Pod) => {
    for (const address of addressesOf(pod)) pods.set(address, pod);
  };
  const unfile = (pod: Pod) => {
    for (const address of addressesOf(pod)) {
      const known = pods.get(address)?.metadata;
      // The address may be another Pod's by now.
      if (known?.name === pod.metadata.name && known.namespace === pod.metadata.namespace) pods.delete(address);
    }
  };
  for (const pod of store.list<Pod>('pods')) file(pod);
  const unsubscribe = store.subscribe(({ resource, type, object, previous }) => {
    if (resource !== 'pods') return;
    if (previous) unfile(previous as Pod);
    if (type !== 'DELETED') file(object as Pod);
  });
  return {
    podAt: (address) => pods.get(address) ?? pods.get(canonicalAddress(address) ?? ''),
    close: unsubscribe,
  };
}
