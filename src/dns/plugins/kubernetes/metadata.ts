/** What a name of the cluster asks for, and which Pod asks: for logs and templates (the `metadata` plugin). */
import { type ClusterName, type Grammar, parseClusterName } from '../../records/cluster-name.ts';
import { labelsInside } from '../../records/external-names.ts';
import { foldCase, parseName } from '../../wire/name.ts';
import { labelsOf } from '../../wire/query.ts';
import type { Client, Plugin } from '../plugin.ts';
import type { Clients } from './clients.ts';

type Publish = Parameters<NonNullable<Plugin['metadata']>>[1];

export interface MetadataOptions {
  /** All zones of the plugin, canonical. */
  readonly zones: readonly string[];
  readonly grammarOf: (zone: string) => Grammar;
  /** Known with `pods verified`. */
  readonly clients?: Clients;
}

/** The parts of a name under the keys that CoreDNS gives them; '' for those that it has not. */
const parts: { readonly [K in ClusterName['kind']]: (name: Extract<ClusterName, { kind: K }>) => Parts | undefined } = {
  structure: () => ({}),
  namespace: ({ namespace, of }) => ({ namespace, kind: of }),
  pod: ({ namespace, pod }) => ({ namespace, service: pod, kind: 'pod' }),
  service: ({ namespace, service, endpoint, port, protocol, cluster, zone }) => ({
    ...{ namespace, service, endpoint, protocol, cluster, kind: 'svc', 'port-name': port, zone: zone?.name },
  }),
  // Names of the server itself: no Service, no Pod.
  version: () => undefined,
  nameserver: () => undefined,
  unknown: () => undefined,
};

type Parts = Readonly<Record<string, string | undefined>>;
const keys = ['port-name', 'protocol', 'endpoint', 'service', 'namespace', 'kind'] as const;

function publishName(name: ClusterName, grammar: Grammar, publish: Publish): void {
  const found = (parts[name.kind] as (name: ClusterName) => Parts | undefined)(name);
  if (!found) {
    publish('kubernetes/parse-error', () => 'invalid query name');
    return;
  }
  for (const key of keys) publish(`kubernetes/${key}`, () => found[key] ?? '');
  if (grammar.multicluster) publish('kubernetes/cluster', () => found['cluster'] ?? '');
  if (grammar.zonal) publish('kubernetes/zone', () => found['zone'] ?? '');
}

function publishClient({ address }: Client, clients: Clients, publish: Publish): void {
  const pod = clients.podAt(address);
  if (!pod) return;
  const { name, namespace = 'default', labels = {} } = pod.metadata;
  publish('kubernetes/client-namespace', () => namespace);
  publish('kubernetes/client-pod-name', () => name);
  for (const [key, value] of Object.entries(labels)) publish(`kubernetes/client-label/${key}`, () => value);
}

/**
 * Publishes `kubernetes/kind`, `namespace`, `service`, `endpoint`, `port-name` and `protocol` of names in its zones, in
 * a clusterset also `cluster`, with zonal names also `zone`; `parse-error` for names that are none; and `client-*`.
 */
export function createMetadata({ zones, grammarOf, clients }: MetadataOptions): NonNullable<Plugin['metadata']> {
  const known = zones
    .map((zone) => ({ grammar: grammarOf(zone), labels: (parseName(zone) ?? []).map(foldCase) }))
    .sort((a, b) => b.labels.length - a.labels.length);
  return ({ query, client }, publish) => {
    if (clients) publishClient(client, clients, publish);
    const labels = labelsOf(query);
    const zone = known.find((candidate) => labelsInside(labels, candidate.labels));
    if (zone) publishName(parseClusterName(labelsInside(labels, zone.labels)!, zone.grammar), zone.grammar, publish);
  };
}
