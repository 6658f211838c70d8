/** What one Service and its EndpointSlices mean for DNS: only the fields that answers are made of. */
import { type Diagnostic, diagnostic, type ObjectRef } from '../../base/diagnostics/index.ts';
import { refOf } from '../../kube/resources.ts';
import type { EndpointSlice, Service, SliceEndpoint } from '../../kube/types/index.ts';
import { canonicalAddress } from '../wire/address.ts';
import { canonicalName, foldCase, keyOfName } from '../wire/name.ts';

export interface NamedPort {
  /** Lower case; '' for an unnamed port. */
  readonly name: string;
  /** Lower case; '' when unknown. */
  readonly protocol: string;
  /** -1 when the Service or slice has no ports: addresses resolve, SRV has nothing to say. */
  readonly port: number;
}

/** One address of one endpoint, ready for traffic. */
export interface EndpointAddress {
  /** Canonical text. */
  readonly address: string;
  /** First label of the endpoint's own name. */
  readonly label: string;
  readonly ports: readonly NamedPort[];
  /** The topology zone that the endpoint runs in; undefined when the slice does not say. */
  readonly zone?: string;
}

export type ServiceForm = 'clusterIP' | 'headless' | 'externalName';

export interface ServiceEntry {
  /** Lower case. */
  readonly namespace: string;
  readonly name: string;
  readonly ref: ObjectRef;
  readonly form: ServiceForm;
  /** Cluster addresses of both families, in order; empty for the other forms. */
  readonly addresses: readonly string[];
  readonly ports: readonly NamedPort[];
  /** Absolute; undefined for other forms, or when the Service's is no host name. */
  readonly externalName?: string;
  /** Of ClusterIP Services too: `endpoint.service` resolves for them as well. Worked out when it is read. */
  readonly endpoints: readonly EndpointAddress[];
  readonly findings: readonly Diagnostic[];
}

const noPorts: readonly NamedPort[] = [{ name: '', protocol: '', port: -1 }];

function portsOf(
  ports: readonly { name?: string; protocol?: string; port?: number }[] | undefined,
): readonly NamedPort[] {
  if (!ports?.length) return noPorts;
  return ports.map(({ name, protocol, port }) => ({
    name: foldCase(String(name ?? '')),
    protocol: foldCase(String(protocol ?? 'TCP')),
    port: port ?? -1,
  }));
}

const hostLabel = /^[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?$/i;

/** The label of an endpoint: its hostname when that can be a label, else its address with dashes. */
export function endpointLabel(address: string, hostname: string | undefined): string {
  if (hostname && hostLabel.test(hostname)) return foldCase(String(hostname));
  if (!address.includes(':')) return address.replaceAll('.', '-');
  const dashed = foldCase(address).replaceAll(':', '-');
  return dashed.endsWith('-') ? `${dashed}0` : dashed;
}

/** The hostname of an endpoint, or its Pod's name when those stand in for it. */
function labelName({ hostname, targetRef }: SliceEndpoint, podNames: boolean): string | undefined {
  const pod = podNames && targetRef?.kind === 'Pod' ? targetRef.name : undefined;
  return hostname || (pod && pod.length < 64 ? pod : undefined);
}

function endpointAddresses(endpoint: SliceEndpoint, ports: readonly NamedPort[], podNames: boolean): EndpointAddress[] {
  const zone = endpoint.zone ? { zone: endpoint.zone } : {};
  return (endpoint.addresses ?? []).flatMap((text) => {
    const address = canonicalAddress(text);
    return address ? [{ address, label: endpointLabel(text, labelName(endpoint, podNames)), ports, ...zone }] : [];
  });
}

/** Whether an endpoint has a place in DNS: ready ones do (unset counts as ready), and all of a Service that says so. */
export function isPublished({ conditions }: SliceEndpoint, publishNotReady: boolean): boolean {
  return publishNotReady || conditions?.ready !== false;
}

/** Addresses of one slice that are published. */
export function sliceAddresses(slice: EndpointSlice, publishNotReady: boolean, podNames = false): EndpointAddress[] {
  const ports = portsOf(slice.ports);
  const published = (slice.endpoints ?? []).filter((endpoint) => isPublished(endpoint, publishNotReady));
  return published.flatMap((endpoint) => endpointAddresses(endpoint, ports, podNames));
}

/** Canonical addresses of one slice that are published, and nothing else of them. */
export function publishedAddresses({ endpoints }: EndpointSlice, publishNotReady: boolean): string[] {
  return (endpoints ?? []).flatMap((endpoint) =>
    isPublished(endpoint, publishNotReady) ? (endpoint.addresses ?? []).flatMap((a) => canonicalAddress(a) ?? []) : [],
  );
}

function formOf({ type, clusterIP, clusterIPs }: Service['spec']): ServiceForm {
  if (type === 'ExternalName') return 'externalName';
  return (clusterIPs?.[0] ?? clusterIP) === 'None' ? 'headless' : 'clusterIP';
}

function clusterAddresses({ clusterIP, clusterIPs }: Service['spec']): string[] {
  const given = clusterIPs?.length ? clusterIPs : clusterIP ? [clusterIP] : [];
  return [...new Set(given.flatMap((text) => canonicalAddress(text) ?? []))];
}

/** An ExternalName as an absolute name; undefined for IP addresses and names that cannot exist. */
function externalNameOf(value: string | undefined): string | undefined {
  if (!value || canonicalAddress(value) || keyOfName(value) === undefined) return undefined;
  return canonicalName(value);
}

function badExternalName(service: Service): Diagnostic {
  return diagnostic('FW4002', {
    message: `${JSON.stringify(service.spec?.externalName ?? '')} is not a host name; the Service has no DNS name`,
    object: refOf(service),
    fieldPath: 'spec.externalName',
  });
}

const none: readonly never[] = [];

/**
 * An entry whose endpoints are made when they are asked for, and anew when the garbage collector has taken them
 * meanwhile: of the endpoints of a large cluster few are ever asked for, and what is answered is kept in wire format.
 * A class, since an object with a getter of its own has a hidden class of its own in V8, which is larger than itself.
 */
class LazyEntry implements ServiceEntry {
  readonly namespace: string;
  readonly name: string;
  readonly ref: ObjectRef;
  readonly form: ServiceForm;
  readonly addresses: readonly string[];
  readonly ports: readonly NamedPort[];
  readonly externalName?: string;
  readonly findings: readonly Diagnostic[];
  readonly #make: () => readonly EndpointAddress[];
  #made: WeakRef<readonly EndpointAddress[]> | undefined;

  constructor(service: Service, make: () => readonly EndpointAddress[]) {
    const spec = service.spec ?? {};
    const externalName = spec.type === 'ExternalName' ? externalNameOf(spec.externalName) : undefined;
    this.namespace = foldCase(service.metadata.namespace ?? 'default');
    this.name = foldCase(service.metadata.name);
    this.ref = refOf(service);
    this.form = formOf(spec);
    this.addresses = this.form === 'clusterIP' ? clusterAddresses(spec) : none;
    this.ports = portsOf(spec.ports);
    if (externalName) this.externalName = externalName;
    this.findings = this.form === 'externalName' && !externalName ? [badExternalName(service)] : none;
    this.#make = make;
    this.#made = undefined;
  }

  get endpoints(): readonly EndpointAddress[] {
    const known = this.#made?.deref();
    if (known) return known;
    const made = this.#make();
    this.#made = new WeakRef(made);
    return made;
  }
}

/** `podNames`: endpoints without a hostname are named after their Pod. */
export function serviceEntry(service: Service, slices: readonly EndpointSlice[], podNames = false): ServiceEntry {
  const { type, publishNotReadyAddresses } = service.spec ?? {};
  if (type === 'ExternalName' || slices.length === 0) return new LazyEntry(service, () => none);
  const all = publishNotReadyAddresses === true;
  return new LazyEntry(service, () => slices.flatMap((slice) => sliceAddresses(slice, all, podNames)));
}
