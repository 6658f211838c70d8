/**
 * What a running front door was told, kept where its state is kept: ConfigMap kube-system/fairway. `explain`, `lookup`
 * and `resolvconf` read it through the API and so answer for the same cluster.
 */
import type { StoreReader } from '../kube/store/store.ts';
import type { ConfigMap } from '../kube/types/index.ts';
import type { IngressNginxFlags } from '../routing/ingress-nginx/flags.ts';
import { type ClusterConfig, defaultClusterConfig } from './config.ts';

const name = 'fairway';
const namespace = 'kube-system';

export interface Settings {
  readonly adopt: boolean;
  readonly clusterDomain: string;
  readonly ingressAddress: string;
  readonly dnsAddress: string;
  /** resolv.conf of the node. */
  readonly nodeResolvConf: string;
  /** What it was told of the command line of ingress-nginx. */
  readonly ingressNginx?: IngressNginxFlags;
}

export function settingsObject(settings: Settings): ConfigMap {
  const { adopt, clusterDomain, ingressAddress, dnsAddress, nodeResolvConf, ingressNginx } = settings;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels: { 'app.kubernetes.io/managed-by': 'fairway' } },
    data: {
      ...{ adopt: String(adopt), clusterDomain, ingressAddress, dnsAddress, 'resolv.conf': nodeResolvConf },
      ...(ingressNginx && { 'ingress-nginx': JSON.stringify(ingressNginx) }),
    },
  };
}

/** Settings of the cluster whose objects are in the store; undefined where no `fairway up` wrote them. */
export function readSettings(store: StoreReader, config: ClusterConfig = defaultClusterConfig): Settings | undefined {
  const data = store.get<ConfigMap>('configmaps', `${namespace}/${name}`)?.data;
  if (!data) return undefined;
  return {
    adopt: data.adopt === 'true',
    clusterDomain: data.clusterDomain ?? config.clusterDomain,
    ingressAddress: data.ingressAddress ?? config.ingressAddress,
    dnsAddress: data.dnsAddress ?? config.dnsAddress,
    nodeResolvConf: data['resolv.conf'] ?? '',
    ...flagsIn(data['ingress-nginx']),
  };
}

/** Nothing where the text is none of ours: anybody may have edited the ConfigMap. */
function flagsIn(text: string | undefined): Pick<Settings, 'ingressNginx'> {
  if (text === undefined) return {};
  try {
    const flags: unknown = JSON.parse(text);
    return typeof flags === 'object' && flags !== null ? { ingressNginx: flags } : {};
  } catch {
    return {};
  }
}
