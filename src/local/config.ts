/** Facts of the cluster on loopback: ranges, names, defaults. One place, printed by docs/local-cluster.md. */

export interface ClusterConfig {
  readonly clusterDomain: string;
  /** First two bytes of each IPv4 range; the ranges are /16. */
  readonly servicePrefix: string;
  readonly podPrefix: string;
  readonly loadBalancerPrefix: string;
  /** IPv6 ranges (names only: nothing is bound there), as the first 96 bits. */
  readonly servicePrefix6: string;
  readonly podPrefix6: string;
  /** ClusterIP of kube-system/kube-dns. */
  readonly dnsAddress: string;
  /** ClusterIP of default/kubernetes. */
  readonly apiServiceAddress: string;
  readonly nodeName: string;
  readonly nodeAddress: string;
  readonly nodePortRange: readonly [number, number];
  /** Address of all Ingresses. */
  readonly ingressAddress: string;
}

export const defaultClusterConfig: ClusterConfig = {
  clusterDomain: 'cluster.local',
  servicePrefix: '127.96',
  podPrefix: '127.244',
  loadBalancerPrefix: '127.250',
  servicePrefix6: 'fd00:96::',
  podPrefix6: 'fd00:244::',
  dnsAddress: '127.96.0.10',
  apiServiceAddress: '127.96.0.1',
  nodeName: 'fairway',
  nodeAddress: '127.245.0.1',
  nodePortRange: [30000, 32767],
  ingressAddress: '127.250.0.1',
};
