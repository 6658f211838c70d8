/** Listeners of one Gateway: what each may carry, and which of them exclude each other. */
import { matchesLabelSelector } from '../../kube/selectors.ts';
import type { Gateway, LabelSelector, Namespace } from '../../kube/types/index.ts';
import { resolveFrontend } from './client-validation.ts';
import { type Context, type Fault, listenersNamed, someOf } from './context.ts';
import { covers, normalizeHostname } from './hostnames.ts';
import { gatewayGroup, type RouteKind, type ServedProtocol, servedProtocols } from './kinds.ts';
import { type ListenerFaults, type ListenerSpec, type ListenerState, terminatesTls } from './model.ts';
import { resolveCertificates } from './tls.ts';
import { resolveTlsOptions } from './tls-options.ts';

const operators: ReadonlySet<string> = new Set(['In', 'NotIn', 'Exists', 'DoesNotExist']);

/** Who holds a port of the Gateway's addresses already; undefined when it is free. */
export type PortOwner = (listener: ListenerSpec) => string | undefined;

export function resolveListeners(context: Context, gateway: Gateway, portOwner: PortOwner): ListenerState[] {
  const specs = gateway.spec.listeners ?? [];
  return specs.map((spec, index) => {
    const fieldPath = `spec.listeners[${index}]`;
    const protocol = servedProtocols.get(spec.protocol);
    const kinds = resolveKinds(context, gateway, spec, protocol, fieldPath);
    const conflicted = findConflict(context, gateway, specs, index);
    const tls = protocol && terminatesTls(spec) ? resolveCertificates(context, gateway, index) : undefined;
    const overlapping = protocol?.protocol === 'HTTPS' ? findOverlap(specs, index) : undefined;
    const frontend = protocol?.protocol === 'HTTPS' ? resolveFrontend(context, gateway, spec.port) : {};
    const accepted = conflicted ?? acceptance(context, gateway, spec, fieldPath, portOwner) ?? frontend.accepted;
    const alpn = resolveTlsOptions(context, gateway, spec, `${fieldPath}.tls.options`);
    const unresolved = tls?.fault ?? frontend.resolvedRefs ?? kinds.fault;
    const faults: ListenerFaults = {
      ...(accepted && { accepted }),
      ...(conflicted && { conflicted }),
      ...(unresolved && { resolvedRefs: unresolved }),
      ...(overlapping && { overlapping }),
    };
    return {
      index,
      spec,
      name: spec.name,
      port: spec.port,
      hostname: hostnameOf(spec),
      protocol,
      supportedKinds: kinds.supported,
      allowsNamespace: namespaceRule(context, gateway, spec),
      faults,
      certificates: tls?.certificates ?? [],
      loadedCertificates: tls?.loaded ?? [],
      ...(frontend.validation && { clientValidation: frontend.validation }),
      ...(alpn && { alpn }),
      attachments: [],
      attachedRoutes: 0,
    };
  });
}

/** What keeps a listener from being served, other than its neighbours. */
function acceptance(
  context: Context,
  gateway: Gateway,
  spec: ListenerSpec,
  fieldPath: string,
  portOwner: PortOwner,
): Fault | undefined {
  if (!servedProtocols.has(spec.protocol)) {
    const message = `protocol ${spec.protocol} is not served; ${[...servedProtocols.keys()].join(', ')} are`;
    context.report('FW3101', gateway, `${fieldPath}.protocol`, message);
    return { reason: 'UnsupportedProtocol', message };
  }
  const unserved = unservedField(spec, fieldPath);
  if (unserved) {
    context.report('FW3107', gateway, unserved.fieldPath, unserved.message);
    return { reason: 'UnsupportedValue', message: `${unserved.fieldPath}: ${unserved.message}` };
  }
  const owner = portOwner(spec);
  if (owner === undefined) return undefined;
  const message = `port ${spec.port} of this address belongs to ${owner}`;
  context.report('FW3106', gateway, `${fieldPath}.port`, message);
  return { reason: 'PortUnavailable', message };
}

/** A field that must not be passed over, because what it asks for protects something. */
function unservedField(spec: ListenerSpec, fieldPath: string): { fieldPath: string; message: string } | undefined {
  const unknownOperator = spec.allowedRoutes?.namespaces?.selector?.matchExpressions?.find(
    ({ operator }) => !operators.has(operator),
  );
  if (unknownOperator)
    return {
      fieldPath: `${fieldPath}.allowedRoutes.namespaces.selector`,
      message: `${unknownOperator.operator} is not a valid operator of a label selector`,
    };
  if (spec.protocol !== 'HTTPS') return undefined;
  if (spec.tls?.mode === 'Passthrough')
    return {
      fieldPath: `${fieldPath}.tls.mode`,
      message: 'an HTTPS listener terminates TLS; Passthrough needs protocol TLS',
    };
  return undefined;
}

function resolveKinds(
  context: Context,
  gateway: Gateway,
  spec: ListenerSpec,
  protocol: ServedProtocol | undefined,
  fieldPath: string,
): { supported: RouteKind[]; fault?: Fault } {
  const carried = protocol?.kinds ?? [];
  const asked = spec.allowedRoutes?.kinds ?? [];
  // Of a protocol that is not served, the protocol is the one thing to mend.
  if (!protocol || asked.length === 0) return { supported: [...carried] };
  const supported = new Set<RouteKind>();
  const invalid: string[] = [];
  for (const { group = gatewayGroup, kind } of asked) {
    const known = carried.find((candidate) => candidate === kind && group === gatewayGroup);
    if (known) supported.add(known);
    else invalid.push(group === gatewayGroup ? kind : `${kind}.${group || 'core'}`);
  }
  if (invalid.length === 0) return { supported: [...supported] };
  const message = `a listener of protocol ${spec.protocol} does not carry ${someOf(invalid)}; it carries ${carried.join(', ')}`;
  context.report('FW3103', gateway, `${fieldPath}.allowedRoutes.kinds`, message);
  return { supported: [...supported], fault: { reason: 'InvalidRouteKinds', message } };
}

/** Indistinct listeners (Gateway spec.listeners): none of them is served. Only served protocols take part. */
function findConflict(
  context: Context,
  gateway: Gateway,
  specs: readonly ListenerSpec[],
  index: number,
): Fault | undefined {
  const spec = specs[index]!;
  if (!servedProtocols.has(spec.protocol)) return undefined;
  const neighbours = specs.filter(
    (other, i) => i !== index && other.port === spec.port && servedProtocols.has(other.protocol),
  );
  const otherProtocol = neighbours.filter((other) => excludes(other, spec));
  const sameHostname = neighbours.filter(
    (other) => other.protocol === spec.protocol && hostnameOf(other) === hostnameOf(spec),
  );
  if (otherProtocol.length > 0) {
    const message = `port ${spec.port} is ${spec.protocol} here and another protocol for the ${listenersNamed(otherProtocol.map(nameOf))}`;
    context.report('FW3102', gateway, `spec.listeners[${index}].protocol`, message);
    return { reason: 'ProtocolConflict', message };
  }
  if (sameHostname.length === 0) return undefined;
  const message = `shares port and hostname with the ${listenersNamed(sameHostname.map(nameOf))}`;
  context.report('FW3102', gateway, `spec.listeners[${index}].hostname`, message);
  return { reason: 'HostnameConflict', message };
}

/**
 * Whether two protocols cannot share a port: UDP goes with everything else, HTTPS and TLS are told apart by server
 * name, TCP excludes all that would have to look at its bytes (Gateway spec.listeners, distinct listeners).
 */
function excludes(a: ListenerSpec, b: ListenerSpec): boolean {
  if (a.protocol === b.protocol || a.protocol === 'UDP' || b.protocol === 'UDP') return false;
  const bothTls = byServerName.has(a.protocol) && byServerName.has(b.protocol);
  return !bothTls || hostnameOf(a) === hostnameOf(b);
}

const byServerName: ReadonlySet<string> = new Set(['HTTPS', 'TLS']);

/** OverlappingTLSConfig: a client may reuse a connection made for one listener for a host of the other. */
function findOverlap(specs: readonly ListenerSpec[], index: number): Fault | undefined {
  const hostname = normalizeHostname(specs[index]!.hostname);
  const others = specs.filter((other, i) => {
    if (i === index || other.port !== specs[index]!.port || other.protocol !== 'HTTPS') return false;
    const theirs = normalizeHostname(other.hostname);
    return theirs !== hostname && (covers(hostname, theirs) || covers(theirs, hostname));
  });
  if (others.length === 0) return undefined;
  return {
    reason: 'OverlappingHostnames',
    message: `the hostname overlaps with that of the ${listenersNamed(others.map(nameOf))}: clients may reuse connections between them`,
  };
}

/** TCP and UDP know no hostnames: the field is ignored there. */
function hostnameOf({ protocol, hostname }: ListenerSpec): string {
  return protocol === 'TCP' || protocol === 'UDP' ? '*' : normalizeHostname(hostname);
}

const nameOf = ({ name }: ListenerSpec) => name;

/** allowedRoutes.namespaces; answers are remembered per namespace. */
function namespaceRule(context: Context, gateway: Gateway, spec: ListenerSpec): (namespace: string) => boolean {
  const { from = 'Same', selector } = spec.allowedRoutes?.namespaces ?? {};
  const own = gateway.metadata.namespace ?? 'default';
  if (from === 'All') return () => true;
  if (from !== 'Selector') return (namespace) => namespace === own;
  if (selector?.matchExpressions?.some(({ operator }) => !operators.has(operator))) return () => false;
  const known = new Map<string, boolean>();
  return (namespace) => {
    let allowed = known.get(namespace);
    if (allowed === undefined) {
      allowed = matchesLabelSelector(selector as LabelSelector | undefined, namespaceLabels(context, namespace));
      known.set(namespace, allowed);
    }
    return allowed;
  };
}

/** Every Namespace carries its name as a label (well-known label kubernetes.io/metadata.name). */
function namespaceLabels(context: Context, namespace: string): Record<string, string> {
  const object = context.input.store.get<Namespace>('namespaces', namespace);
  return { 'kubernetes.io/metadata.name': namespace, ...object?.metadata.labels };
}
