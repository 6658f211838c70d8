/** Attaching routes to listeners (ParentReference, AllowedRoutes, hostnames); the same for every kind of route. */
import { blank } from '../../base/blank.ts';
import type { DiagnosticCode } from '../../base/diagnostics/index.ts';
import type { ResourceName } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { addFindings, type Captured, capture } from '../incremental/capture.ts';
import { type Context, type Fault, listenersNamed, someOf } from './context.ts';
import {
  asksForDefaults,
  defaultParents,
  defaultsField,
  isDefaultGateway,
  reportNoDefault,
} from './default-gateways.ts';
import { compareSpecificity, intersect, normalizeHostname } from './hostnames.ts';
import { gatewayGroup, type RouteKind, resources, servedProtocols } from './kinds.ts';
import type {
  Attachment,
  GatewayState,
  ListenerSetState,
  ListenerState,
  ParentRef,
  ParentState,
  RouteObject,
  RouteState,
} from './model.ts';
import type { GatewayStates, SetStates } from './steady.ts';

/** The hostnames where a route and one listener meet. */
export interface Meeting {
  readonly listener: ListenerState;
  readonly hostnames: Attachment['hostnames'];
}

export interface AttachedParent extends ParentState {
  readonly meetings: readonly Meeting[];
}

/** What routes may attach to. */
export interface Parents {
  readonly gateways: GatewayStates;
  readonly sets: SetStates;
}

/** A Gateway or a ListenerSet, with the listeners that are written in it: a route attaches to those alone. */
interface Parent {
  /** `the Gateway shop/gw`. */
  readonly label: string;
  readonly gateway: GatewayState;
  readonly set?: ListenerSetState;
  readonly listeners: readonly ListenerState[];
  /** Why nothing attaches to it. */
  readonly fault?: Fault;
}

/**
 * Finds the listeners that a route attaches to, for each parentRef that is ours to answer. Nothing is written to the
 * listeners: whether the route is accepted also depends on its rules.
 */
export function attachRoute(context: Context, known: Parents, object: RouteObject, kind: RouteKind): AttachedParent[] {
  const parents: AttachedParent[] = [];
  const defaults = defaultParents(known.gateways, object);
  const parentRefs = parentRefsOf(object);
  if (parentRefs.length === 0 && !asksForDefaults(object))
    context.report('FW3207', object, 'spec', 'the route names no Gateway');
  else if (parentRefs.length === 0 && defaults.length === 0) reportNoDefault(context, object);
  parentRefs.forEach((parentRef, index) => {
    const fieldPath = `spec.parentRefs[${index}]`;
    const parent = findParent(context, known, object, parentRef, fieldPath);
    if (parent) parents.push(meet(context, parent, object, kind, parentRef, fieldPath));
  });
  const byDefault = attachByDefault(context, known, object, kind, defaults);
  const claims = byDefault.filter(({ value }) => !value.fault);
  const told = claims.length > 0 || parents.some(isClaim) ? claims : byDefault;
  for (const { findings } of told) addFindings(context, findings);
  return [...parents, ...told.map(({ value }) => value)];
}

function isClaim({ fault, gateway }: AttachedParent): boolean {
  return !fault && gateway !== undefined && isDefaultGateway(gateway.object);
}

/**
 * Default Gateways claim what they can carry. Those that cannot are of no interest, unless all are such, which the author
 * of the route has to know.
 */
function attachByDefault(
  context: Context,
  known: Parents,
  object: RouteObject,
  kind: RouteKind,
  refs: readonly ParentRef[],
): Captured<AttachedParent>[] {
  return refs.flatMap((ref) => {
    const parent = findParent(context, known, object, ref, defaultsField);
    return parent ? [capture(context, () => meet(context, parent, object, kind, ref, defaultsField))] : [];
  });
}

interface ParentKey {
  readonly group: string;
  readonly kind: string;
  /** `namespace/name`. */
  readonly key: string;
}

function parentKeyOf(object: RouteObject, parentRef: ParentRef): ParentKey {
  const { group = gatewayGroup, kind = 'Gateway', name, namespace } = parentRef;
  return { group, kind, key: `${namespace ?? object.metadata.namespace ?? 'default'}/${name}` };
}

/** A GRPCRoute may have no spec (CRDs of bundles before v1.4): then it names nothing, and no step goes further into it. */
function parentRefsOf({ spec }: { readonly spec?: RouteObject['spec'] }): readonly ParentRef[] {
  return spec?.parentRefs ?? [];
}

/** Whose changes may make a route attach elsewhere. */
export interface ParentsAsked {
  /** Keys of the Gateways that it names. */
  readonly gateways: readonly string[];
  /** Keys of the ListenerSets that it names. */
  readonly sets: readonly string[];
  /** It asks for default Gateways, which any may become. */
  readonly defaults: boolean;
}

export function parentsAsked(object: RouteObject): ParentsAsked {
  const parents = parentRefsOf(object)
    .map((parentRef) => parentKeyOf(object, parentRef))
    .filter(({ group }) => group === gatewayGroup);
  const keysOf = (wanted: string) => parents.filter(({ kind }) => kind === wanted).map(({ key }) => key);
  return { gateways: keysOf('Gateway'), sets: keysOf('ListenerSet'), defaults: asksForDefaults(object) };
}

function findParent(
  context: Context,
  { gateways, sets }: Parents,
  object: RouteObject,
  parentRef: ParentRef,
  fieldPath: string,
): Parent | undefined {
  const { group, kind, key } = parentKeyOf(object, parentRef);
  const found = group === gatewayGroup ? parentResources.get(kind) : undefined;
  const label = `the ${kind} ${key}`;
  if (found === undefined) {
    if (context.input.adopt)
      context.report('FW3206', object, fieldPath, `${kind} ${key} is no Gateway: this parent is left alone`);
    return undefined;
  }
  const set = kind === 'ListenerSet' ? sets.get(key) : undefined;
  const gateway = gateways.get(set?.parent ?? (kind === 'Gateway' ? key : ''));
  if (gateway && set)
    return { label, gateway, set, listeners: set.listeners, ...(set.fault && apart(label, set.fault)) };
  if (gateway) return { label, gateway, listeners: gateway.listeners };
  if (!context.input.store.get<KubeObject>(found, key))
    context.report('FW3201', object, fieldPath, `${label} does not exist`);
  return undefined;
}

const parentResources: ReadonlyMap<string, ResourceName> = new Map([
  ['Gateway', resources.gateway],
  ['ListenerSet', resources.listenerSet],
]);

const apartHint = 'Let the Gateway accept the ListenerSet, whose status says why it does not, or name another parent.';

/** Routes cannot attach to a set that its Gateway does not admit. */
function apart(label: string, { message }: Fault): { fault: Fault } {
  return { fault: { reason: 'NoMatchingParent', message: `${label} is not accepted: ${message}` } };
}

/** Why a parentRef attaches a route to nothing. */
interface Refusal extends Fault {
  readonly code: DiagnosticCode;
  /** The field to blame, where that is not the parentRef. */
  readonly fieldPath?: string;
  readonly hint?: string;
}

function meet(
  context: Context,
  parent: Parent,
  object: RouteObject,
  kind: RouteKind,
  parentRef: ParentRef,
  fieldPath: string,
): AttachedParent {
  const { gateway, set } = parent;
  const shared = { parentRef, fieldPath, gateway, ...(set && { set }) };
  const found = findMeetings(parent, object, kind, parentRef);
  if (Array.isArray(found))
    return { ...blank, ...shared, listeners: found.map(({ listener }) => listener), meetings: found };
  const fault = context.fault(found.code, object, found.fieldPath ?? fieldPath, found);
  return { ...blank, ...shared, listeners: [], meetings: [], fault };
}

function findMeetings(parent: Parent, object: RouteObject, kind: RouteKind, parentRef: ParentRef): Meeting[] | Refusal {
  if (parent.fault) return { code: 'FW3202', ...parent.fault, hint: apartHint };
  const named = parent.listeners.filter(
    (listener) =>
      (!parentRef.sectionName || listener.name === parentRef.sectionName) &&
      (!parentRef.port || listener.port === parentRef.port),
  );
  if (named.length === 0) return noSuchListener(parent, parentRef);
  const ofKind = named.filter(({ supportedKinds }) => supportedKinds.includes(kind));
  if (ofKind.length === 0) return kindNotAllowed(parent, named, kind);
  const namespace = object.metadata.namespace ?? 'default';
  const allowing = ofKind.filter((listener) => listener.allowsNamespace(namespace));
  if (allowing.length === 0) return namespaceNotAllowed(parent, ofKind, namespace);
  const meetings = allowing
    .map((listener) => ({ listener, hostnames: meetHostnames(listener.hostname, object.spec.hostnames) }))
    .filter(({ hostnames }) => hostnames.length > 0);
  return meetings.length > 0 ? meetings : noCommonHostname(allowing, object.spec.hostnames ?? []);
}

function noSuchListener({ label, listeners, gateway, set }: Parent, parentRef: ParentRef): Refusal {
  const { sectionName, port } = parentRef;
  const asked = [sectionName && `named ${sectionName}`, port && `on port ${port}`].filter(Boolean).join(' ');
  const had = listeners.map((listener) => `${listener.name} (${listener.port})`);
  return {
    code: 'FW3202',
    reason: 'NoMatchingParent',
    message: `${label} has no listener ${asked}; it has ${someOf(had)}`,
    hint: !set && gateway.object.spec.allowedListeners ? setHint : sectionHint(listeners, parentRef),
  };
}

/** What there is to choose from: listeners of the port where one is asked for as well, else all. */
function sectionHint(listeners: readonly ListenerState[], { sectionName, port }: ParentRef): string {
  const onPort = listeners.filter((listener) => listener.port === port);
  const names = (onPort.length > 0 ? onPort : listeners).map(({ name }) => name);
  const ports = [...new Set(listeners.map((listener) => String(listener.port)))];
  const named = listeners.find(({ name }) => name === sectionName);
  if (named) return `Set port to ${named.port} or leave it out, or name another listener.`;
  const [field, choice] = sectionName ? ['sectionName', names] : ['port', ports];
  return `Set ${field} to ${someOf(choice, 5, ' or ')}, leave it out for all listeners, or add such a listener.`;
}

/** A Gateway stands for its own listeners alone (GEP-1713, Gateway parents and sectionName). */
const setHint =
  'Correct sectionName and port in parentRefs; for a listener of a ListenerSet, name the set: kind: ListenerSet.';

function kindNotAllowed({ label }: Parent, listeners: readonly ListenerState[], kind: RouteKind): Refusal {
  const carried = listeners.map((l) => `${l.name} (${l.spec.protocol}: ${l.supportedKinds.join(', ') || 'none'})`);
  return {
    code: 'FW3203',
    reason: 'NotAllowedByListeners',
    message: `no listener of ${label} carries ${kind}: ${someOf(carried)}`,
    hint: kindHint(listeners, kind),
  };
}

function kindHint(listeners: readonly ListenerState[], kind: RouteKind): string {
  const able = listeners.find(({ protocol }) => protocol?.kinds.includes(kind));
  if (able) return `Add {kind: ${kind}} to allowedRoutes.kinds of the listener ${able.name}, or leave kinds out.`;
  const protocols = [...servedProtocols].filter(([, { kinds }]) => kinds.includes(kind)).map(([name]) => name);
  return `Name a listener of protocol ${protocols.join(' or ')} in sectionName, or add one.`;
}

function namespaceNotAllowed({ label, set }: Parent, listeners: readonly ListenerState[], namespace: string): Refusal {
  const rules = listeners.map(({ name, spec }) => `${name} (from: ${spec.allowedRoutes?.namespaces?.from ?? 'Same'})`);
  return {
    code: 'FW3203',
    reason: 'NotAllowedByListeners',
    message: `allowedRoutes of ${label} admits no routes of the namespace ${namespace} at the ${listenersNamed(rules)}`,
    hint:
      `Let a listener of the ${set ? 'ListenerSet' : 'Gateway'} admit the namespace: allowedRoutes: {namespaces: {from: Selector, ` +
      `selector: {matchLabels: {kubernetes.io/metadata.name: ${namespace}}}}}`,
  };
}

function noCommonHostname(listeners: readonly ListenerState[], hostnames: readonly string[]): Refusal {
  const theirs = listeners.map(({ name, hostname }) => `${name} (${hostname})`);
  return {
    code: 'FW3204',
    reason: 'NoMatchingListenerHostname',
    fieldPath: 'spec.hostnames',
    message: `none of ${someOf(hostnames)} is within the hostname of the ${listenersNamed(theirs)}`,
    hint: `Use a hostname within ${someOf([...new Set(listeners.map((l) => l.hostname))], 3, ' or ')}, or add a listener for ${hostnames[0] ?? 'it'}.`,
  };
}

/**
 * Where the hostnames of a route are within those of a listener. Two hostnames of the route may meet it in one place
 * (`*.com` and `*.example.com` at a listener for `a.example.com`): the more specific one stands for both.
 */
export function meetHostnames(listener: string, own: readonly string[] | undefined): Attachment['hostnames'] {
  const met = new Map<string, string>();
  for (const hostname of own?.length ? own.map(normalizeHostname) : ['*']) {
    const common = intersect(listener, hostname);
    if (common === undefined) continue;
    const known = met.get(common);
    if (known === undefined || compareSpecificity(hostname, known) < 0) met.set(common, hostname);
  }
  return [...met].map(([hostname, source]) => ({ hostname, own: source }));
}

/** How a route is attached; a listener counts it once, whatever the number of parentRefs. */
export function attachmentsOf(route: RouteState, parents: readonly AttachedParent[]): Attachment[] {
  const attachments = new Map<ListenerState, Attachment>();
  for (const { listener, hostnames } of parents.flatMap(({ meetings }) => meetings))
    if (!attachments.has(listener)) attachments.set(listener, { listener, route, hostnames });
  return [...attachments.values()];
}
