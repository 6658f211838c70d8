/** Attaching routes to listeners (ParentReference, AllowedRoutes, hostnames); the same for every kind of route. */
import type { DiagnosticCode } from '../../base/diagnostics/index.ts';
import { keyOf } from '../../kube/resources.ts';
import type { Gateway, KubeObject } from '../../kube/types/index.ts';
import { type Context, type Fault, listenersNamed, someOf } from './context.ts';
import { compareSpecificity, intersect, normalizeHostname } from './hostnames.ts';
import { gatewayGroup, type RouteKind, resources } from './kinds.ts';
import type {
  Attachment,
  GatewayState,
  ListenerState,
  ParentRef,
  ParentState,
  RouteObject,
  RouteState,
} from './model.ts';

/** The hostnames where a route and one listener meet. */
export interface Meeting {
  readonly listener: ListenerState;
  readonly hostnames: Attachment['hostnames'];
}

export interface AttachedParent extends ParentState {
  readonly meetings: readonly Meeting[];
}

/** What a parentRef means to this controller. */
type Parent = { readonly gateway: GatewayState } | { readonly fault: Fault; readonly code: DiagnosticCode } | undefined;

/**
 * Finds the listeners that a route attaches to, for each parentRef that is ours to answer. Nothing is written to the
 * listeners: whether the route is accepted also depends on its rules.
 */
export function attachRoute(
  context: Context,
  gateways: ReadonlyMap<string, GatewayState>,
  object: RouteObject,
  kind: RouteKind,
): AttachedParent[] {
  const parents: AttachedParent[] = [];
  if (!object.spec.parentRefs?.length && !usesDefaultGateways(object))
    context.report('FW3207', object, 'spec', 'the route names no Gateway');
  (object.spec.parentRefs ?? []).forEach((parentRef, index) => {
    const fieldPath = `spec.parentRefs[${index}]`;
    const parent = findParent(context, gateways, object, parentRef, fieldPath);
    if (!parent) return;
    if ('gateway' in parent) parents.push(meet(context, parent.gateway, object, kind, parentRef, fieldPath));
    else {
      context.report(parent.code, object, fieldPath, parent.fault.message);
      parents.push({ parentRef, fieldPath, listeners: [], meetings: [], fault: parent.fault });
    }
  });
  return parents;
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

/** Whose changes may make a route attach elsewhere. */
export interface ParentsAsked {
  /** Keys of the Gateways that it names. */
  readonly gateways: readonly string[];
  /** It names ListenerSets, behind which any Gateway may stand. */
  readonly listenerSets: boolean;
}

export function parentsAsked(object: RouteObject): ParentsAsked {
  const parents = (object.spec.parentRefs ?? [])
    .map((parentRef) => parentKeyOf(object, parentRef))
    .filter(({ group }) => group === gatewayGroup);
  return {
    gateways: parents.filter(({ kind }) => kind === 'Gateway').map(({ key }) => key),
    listenerSets: parents.some(({ kind }) => kind === 'ListenerSet'),
  };
}

/** Routes may ask for whatever Gateways are the default (experimental): those are reported elsewhere. */
function usesDefaultGateways(object: RouteObject): boolean {
  return (object.spec as { useDefaultGateways?: string }).useDefaultGateways !== undefined;
}

function findParent(
  context: Context,
  gateways: ReadonlyMap<string, GatewayState>,
  object: RouteObject,
  parentRef: ParentRef,
  fieldPath: string,
): Parent {
  const { group, kind, key } = parentKeyOf(object, parentRef);
  if (group === gatewayGroup && kind === 'Gateway') {
    const gateway = gateways.get(key);
    if (gateway) return { gateway };
    if (!context.input.store.get<Gateway>(resources.gateway, key))
      context.report('FW3201', object, fieldPath, `the Gateway ${key} does not exist`);
    return undefined;
  }
  if (group === gatewayGroup && kind === 'ListenerSet') return listenerSetParent(context, gateways, key);
  if (context.input.adopt)
    context.report('FW3206', object, fieldPath, `${kind} ${key} is no Gateway: this parent is left alone`);
  return undefined;
}

function listenerSetParent(context: Context, gateways: ReadonlyMap<string, GatewayState>, key: string): Parent {
  const set = context.input.store.get<KubeObject & { spec: { parentRef: ParentRef } }>(resources.listenerSet, key);
  if (!set || !gateways.has(gatewayOfListenerSet(set))) return undefined;
  return {
    code: 'FW3202',
    fault: { reason: 'NoMatchingParent', message: `the ListenerSet ${key} is not served by this version` },
  };
}

/** `namespace/name` of the Gateway that a ListenerSet extends. */
export function gatewayOfListenerSet(set: KubeObject & { spec: { parentRef: ParentRef } }): string {
  const { name, namespace = set.metadata.namespace ?? 'default' } = set.spec.parentRef;
  return `${namespace}/${name}`;
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
  gateway: GatewayState,
  object: RouteObject,
  kind: RouteKind,
  parentRef: ParentRef,
  fieldPath: string,
): AttachedParent {
  const found = findMeetings(gateway, object, kind, parentRef);
  if (Array.isArray(found))
    return { parentRef, fieldPath, gateway, listeners: found.map(({ listener }) => listener), meetings: found };
  const { code, reason, message, hint } = found;
  context.report(code, object, found.fieldPath ?? fieldPath, message, hint);
  return { parentRef, fieldPath, gateway, listeners: [], meetings: [], fault: { reason, message } };
}

function findMeetings(
  gateway: GatewayState,
  object: RouteObject,
  kind: RouteKind,
  parentRef: ParentRef,
): Meeting[] | Refusal {
  const named = gateway.listeners.filter(
    (listener) =>
      (!parentRef.sectionName || listener.name === parentRef.sectionName) &&
      (!parentRef.port || listener.port === parentRef.port),
  );
  if (named.length === 0) return noSuchListener(gateway, parentRef);
  const ofKind = named.filter(({ supportedKinds }) => supportedKinds.includes(kind));
  if (ofKind.length === 0) return kindNotAllowed(gateway, named, kind);
  const namespace = object.metadata.namespace ?? 'default';
  const allowing = ofKind.filter((listener) => listener.allowsNamespace(namespace));
  if (allowing.length === 0) return namespaceNotAllowed(gateway, ofKind, namespace);
  const meetings = allowing
    .map((listener) => ({ listener, hostnames: meetHostnames(listener.hostname, object.spec.hostnames) }))
    .filter(({ hostnames }) => hostnames.length > 0);
  return meetings.length > 0 ? meetings : noCommonHostname(allowing, object.spec.hostnames ?? []);
}

function noSuchListener({ object, listeners }: GatewayState, { sectionName, port }: ParentRef): Refusal {
  const asked = [sectionName && `named ${sectionName}`, port && `on port ${port}`].filter(Boolean).join(' ');
  const had = listeners.map((listener) => `${listener.name} (${listener.port})`);
  return {
    code: 'FW3202',
    reason: 'NoMatchingParent',
    message: `the Gateway ${keyOf(object)} has no listener ${asked}; it has ${someOf(had)}`,
  };
}

function kindNotAllowed({ object }: GatewayState, listeners: readonly ListenerState[], kind: RouteKind): Refusal {
  const carried = listeners.map((l) => `${l.name} (${l.spec.protocol}: ${l.supportedKinds.join(', ') || 'none'})`);
  return {
    code: 'FW3203',
    reason: 'NotAllowedByListeners',
    message: `no listener of the Gateway ${keyOf(object)} carries ${kind}: ${someOf(carried)}`,
  };
}

function namespaceNotAllowed(
  { object }: GatewayState,
  listeners: readonly ListenerState[],
  namespace: string,
): Refusal {
  const rules = listeners.map(({ name, spec }) => `${name} (from: ${spec.allowedRoutes?.namespaces?.from ?? 'Same'})`);
  return {
    code: 'FW3203',
    reason: 'NotAllowedByListeners',
    message: `allowedRoutes of the Gateway ${keyOf(object)} admits no routes of the namespace ${namespace} at the ${listenersNamed(rules)}`,
    hint:
      'Let a listener of the Gateway admit the namespace: allowedRoutes: {namespaces: {from: Selector, ' +
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
