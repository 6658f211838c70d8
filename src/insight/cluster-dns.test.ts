import { describe, expect, it } from 'vitest';
import { createStore } from '../kube/store/store.ts';
import type { KubeObject } from '../kube/types/index.ts';
import { clusterDnsOf } from './cluster-dns.ts';

interface Given {
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
  readonly clusterIP: string;
  readonly clusterIPs?: readonly string[];
}

function clusterOf(services: Record<string, Given>, corefile?: string) {
  const store = createStore();
  const put = (resource: string, object: object) => store.put(resource, { apiVersion: 'v1', ...object } as KubeObject);
  for (const [name, { namespace = 'kube-system', labels = {}, ...spec }] of Object.entries(services))
    put('services', { kind: 'Service', metadata: { name, namespace, labels }, spec });
  if (corefile !== undefined) {
    const metadata = { name: 'coredns', namespace: 'kube-system' };
    put('configmaps', { kind: 'ConfigMap', metadata, data: { Corefile: corefile } });
  }
  return clusterDnsOf(store);
}

const dns = { 'k8s-app': 'kube-dns' };

describe('the DNS of a cluster, from its objects', () => {
  it.each<[string, Record<string, Given>, string[]]>([
    ['kubeadm', { 'kube-dns': { clusterIP: '10.96.0.10', labels: dns } }, ['10.96.0.10']],
    ['two families', { 'kube-dns': { clusterIP: 'fd00::a', clusterIPs: ['fd00::a', '10.96.0.10'] } }, ['fd00::a']],
    ['a chart of CoreDNS', { coredns: { clusterIP: '10.0.0.10' } }, ['10.0.0.10']],
    ['OpenShift', { 'dns-default': { namespace: 'openshift-dns', clusterIP: '172.30.0.10' } }, ['172.30.0.10']],
    ['another name', { 'rke2-coredns-rke2-coredns': { clusterIP: '10.43.0.10', labels: dns } }, ['10.43.0.10']],
    [
      'a node-local cache',
      {
        'kube-dns-upstream': { clusterIP: '10.96.0.99', labels: dns },
        'x-dns': { clusterIP: '10.96.0.9', labels: dns },
      },
      ['10.96.0.9'],
    ],
    ['headless, and nothing else', { 'kube-dns': { clusterIP: 'None', clusterIPs: ['None'] } }, []],
    [
      'Services of that name elsewhere',
      { 'kube-dns': { namespace: 'shop', clusterIP: '10.96.0.66', labels: dns } },
      [],
    ],
  ])('its address: %s', (_name, services, addresses) => {
    expect(clusterOf(services).dnsAddresses).toEqual(addresses);
  });

  it.each([
    [
      'CoreDNS says it',
      '.:53 {\n errors\n kubernetes prod.example in-addr.arpa ip6.arpa {\n  pods insecure\n }\n}',
      'prod.example',
    ],
    ['by its block', '. {\n whoami\n}\nshop.example:53 {\n kubernetes\n}', 'shop.example'],
    ['a Corefile that cannot be read', '.:53 {\n kubernetes', 'cluster.local'],
    ['one that CoreDNS would refuse', '.:53 {\n kubernetes in-addr.arpa\n}', 'cluster.local'],
    ['no Corefile', undefined, 'cluster.local'],
  ])('its domain: %s', (_name, corefile, domain) => {
    expect(clusterOf({}, corefile).clusterDomain).toBe(domain);
  });
});
