/** Objects that a cluster has before anyone creates one: namespaces, the Node, and the Services of its own parts. */
import { availableParallelism, hostname, totalmem } from 'node:os';
import {
  type EndpointSlice,
  type KubeObject,
  managedByLabel,
  type Node,
  type Service,
  serviceNameLabel,
} from '../../kube/types/index.ts';
import { GIT_VERSION } from '../apiserver/version.ts';
import type { ClusterConfig } from '../config.ts';
import { newNamespace } from './namespaces.ts';

/** Annotation of a Node: the text of its resolv.conf, which Pods with dnsPolicy Default inherit. */
export const resolvConfAnnotation = 'fairway.dev/resolv-conf';

/** Where a part of the cluster answers. */
export interface Door {
  /** IP address. */
  readonly address: string;
  readonly port: number;
}

export interface StandingOptions {
  readonly config: ClusterConfig;
  /** RFC 3339. */
  readonly now: string;
  /** Door of the API server. Default 127.0.0.1:8001. */
  readonly api?: Door;
  /** Door of the DNS server, UDP and TCP. Default 127.0.0.1:1053. */
  readonly dns?: Door;
  /** Door of the DNS server's metrics. Without one, the Service's port `metrics` leads nowhere. */
  readonly dnsMetrics?: Door;
  /** Text of the node's resolv.conf. */
  readonly nodeResolvConf?: string;
}

function nodeCondition(type: string, status: string, reason: string, message: string, now: string) {
  return { type, status, reason, message, lastHeartbeatTime: now, lastTransitionTime: now };
}

function standingNode(options: StandingOptions): Node {
  const { config, nodeResolvConf, now } = options;
  const podCIDRs = [`${config.podPrefix}.0.0/16`, `${config.podPrefix6}/96`];
  const capacity = { cpu: String(availableParallelism()), memory: `${Math.floor(totalmem() / 1024)}Ki`, pods: '65534' };
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: config.nodeName,
      labels: {
        'kubernetes.io/hostname': config.nodeName,
        'kubernetes.io/os': process.platform,
        'kubernetes.io/arch': arch,
        'node-role.kubernetes.io/control-plane': '',
      },
      ...(nodeResolvConf !== undefined && { annotations: { [resolvConfAnnotation]: nodeResolvConf } }),
    },
    spec: { podCIDR: podCIDRs[0]!, podCIDRs, providerID: `fairway://${hostname()}` },
    status: {
      addresses: [
        { type: 'InternalIP', address: config.nodeAddress },
        { type: 'Hostname', address: config.nodeName },
      ],
      capacity,
      allocatable: capacity,
      conditions: [
        nodeCondition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory', now),
        nodeCondition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure', now),
        nodeCondition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PIDs', now),
        nodeCondition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status', now),
      ],
      nodeInfo: {
        architecture: arch,
        operatingSystem: process.platform,
        osImage: process.platform,
        kernelVersion: '',
        kubeletVersion: GIT_VERSION,
        containerRuntimeVersion: `fairway://node-${process.versions.node}`,
      },
    },
  };
}

/** The sign of life that a kubelet gives; nothing here takes a Node away for want of it, so it is given once. */
function nodeLease({ config, now }: StandingOptions): KubeObject & { spec: object } {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: config.nodeName, namespace: 'kube-node-lease' },
    spec: { holderIdentity: config.nodeName, leaseDurationSeconds: 40, renewTime: now.replace('Z', '.000000Z') },
  };
}

function apiService(config: ClusterConfig): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      type: 'ClusterIP',
      clusterIP: config.apiServiceAddress,
      clusterIPs: [config.apiServiceAddress],
      ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: 6443 }],
    },
  };
}

function dnsService(config: ClusterConfig): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'kube-dns',
      namespace: 'kube-system',
      labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/name': 'CoreDNS' },
    },
    spec: {
      type: 'ClusterIP',
      clusterIP: config.dnsAddress,
      clusterIPs: [config.dnsAddress],
      ports: [
        { name: 'dns', protocol: 'UDP', port: 53, targetPort: 53 },
        { name: 'dns-tcp', protocol: 'TCP', port: 53, targetPort: 53 },
        { name: 'metrics', protocol: 'TCP', port: 9153, targetPort: 9153 },
      ],
    },
  };
}

function doorSlice(
  service: Service,
  name: string,
  door: Door,
  ports: readonly { name: string; protocol: string }[],
): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name,
      namespace: service.metadata.namespace!,
      labels: { [serviceNameLabel]: service.metadata.name, [managedByLabel]: 'fairway.dev' },
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: [door.address], conditions: { ready: true, serving: true, terminating: false } }],
    ports: ports.map((port) => ({ ...port, port: door.port })),
  };
}

/** In the order in which they have to be created. */
export function standingObjects(options: StandingOptions): KubeObject[] {
  const { config, dnsMetrics } = options;
  const api = options.api ?? { address: '127.0.0.1', port: 8001 };
  const dns = options.dns ?? { address: '127.0.0.1', port: 1053 };
  const [kubernetes, kubeDns] = [apiService(config), dnsService(config)];
  return [
    ...['default', 'kube-system', 'kube-public', 'kube-node-lease'].map(newNamespace),
    standingNode(options),
    nodeLease(options),
    kubernetes,
    kubeDns,
    doorSlice(kubernetes, 'kubernetes', api, [{ name: 'https', protocol: 'TCP' }]),
    doorSlice(kubeDns, 'kube-dns', dns, [
      { name: 'dns', protocol: 'UDP' },
      { name: 'dns-tcp', protocol: 'TCP' },
    ]),
    ...(dnsMetrics ? [doorSlice(kubeDns, 'kube-dns-metrics', dnsMetrics, [{ name: 'metrics', protocol: 'TCP' }])] : []),
  ];
}
