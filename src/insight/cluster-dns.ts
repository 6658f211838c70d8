/**
 * What the kubelets of a cluster write into resolv.conf, as far as its objects tell: their own configuration
 * (`clusterDNS`, `clusterDomain`) is not among them, so that it is read from what it has to agree with.
 */
import { parseCorefile } from '../dns/corefile/parse.ts';
import type { StoreReader } from '../kube/store/store.ts';
import type { ConfigMap, Service } from '../kube/types/index.ts';
import { kubernetesZones } from './records/corefile.ts';
import type { World } from './world.ts';

/** Where clusters have their DNS: kubeadm and nearly all others; charts of CoreDNS; OpenShift. */
const usual = ['kube-system/kube-dns', 'kube-system/coredns', 'openshift-dns/dns-default'];
/** What every Service of a cluster's DNS is labelled with, whatever its name (RKE2's has a long one). */
const label = { key: 'k8s-app', value: 'kube-dns' };
/** The node-local cache's way to the cluster's DNS, which no Pod asks. */
const behindCache = 'kube-dns-upstream';

const addressOf = (service: Service | undefined): string | undefined => {
  const address = service?.spec.clusterIPs?.[0] ?? service?.spec.clusterIP;
  return address === 'None' || address === '' ? undefined : address;
};

function labelled(store: StoreReader): Service[] {
  return store
    .list<Service>('services', 'kube-system')
    .filter(({ metadata }) => metadata.labels?.[label.key] === label.value && metadata.name !== behindCache)
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

/** The zone of the kubernetes plugin in CoreDNS' ConfigMap. */
function domainOf(store: StoreReader): string | undefined {
  const text = store.get<ConfigMap>('configmaps', 'kube-system/coredns')?.data?.Corefile;
  const corefile = text === undefined ? undefined : parseCorefile(text, { file: 'Corefile' });
  const zone = corefile?.ok ? kubernetesZones(corefile.value)?.[0] : undefined;
  return zone?.replace(/\.$/, '') || undefined;
}

/** Address (the first one of dual-stack Services, as kubeadm has it; none where no Service is known) and domain. */
export function clusterDnsOf(store: StoreReader): Pick<World, 'clusterDomain' | 'dnsAddresses'> {
  const services = [...usual.map((key) => store.get<Service>('services', key)), ...labelled(store)];
  const address = services.map(addressOf).find((found) => found !== undefined);
  return { clusterDomain: domainOf(store) ?? 'cluster.local', dnsAddresses: address === undefined ? [] : [address] };
}
