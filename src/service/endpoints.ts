/**
 * Endpoints of a Service port: shape shared by the data plane, L4 forwarding and insight, and how they follow from
 * Services and EndpointSlices.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { StoreReader } from '../kube/store/store.ts';
import {
  type EndpointSlice,
  type IPFamily,
  type Service,
  type ServicePort,
  type SliceEndpoint,
  serviceNameLabel,
} from '../kube/types/index.ts';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** Takes new traffic. */
  readonly ready: boolean;
  /** Would answer, though perhaps terminating. */
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly hostname?: string;
  readonly zone?: string;
  readonly nodeName?: string;
  /** `namespace/name` of the Pod, when it is one. */
  readonly pod?: string;
}

/** One port of a Service, as routes and forwarding name it. */
export interface ServicePortRef {
  readonly namespace: string;
  readonly service: string;
  /** Number or name of the Service port. */
  readonly port: number | string;
  /** Told apart when TCP and UDP share a number. Default: the TCP port if there is one. */
  readonly protocol?: ServicePort['protocol'];
}

export interface EndpointOptions {
  /** Default IPv4 only: IPv6 addresses of the local cluster are names, nothing listens on them. */
  readonly families?: readonly IPFamily[];
}

export const endpointSliceResource = 'endpointslices.discovery.k8s.io';
export const ipv4Only: readonly IPFamily[] = ['IPv4'];

/** The port of a Service by number or name; undefined when it has none such. */
export function findServicePort(
  service: Service,
  port: number | string,
  protocol?: ServicePort['protocol'],
): ServicePort | undefined {
  const matching = (service.spec.ports ?? []).filter(
    (candidate) =>
      (typeof port === 'number' ? candidate.port === port : candidate.name === port) &&
      (protocol === undefined || protocolOf(candidate) === protocol),
  );
  return matching.find((candidate) => protocolOf(candidate) === 'TCP') ?? matching[0];
}

export function protocolOf(port: { protocol?: string }): string {
  return port.protocol ?? 'TCP';
}

/** `namespace/name` of the Service that a slice belongs to; undefined when it names none. */
export function serviceOfSlice(slice: EndpointSlice): string | undefined {
  const name = slice.metadata.labels?.[serviceNameLabel];
  return name ? `${slice.metadata.namespace ?? ''}/${name}` : undefined;
}

/**
 * Endpoints of one Service port out of all slices of the Service. A slice port belongs to the Service port of the
 * same name and protocol; ports without a number are skipped, as kube-proxy does. An endpoint that stands in several
 * slices (while a controller moves it) counts once, with its best conditions. Sorted by address, then port.
 */
export function collectEndpoints(
  slices: Iterable<EndpointSlice>,
  port: ServicePort,
  families: readonly IPFamily[] = ipv4Only,
): Endpoint[] {
  const found = new Map<string, Endpoint>();
  for (const slice of slices) {
    if (!families.some((family) => family === slice.addressType)) continue;
    for (const slicePort of slice.ports ?? []) {
      if (!slicePort.port || (slicePort.name ?? '') !== (port.name ?? '')) continue;
      if (protocolOf(slicePort) !== protocolOf(port)) continue;
      for (const entry of slice.endpoints ?? []) {
        const endpoint = toEndpoint(slice, entry, slicePort.port);
        if (endpoint) keepBest(found, endpoint);
      }
    }
  }
  return [...found.values()].sort(byAddress);
}

function toEndpoint(slice: EndpointSlice, entry: SliceEndpoint, port: number): Endpoint | undefined {
  // The addresses of an entry are interchangeable; like kube-proxy, take the first.
  const address = entry.addresses?.[0];
  if (!address || !(slice.addressType === 'IPv6' ? isIPv6(address) : isIPv4(address))) return undefined;
  const ready = entry.conditions?.ready ?? true;
  const target = entry.targetRef;
  const pod =
    target?.kind === 'Pod' && target.name
      ? `${target.namespace ?? slice.metadata.namespace ?? ''}/${target.name}`
      : undefined;
  return {
    address,
    port,
    ready,
    serving: entry.conditions?.serving ?? ready,
    terminating: entry.conditions?.terminating ?? false,
    ...(entry.hostname && { hostname: entry.hostname }),
    ...(entry.zone && { zone: entry.zone }),
    ...(entry.nodeName && { nodeName: entry.nodeName }),
    ...(pod && { pod }),
  };
}

const rank = (endpoint: Endpoint) => (endpoint.ready ? 2 : endpoint.serving ? 1 : 0);

function keepBest(found: Map<string, Endpoint>, endpoint: Endpoint): void {
  const key = `${endpoint.address} ${endpoint.port}`;
  const known = found.get(key);
  if (!known || rank(endpoint) > rank(known)) found.set(key, endpoint);
}

/** The number that an IPv4 address is, so that 127.244.0.9 comes before 127.244.0.10; infinite for IPv6. */
function orderOf(address: string): number {
  let number = 0;
  let byte = 0;
  for (let i = 0; i < address.length; i++) {
    const digit = address.charCodeAt(i) - 48;
    if (digit === -2) {
      number = number * 256 + byte;
      byte = 0;
    } else if (digit >= 0 && digit <= 9) byte = byte * 10 + digit;
    else return Number.POSITIVE_INFINITY;
  }
  return number * 256 + byte;
}

function byAddress(a: Endpoint, b: Endpoint): number {
  if (a.address === b.address) return a.port - b.port;
  const [left, right] = [orderOf(a.address), orderOf(b.address)];
  return (left === right ? a.address < b.address : left < right) ? -1 : 1;
}

/** Slices by Service, remembered for as long as nothing was written, so that asking for every Service is linear. */
const sliceTables = new WeakMap<StoreReader, { revision: number; byService: Map<string, EndpointSlice[]> }>();

function slicesOf(store: StoreReader, service: string): readonly EndpointSlice[] {
  let table = sliceTables.get(store);
  if (table?.revision !== store.revision) {
    const byService = new Map<string, EndpointSlice[]>();
    for (const slice of store.list<EndpointSlice>(endpointSliceResource)) {
      const owner = serviceOfSlice(slice);
      const members = owner ? byService.get(owner) : undefined;
      if (members) members.push(slice);
      else if (owner) byService.set(owner, [slice]);
    }
    table = { revision: store.revision, byService };
    sliceTables.set(store, table);
  }
  return table.byService.get(service) ?? [];
}

/**
 * Endpoints behind a Service port right now, ready or not. None for ExternalName Services, missing Services and
 * ports that the Service does not have.
 */
export function backendEndpoints(store: StoreReader, ref: ServicePortRef, options: EndpointOptions = {}): Endpoint[] {
  const key = `${ref.namespace}/${ref.service}`;
  const service = store.get<Service>('services', key);
  if (!service || service.spec.type === 'ExternalName') return [];
  const port = findServicePort(service, ref.port, ref.protocol);
  return port ? collectEndpoints(slicesOf(store, key), port, options.families) : [];
}

/**
 * Endpoints that new traffic may go to: the ready ones; when there are none, those that still serve while they
 * terminate (KEP-1669, as kube-proxy does), so that the last Pod of a Service can finish its work.
 */
export function usableEndpoints(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  return ready.length > 0 ? ready : endpoints.filter((endpoint) => endpoint.serving && endpoint.terminating);
}

/** Equal in every field and in the same order. */
export function sameEndpoints(a: readonly Endpoint[], b: readonly Endpoint[]): boolean {
  return a.length === b.length && a.every((endpoint, index) => sameEndpoint(endpoint, b[index]!));
}

function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return (
    a.address === b.address &&
    a.port === b.port &&
    a.ready === b.ready &&
    a.serving === b.serving &&
    a.terminating === b.terminating &&
    a.hostname === b.hostname &&
    a.zone === b.zone &&
    a.nodeName === b.nodeName &&
    a.pod === b.pod
  );
}
