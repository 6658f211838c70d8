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

/** Clusters that can run side by side: 0 has the ranges above, each further one four ranges of its own. */
export const maxInstance = 30;

/** Ranges of the n-th cluster of a machine: Services 127.(100 + 4n), Pods, load balancers and the node behind it. */
export function clusterConfigOf(instance: number): ClusterConfig {
  if (instance === 0) return defaultClusterConfig;
  const first = 100 + 4 * instance;
  return {
    ...defaultClusterConfig,
    servicePrefix: `127.${first}`,
    podPrefix: `127.${first + 1}`,
    loadBalancerPrefix: `127.${first + 2}`,
    dnsAddress: `127.${first}.0.10`,
    apiServiceAddress: `127.${first}.0.1`,
    nodeAddress: `127.${first + 3}.0.1`,
    ingressAddress: `127.${first + 2}.0.1`,
  };
}
