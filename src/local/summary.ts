/** What a running front door offers, as data: the `ready` event of `fairway up --json` and the table for people. */
import type { Diagnostic } from '../base/diagnostics/index.ts';
import { keyOf } from '../kube/resources.ts';
import type { StoreReader } from '../kube/store/store.ts';
import type { Gateway, Ingress, ListenerSet, Service, ServicePort } from '../kube/types/index.ts';
import type { Plan, StreamListener } from '../routing/plan/plan.ts';
import type { BindPolicy } from '../service/bind.ts';
import { wantedSockets } from '../service/forward/wanted.ts';
import type { ClusterConfig } from './config.ts';

export interface Summary {
  readonly api: string;
  readonly dns: readonly { readonly address: string; readonly port: number }[];
  /** URL of the metrics page; null without one. */
  readonly metrics: string | null;
  readonly ingress: {
    readonly addresses: readonly string[];
    readonly http: number;
    readonly https: number;
    /** Ports of the ConfigMaps with which ingress-nginx carries TCP and UDP. */
    readonly streams: readonly StreamSummary[];
  };
  readonly gateways: readonly GatewaySummary[];
  readonly services: readonly ServiceSummary[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface StreamSummary {
  /** Where it really answers. */
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP';
  /** `shop/database:5432`; null where the entry leads nowhere. */
  readonly to: string | null;
}

export interface GatewaySummary {
  readonly namespace: string;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly listeners: readonly ListenerSummary[];
  /** ListenerSets that are accepted. */
  readonly listenerSets: readonly ListenerSetSummary[];
}

export interface ListenerSummary {
  readonly name: string;
  /** Where the listener really answers. */
  readonly port: number;
  readonly protocol: string;
  readonly hostname: string | null;
}

export interface ListenerSetSummary {
  readonly namespace: string;
  readonly name: string;
  readonly listeners: readonly ListenerSummary[];
}

export interface ServiceSummary {
  readonly namespace: string;
  readonly name: string;
  /** `None` for headless Services, null for ExternalName. */
  readonly clusterIP: string | null;
  readonly ports: readonly ServicePortSummary[];
}

export interface ServicePortSummary {
  readonly name: string | null;
  readonly port: number;
  readonly protocol: string;
  /**
   * `address:port` of each place where the port answers on this machine: ClusterIP first, then externalIPs, load
   * balancer and NodePorts. Empty for headless Services.
   */
  readonly at: readonly string[];
}

export interface SummaryInput {
  store: StoreReader;
  config: ClusterConfig;
  bind: BindPolicy;
  api: string;
  dns: readonly { address: string; port: number }[];
  /** URL. */
  metrics: string | undefined;
  plan: Plan;
  diagnostics: readonly Diagnostic[];
}

const byName = (
  a: { metadata: { namespace?: string; name: string } },
  b: { metadata: { namespace?: string; name: string } },
) => (`${a.metadata.namespace}/${a.metadata.name}` < `${b.metadata.namespace}/${b.metadata.name}` ? -1 : 1);

/** Accepted sets by `namespace/name` of their Gateway, by name. */
function acceptedSets(store: StoreReader): ReadonlyMap<string, readonly ListenerSet[]> {
  const found = new Map<string, ListenerSet[]>();
  for (const set of store.list<ListenerSet>('listenersets.gateway.networking.k8s.io').sort(byName)) {
    const isAccepted = set.status?.conditions?.some(({ type, status }) => type === 'Accepted' && status === 'True');
    const { namespace = set.metadata.namespace, name } = set.spec.parentRef;
    if (!isAccepted) continue;
    const siblings = found.get(`${namespace}/${name}`);
    if (siblings) siblings.push(set);
    else found.set(`${namespace}/${name}`, [set]);
  }
  return found;
}

function gatewaySummary(gateway: Gateway, sets: readonly ListenerSet[], bind: BindPolicy): GatewaySummary {
  const addresses = (gateway.status?.addresses ?? []).flatMap(({ value }) => (value ? [value] : []));
  const real = (port: number, protocol: string) =>
    addresses[0] ? bind.map(addresses[0], port, protocol === 'UDP' ? 'UDP' : 'TCP') : { address: '', port };
  const listenersOf = (listeners: Gateway['spec']['listeners'] | ListenerSet['spec']['listeners'] = []) =>
    listeners.map(({ name, port, protocol, hostname }) => ({
      name,
      port: real(port, protocol).port,
      protocol,
      hostname: hostname ?? null,
    }));
  return {
    namespace: gateway.metadata.namespace ?? 'default',
    name: gateway.metadata.name,
    addresses: addresses.map((address) => bind.map(address, 80, 'TCP').address),
    listeners: listenersOf(gateway.spec.listeners),
    listenerSets: sets.map(({ metadata, spec }) => ({
      namespace: metadata.namespace ?? 'default',
      name: metadata.name,
      listeners: listenersOf(spec.listeners),
    })),
  };
}

function serviceSummary(service: Service, bind: BindPolicy, config: ClusterConfig): ServiceSummary {
  const { sockets } = wantedSockets(service, [config.nodeAddress]);
  const placesOf = (port: ServicePort) =>
    sockets
      .filter(({ servicePort }) => servicePort === port)
      .map((socket) => bind.map(socket.address, socket.port, socket.protocol))
      .map((place) => `${place.address}:${place.port}`);
  return {
    namespace: service.metadata.namespace ?? 'default',
    name: service.metadata.name,
    clusterIP: service.spec.type === 'ExternalName' ? null : (service.spec.clusterIP ?? null),
    ports: (service.spec.ports ?? []).map((port) => ({
      name: port.name ?? null,
      port: port.port,
      protocol: port.protocol ?? 'TCP',
      at: placesOf(port),
    })),
  };
}

/** Sockets of the Ingress door for bytes and datagrams; those of TLS that is passed through are those of HTTPS. */
function streamSummaries({ plan, config, bind }: Pick<SummaryInput, 'plan' | 'config' | 'bind'>): StreamSummary[] {
  const isCarried = ({ address, sources }: StreamListener) =>
    address === config.ingressAddress && sources.some(({ object }) => object.kind === 'ConfigMap');
  return (plan.streams ?? []).filter(isCarried).flatMap(({ address, port, protocol, routes }) => {
    if (protocol === 'TLS') return [];
    const id = routes[0]?.backends[0]?.backend;
    const found = id === undefined ? undefined : plan.backends[id];
    const to = found ? `${found.namespace}/${found.service}:${found.port}` : null;
    return [{ port: bind.map(address, port, protocol).port, protocol, to }];
  });
}

export function summarise(input: SummaryInput): Summary {
  const { store, config, bind, api, dns, metrics, diagnostics } = input;
  const door = bind.map(config.ingressAddress, 80, 'TCP');
  const sets = acceptedSets(store);
  return {
    api,
    dns,
    metrics: metrics ?? null,
    ingress: {
      ...{ addresses: [door.address], http: door.port, https: bind.map(config.ingressAddress, 443, 'TCP').port },
      streams: streamSummaries(input),
    },
    gateways: store
      .list<Gateway>('gateways.gateway.networking.k8s.io')
      .sort(byName)
      .map((gateway) => gatewaySummary(gateway, sets.get(keyOf(gateway)) ?? [], bind)),
    services: store
      .list<Service>('services')
      .sort(byName)
      .map((service) => serviceSummary(service, bind, config)),
    diagnostics,
  };
}

/** Ingresses in a stable order, for the table. */
export function listIngresses(store: StoreReader): Ingress[] {
  return store.list<Ingress>('ingresses.networking.k8s.io').sort(byName);
}
