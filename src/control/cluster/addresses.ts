/**
 * Addresses where nobody can invent any: all Gateways are served on one address of this machine, and statuses show
 * where people reach it, which is a load balancer's address, a Service's, or the machine's own.
 */
import { networkInterfaces } from 'node:os';
import type { StoreReader } from '../../kube/store/store.ts';
import type { EndpointSlice, Service } from '../../kube/types/index.ts';
import type { AddressBook } from '../../routing/translate.ts';
import { endpointSliceResource, serviceOfSlice } from '../../service/endpoints.ts';
import { createIngressDoor } from './ingress-door.ts';

export interface ClusterAddressesOptions {
  readonly store: StoreReader;
  /** Where listeners of Gateways are bound. */
  readonly listen: string;
  /** Where Ingresses are served. Default: where Gateways are. */
  readonly ingressListen?: string;
  /** Shown in statuses. Default: those of `publishService`, else of `listen`. */
  readonly published?: readonly string[];
  /** `namespace/name` of the Service whose addresses are shown. */
  readonly publishService?: string;
  /** Of our GatewayClasses. Default `gatewayControllerName`. */
  readonly controllerName?: string;
}

export interface ClusterAddresses extends AddressBook {
  /** Shown in statuses now: IP addresses and, from a Service, host names. */
  current(): readonly string[];
  /** Changes with all that statuses and generated objects say of addresses. */
  look(): string;
  /** Why Ingresses are not served, when they are not though there are some. */
  closedIngress(): string | undefined;
}

const isEverywhere = (address: string): boolean => address === '0.0.0.0' || address === '::';

export function createClusterAddresses(options: ClusterAddressesOptions): ClusterAddresses {
  const { store, listen, ingressListen = listen } = options;
  const own = isEverywhere(listen) ? hostAddresses(listen) : [listen];
  const { controllerName } = options;
  const named = controllerName !== undefined && { controllerName };
  const door = createIngressDoor({ store, isShared: ingressListen === listen, ...named });

  function current(): readonly string[] {
    if (options.published?.length) return options.published;
    return options.publishService === undefined ? own : serviceAddresses(store, options.publishService);
  }

  /** Pods cannot be led to a virtual address (EndpointSlice endpoints), but to the replicas behind it. */
  const reached = () => {
    const { publishService } = options;
    const replicas = publishService === undefined ? [] : readyAddresses(store, publishService);
    return replicas.length > 0 ? replicas : own;
  };

  return {
    current,
    look: () => [...current(), ...reached()].join(' '),
    reached,
    closedIngress: () => door.closed(),
    ingress: () => (door.isOpen() ? [ingressListen] : []),
    gateway: () => listen,
    usable: (address) => address === listen || current().includes(address),
    served: () => listen,
    published: () => current(),
    // An address of their own is shown as it is: what is published leads to the Gateways.
    ingressPublished: () => (ingressListen === listen || isEverywhere(ingressListen) ? current() : [ingressListen]),
  };
}

/** Load balancer's, else external, else cluster addresses. Empty while it has none. */
function serviceAddresses(store: StoreReader, key: string): readonly string[] {
  const service = store.get<Service>('services', key);
  const { spec, status } = service ?? {};
  const balanced = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? []);
  const all = [...balanced, ...(spec?.externalIPs ?? [])];
  if (all.length > 0 || spec?.type === 'LoadBalancer') return [...new Set(all)];
  return (spec?.clusterIPs ?? [spec?.clusterIP ?? '']).filter((ip) => ip !== '' && ip !== 'None');
}

/** Addresses of the Pods behind a Service that take traffic, each once, sorted. */
function readyAddresses(store: StoreReader, key: string): readonly string[] {
  const slices = store.list<EndpointSlice>(endpointSliceResource).filter((slice) => serviceOfSlice(slice) === key);
  const ready = slices.flatMap(({ endpoints }) => endpoints.filter(({ conditions }) => conditions?.ready !== false));
  return [...new Set(ready.flatMap(({ addresses }) => addresses.slice(0, 1)))].sort();
}

/** Of the machine, for a socket that is bound everywhere: the first of each family that others can reach. */
function hostAddresses(listen: string): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const reachable = all.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  const first = (family: 'IPv4' | 'IPv6') => reachable.find((each) => each.family === family)?.address ?? [];
  return [first('IPv4'), listen === '::' ? first('IPv6') : []].flat();
}
