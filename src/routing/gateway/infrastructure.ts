/**
 * What is generated for a Gateway: a Service named `<gateway>-<class>` and the EndpointSlices that lead from it to the
 * Gateway's own addresses and ports, so that Pods and people reach it by name (GEP-1762, Gateway spec.infrastructure).
 */
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import type { ObjectRef } from '../../base/diagnostics/index.ts';
import { equalJson } from '../../kube/objects.ts';
import {
  type EndpointSlice,
  type KubeObject,
  managedByLabel,
  type OwnerReference,
  type Service,
  serviceNameLabel,
} from '../../kube/types/index.ts';
import {
  type AddressBook,
  controllerOf,
  type Generated,
  gatewayControllerName,
  type TranslateInput,
} from '../translate.ts';
import type { Context } from './context.ts';
import { gatewayApiVersion, gatewayGroup } from './kinds.ts';
import { type GatewayState, isServable, type ListenerState } from './model.ts';

export const gatewayNameLabel = `${gatewayGroup}/gateway-name`;
export const gatewayClassNameLabel = `${gatewayGroup}/gateway-class-name`;
/** Label of everything that is generated, and its value (see `generatorOf`), which is that of `managedByLabel` on slices too. */
export const generatorLabel = 'app.kubernetes.io/managed-by';
export const generatorName = 'fairway.dev';

export const servicesResource = 'services';
export const slicesResource = 'endpointslices.discovery.k8s.io';

const longestLabel = 63;
const nothing: readonly Generated[] = [];

/** The label's value for a controller of that name: each leaves alone what another one has generated. */
export function generatorOf(controller: string): string {
  if (controller === gatewayControllerName) return generatorName;
  return shortened(
    controller.replace(/[^A-Za-z0-9._-]/g, '.').replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, ''),
    longestLabel,
  );
}

const hashLength = 8;
/** Names of Services are labels of RFC 1035: they begin with a letter and have no dots. */
const serviceName = /^[a-z]([a-z0-9-]*[a-z0-9])?$/;

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, hashLength);
}

/** The beginning of a name that is too long, with a hash of all of it. */
function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most - hashLength - 1).replace(/[-.]+$/, '')}-${hashOf(text)}`;
}

/** `<gateway>-<class>`; what no Service can be named becomes something near to it, with a hash. */
export function infrastructureName(gateway: string, gatewayClass: string): string {
  const name = `${gateway}-${gatewayClass}`;
  if (serviceName.test(name)) return shortened(name, longestLabel);
  const plain = `${/^[a-z]/.test(name) ? '' : 'gateway-'}${name.replaceAll('.', '-')}`;
  return `${plain.slice(0, longestLabel - hashLength - 1).replace(/-+$/, '')}-${hashOf(name)}`;
}

/** Of all Gateways, in their order. Those of `before` that are equal stay the same objects. */
export function generateInfrastructure(
  input: Pick<TranslateInput, 'addresses' | 'controllerName' | 'generate'>,
  gateways: readonly GatewayState[],
  before: readonly Generated[],
): readonly Generated[] {
  if (input.generate === false) return nothing;
  const generator = generatorOf(controllerOf(input));
  const known = new Map(before.map((generated) => [keyOf(generated), generated]));
  const now = gateways
    .flatMap((state) => generate(state, generator, addressesOf(input.addresses, state)))
    .map((generated) => {
      const kept = known.get(keyOf(generated));
      return kept && equalJson(kept, generated) ? kept : generated;
    });
  return now.length === before.length && now.every((generated, i) => generated === before[i]) ? before : now;
}

function keyOf({ resource, object: { metadata } }: Generated): string {
  return `${resource} ${metadata.namespace}/${metadata.name}`;
}

function keyOfRef({ namespace, name }: ObjectRef): string {
  return `${namespace}/${name}`;
}

/** Nothing for a Gateway that is on its way out, or that has no listener that could ever carry traffic. */
function generate(state: GatewayState, generator: string, addresses: readonly string[]): Generated[] {
  const { object: gateway, ref } = state;
  const known = state.merged.filter(({ protocol }) => protocol);
  if (known.length === 0 || gateway.metadata.deletionTimestamp) return [];
  const name = infrastructureName(gateway.metadata.name, gateway.spec.gatewayClassName);
  const ports = portsOf(known);
  const service: Service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf(state, generator, name),
    spec: {
      type: 'ClusterIP',
      ports: ports.map((port) => ({ ...port, targetPort: port.port })),
      ...(familiesOf(addresses).length > 1 && { ipFamilyPolicy: 'PreferDualStack' as const }),
    },
  };
  return [
    { gateway: ref, resource: servicesResource, object: service },
    ...slicesOf(state, generator, name, ports, addresses).map((object) => ({
      gateway: ref,
      resource: slicesResource,
      object,
    })),
  ];
}

interface Port {
  readonly name: string;
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
}

/** One for each port and transport: listeners that share a port share its entry, named after the first of them. */
function portsOf(listeners: readonly ListenerState[]): Port[] {
  const ports = new Map<string, Port>();
  for (const { port, protocol } of listeners) {
    const transport = protocol!.protocol === 'UDP' ? 'UDP' : 'TCP';
    const key = `${transport} ${port}`;
    if (!ports.has(key))
      ports.set(key, { name: `${protocol!.protocol.toLowerCase()}-${port}`, protocol: transport, port });
  }
  return [...ports.values()];
}

/** Where Pods reach it, which names of hosts cannot say. */
function addressesOf(book: AddressBook, { addresses: { usable, shown } }: GatewayState): string[] {
  const all = book.reached ? usable.flatMap((address) => book.reached!(address)) : shown;
  return [...new Set(all)].filter((address) => isIP(address) > 0);
}

function familiesOf(addresses: readonly string[]): ('IPv4' | 'IPv6')[] {
  const versions = new Set(addresses.map(isIP));
  return [...(versions.has(4) ? ['IPv4' as const] : []), ...(versions.has(6) ? ['IPv6' as const] : [])];
}

/** They lead to ports that are served; without such a port there are none, and connections are refused. */
function slicesOf(
  state: GatewayState,
  generator: string,
  service: string,
  ports: readonly Port[],
  addresses: readonly string[],
): EndpointSlice[] {
  if (state.fault) return [];
  const open = new Set(portsOf(state.merged.filter(isServable)).map(({ protocol, port }) => `${protocol} ${port}`));
  const served = ports.filter(({ protocol, port }) => open.has(`${protocol} ${port}`));
  if (served.length === 0) return [];
  return familiesOf(addresses).map((family) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: metadataOf(state, generator, `${service}-${family.toLowerCase()}`, {
      [serviceNameLabel]: service,
      [managedByLabel]: generator,
    }),
    addressType: family,
    endpoints: addresses
      .filter((address) => isIP(address) === (family === 'IPv4' ? 4 : 6))
      .map((address) => ({
        addresses: [address],
        conditions: { ready: true, serving: true, terminating: false },
      })),
    ports: served.map((port) => ({ ...port })),
  }));
}

function metadataOf(
  { object: { metadata, spec } }: GatewayState,
  generator: string,
  name: string,
  labels: Record<string, string> = {},
) {
  const { namespace = 'default', uid = '' } = metadata;
  const { labels: asked, annotations } = spec.infrastructure ?? {};
  const owner: OwnerReference = {
    apiVersion: gatewayApiVersion,
    kind: 'Gateway',
    name: metadata.name,
    uid,
    controller: true,
  };
  return {
    name,
    namespace,
    labels: {
      ...asked,
      ...labels,
      [generatorLabel]: generator,
      [gatewayNameLabel]: shortened(metadata.name, longestLabel),
      [gatewayClassNameLabel]: shortened(spec.gatewayClassName, longestLabel),
    },
    ...(annotations && { annotations: { ...annotations } }),
    ownerReferences: [owner],
  };
}

/** Whether an object was generated for the Gateway of that name, this one or one before it. */
export function isOwnedBy(object: KubeObject, gateway: string): boolean {
  return (object.metadata.ownerReferences ?? []).some(
    ({ apiVersion, kind, name }) => kind === 'Gateway' && name === gateway && apiVersion.startsWith(`${gatewayGroup}/`),
  );
}

/**
 * Those that may be written, which is all but those whose name somebody else's object has: that is never touched. The
 * state of such a Gateway says so, for its status, and a finding does.
 */
export function withoutForeign(
  context: Context,
  states: readonly GatewayState[],
  generated: readonly Generated[],
): readonly Generated[] {
  const holders = new Set<string>();
  /** By Gateway. */
  const foreign = new Map<string, string[]>();
  for (const each of generated) {
    const { resource, object, gateway } = each;
    const stored = context.input.store.get<KubeObject>(
      resource,
      `${object.metadata.namespace}/${object.metadata.name}`,
    );
    const key = keyOf(each);
    // Two Gateways can come to one name: `a-b` of class `c`, and `a` of class `b-c`.
    if (holders.has(key) || (stored && !isOwnedBy(stored, gateway.name))) {
      const others = foreign.get(keyOfRef(gateway));
      const label = `${object.kind} ${object.metadata.name}`;
      if (others) others.push(label);
      else foreign.set(keyOfRef(gateway), [label]);
    } else holders.add(key);
  }
  for (const state of states) noteForeign(context, state, foreign.get(keyOfRef(state.ref)));
  return foreign.size === 0 ? generated : generated.filter(({ gateway }) => !foreign.has(keyOfRef(gateway)));
}

function noteForeign(context: Context, state: GatewayState, names: readonly string[] | undefined): void {
  if (names) {
    state.taken = `it is not reached by name, because the ${names.join(' and the ')} of this namespace belong${names.length > 1 ? '' : 's'} to somebody else`;
    context.report('FW3006', state.object, 'metadata.name', state.taken);
  } else if (state.taken !== undefined) delete state.taken;
}
