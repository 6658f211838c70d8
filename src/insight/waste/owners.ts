/** Puts the workloads of Pods that are known here in the place of the addresses that a server counted. */
import { createClients } from '../../dns/plugins/kubernetes/clients.ts';
import { mergeWaste, type WasteGroup, type WastePage } from '../../dns/waste/page.ts';
import { workloadOf } from '../../dns/waste/workload.ts';
import type { StoreReader } from '../../kube/store/store.ts';

/** Pods that are gone by now leave their addresses as they are. */
export function withOwners(page: WastePage, store: StoreReader): WastePage {
  const clients = createClients(store);
  const groups = page.groups.map((group): WasteGroup => {
    const pod = group.workload ? undefined : clients.podAt(group.address);
    if (!pod) return group;
    return { ...group, namespace: pod.metadata.namespace ?? 'default', workload: workloadOf(pod), address: '' };
  });
  clients.close();
  return mergeWaste([{ ...page, groups }]);
}
