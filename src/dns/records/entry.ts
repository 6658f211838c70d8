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
  /** Of ClusterIP Services too: `endpoint.service` resolves for them as well. */
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
  return (endpoint.addresses ?? []).flatMap((text) => {
    const address = canonicalAddress(text);
    return address ? [{ address, label: endpointLabel(text, labelName(endpoint, podNames)), ports }] : [];
  });
}

/** Addresses of one slice that are published: ready ones (unset counts as ready), or all of a Service that says so. */
export function sliceAddresses(slice: EndpointSlice, publishNotReady: boolean, podNames = false): EndpointAddress[] {
  const ports = portsOf(slice.ports);
  const published = (slice.endpoints ?? []).filter((e) => publishNotReady || e.conditions?.ready !== false);
  return published.flatMap((endpoint) => endpointAddresses(endpoint, ports, podNames));
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

/** `podNames`: endpoints without a hostname are named after their Pod. */
export function serviceEntry(service: Service, slices: readonly EndpointSlice[], podNames = false): ServiceEntry {
  const spec = service.spec ?? {};
  const form = formOf(spec);
  const externalName = form === 'externalName' ? externalNameOf(spec.externalName) : undefined;
  const findings: Diagnostic[] = [];
  if (form === 'externalName' && !externalName) {
    findings.push(
      diagnostic('FW4002', {
        message: `${JSON.stringify(spec.externalName ?? '')} is not a host name; the Service has no DNS name`,
        object: refOf(service),
        fieldPath: 'spec.externalName',
      }),
    );
  }
  return {
    namespace: foldCase(service.metadata.namespace ?? 'default'),
    name: foldCase(service.metadata.name),
    ref: refOf(service),
    form,
    addresses: form === 'clusterIP' ? clusterAddresses(spec) : [],
    ports: portsOf(spec.ports),
    ...(externalName && { externalName }),
    endpoints:
      form === 'externalName'
        ? []
        : slices.flatMap((slice) => sliceAddresses(slice, spec.publishNotReadyAddresses === true, podNames)),
    findings,
  };
}
