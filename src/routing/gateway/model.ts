/** What a translation knows of Gateways, their listeners and their routes while it is under way. */
import type { ObjectRef } from '../../base/diagnostics/index.ts';
import { refOf } from '../../kube/resources.ts';
import type { Gateway, HTTPRoute, KubeObject, ListenerSet } from '../../kube/types/index.ts';
import type { Certificate, ClientValidation, SniEntry } from '../plan/plan.ts';
import type { AddressState } from './addresses.ts';
import type { ClassState } from './classes.ts';
import type { Fault } from './context.ts';
import type { RouteKind, ServedProtocol } from './kinds.ts';
import type { CompiledRoute } from './rules.ts';
import type { CompiledStreamRoute } from './stream-route.ts';

export type ListenerSpec = Gateway['spec']['listeners'][number];
export type ParentRef = NonNullable<HTTPRoute['spec']['parentRefs']>[number];
type ParentStatus = NonNullable<HTTPRoute['status']>['parents'][number];

/** Any kind of route: what attaching it to a listener needs to see. */
export interface RouteObject extends KubeObject {
  kind: string;
  spec: {
    parentRefs?: ParentRef[];
    hostnames?: string[];
    useDefaultGateways?: 'All' | 'None';
  };
  status?: { parents?: ParentStatus[] };
}

export interface GatewayState {
  readonly object: Gateway;
  readonly ref: ObjectRef;
  readonly class: ClassState;
  readonly addresses: AddressState;
  /** Its own: those of `spec.listeners`. */
  readonly listeners: readonly ListenerState[];
  /** The ListenerSets that name it, in the order of precedence, whether it admits them or not. */
  readonly sets: readonly ListenerSetState[];
  /** Its own listeners and those of the sets that it admits, in the order of precedence (ListenerSet spec.listeners). */
  readonly merged: readonly ListenerState[];
  /** Shown to backends, or why it cannot be; undefined when the Gateway names none. */
  readonly backendCertificate?: Certificate | Fault;
  /** Why Accepted is False for the Gateway as a whole. */
  readonly fault?: Fault;
  /** That objects of others have the names of those that would be generated for it, see infrastructure.ts. */
  taken?: string;
}

/** The object that a listener is written in. */
export interface ListenerOwner {
  readonly object: Gateway | ListenerSet;
  readonly ref: ObjectRef & { readonly kind: string };
  /** Of the object: `allowedRoutes` and references of its listeners are relative to it. */
  readonly namespace: string;
}

export function ownerOfListeners(object: Gateway | ListenerSet): ListenerOwner {
  return { object, ref: refOf(object), namespace: object.metadata.namespace ?? 'default' };
}

/** A ListenerSet that names a Gateway of ours. */
export interface ListenerSetState {
  readonly owner: ListenerOwner;
  /** `namespace/name`. */
  readonly key: string;
  /** `namespace/name` of the Gateway. */
  readonly parent: string;
  readonly object: ListenerSet;
  /** None where the Gateway does not admit the set. */
  readonly listeners: readonly ListenerState[];
  /** Why the set has no part in the Gateway (Accepted=False), whatever becomes of its listeners. */
  readonly fault?: Fault;
}

export interface ListenerState {
  readonly owner: ListenerOwner;
  readonly index: number;
  readonly spec: ListenerSpec;
  readonly name: string;
  readonly port: number;
  /** `*` when the listener names none. */
  readonly hostname: string;
  /** Undefined for a protocol that is not served. */
  readonly protocol: ServedProtocol | undefined;
  readonly supportedKinds: readonly RouteKind[];
  /** Whether allowedRoutes lets routes of a namespace attach. */
  readonly allowsNamespace: (namespace: string) => boolean;
  readonly faults: ListenerFaults;
  /** Certificates by SNI, of HTTPS listeners. */
  readonly certificates: readonly SniCertificate[];
  readonly loadedCertificates: readonly Certificate[];
  /** What clients of an HTTPS listener must show. */
  readonly clientValidation?: ClientValidation;
  /** Application protocols that a TLS listener agrees on (the option `fairway.dev/alpn`). */
  readonly alpn?: readonly string[];
  /** Routes that attach, by kind and name: a new list whenever it changes. */
  attachments: readonly Attachment[];
  /** How many of them count as attached in the status. */
  attachedRoutes: number;
}

/** By condition type; what is absent is as it should be. */
export interface ListenerFaults {
  readonly accepted?: Fault;
  readonly conflicted?: Fault;
  readonly resolvedRefs?: Fault;
  readonly overlapping?: Fault;
}

export type SniCertificate = SniEntry;

export interface Attachment {
  readonly listener: ListenerState;
  readonly route: RouteState;
  /** Where listener and route meet, each with the route's own hostname: that one decides precedence. */
  readonly hostnames: readonly { readonly hostname: string; readonly own: string }[];
}

export interface RouteState {
  readonly object: RouteObject;
  readonly kind: RouteKind;
  /** Sorts by age, then by name: the older route goes first where matches tie. */
  readonly age: string;
  /** One per parentRef that names a Gateway of ours, in their order. */
  readonly parents: readonly ParentState[];
  /** Rules of an HTTPRoute or GRPCRoute. */
  readonly http?: CompiledRoute;
  /** Keys of the BackendTLSPolicies that its references meet. */
  readonly policies: readonly string[];
  /** The rule of a TCPRoute, UDPRoute or TLSRoute. */
  readonly stream?: CompiledStreamRoute;
}

/** Every rule is invalid: the route is not accepted, and its requests are answered with 500. One without rules is valid. */
export function isWhollyInvalid({ http }: RouteState): boolean {
  return http !== undefined && http.rules > 0 && http.ruleFaults.length === http.rules;
}

export interface ParentState {
  readonly parentRef: ParentRef;
  /** `spec.parentRefs[0]`. */
  readonly fieldPath: string;
  /** The Gateway that is named, or that the ListenerSet named belongs to. */
  readonly gateway?: GatewayState;
  /** Where a ListenerSet is named. */
  readonly set?: ListenerSetState;
  /** Where the route attaches. */
  readonly listeners: readonly ListenerState[];
  /** Why it attaches nowhere. */
  readonly fault?: Fault;
}

/** The certificate that backends of a Gateway are shown. */
export function backendCertificate({ backendCertificate: found }: GatewayState): Certificate | undefined {
  return found && 'id' in found ? found : undefined;
}

/** The older route first, then by name. */
export function compareSeniority(a: RouteState, b: RouteState): number {
  return a.age < b.age ? -1 : a.age > b.age ? 1 : 0;
}

/** What tells a listener apart from all others of its Gateway: `Gateway/shop/gw/listeners/web`. */
export function listenerKey({ owner, name }: ListenerState): string {
  return `${owner.ref.kind}/${owner.namespace}/${owner.ref.name}/listeners/${name}`;
}

export function carriesHttp({ protocol }: ListenerState): boolean {
  return protocol?.protocol === 'HTTP' || protocol?.protocol === 'HTTPS';
}

/** Whether a listener needs certificates: HTTPS always, TLS in mode Terminate, which is the default. */
export function terminatesTls({ protocol, tls }: ListenerSpec): boolean {
  return protocol === 'HTTPS' || (protocol === 'TLS' && tls?.mode !== 'Passthrough');
}

/** Whether a listener takes traffic, once its Gateway is accepted. */
export function isServable({ faults, protocol, spec, certificates }: ListenerState): boolean {
  if (!protocol || faults.accepted || faults.conflicted) return false;
  return !terminatesTls(spec) || certificates.length > 0;
}
