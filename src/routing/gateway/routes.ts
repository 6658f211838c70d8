/**
 * Routes of all kinds, attached and compiled. What was worked out for a route holds until the route itself, a Gateway
 * or namespace that it attaches by, or something that it refers to has changed.
 */
import type { Diagnostic } from '../../base/diagnostics/index.ts';
import { equalJson } from '../../kube/objects.ts';
import { keyOf, refOf } from '../../kube/resources.ts';
import type { GRPCRoute, HTTPRoute } from '../../kube/types/index.ts';
import { addFindings, type Captured, capture } from '../incremental/capture.ts';
import { createChanges } from '../incremental/changes.ts';
import type { Freshness } from '../incremental/freshness.ts';
import { createInventory, type Inventory } from '../incremental/inventory.ts';
import { createRoster, type Member, type Roster } from '../incremental/roster.ts';
import { changeSorted, listDifference } from '../incremental/sorted.ts';
import type { StatusUpdate, TranslateInput } from '../translate.ts';
import { type AttachedParent, attachmentsOf, attachRoute, type ParentsAsked, parentsAsked } from './attach.ts';
import type { Backends, Gathered } from './backends.ts';
import { type Context, compareNames } from './context.ts';
import { compileGrpcRoute } from './grpc-route.ts';
import { compileHttpRoute } from './http-route.ts';
import { type RouteKind, resources, routeKinds, routeResources } from './kinds.ts';
import { type Attachment, isWhollyInvalid, type ListenerState, type RouteObject, type RouteState } from './model.ts';
import { hasOwnEntries, routeStatus } from './route-status.ts';
import { type GatewayStates, keepSteady } from './steady.ts';
import { compileStreamRoute } from './stream-route.ts';

const none: readonly Diagnostic[] = [];

type CompiledRules = Pick<RouteState, 'http' | 'stream'>;
type Compiler = (context: Context, backends: Backends, object: RouteObject) => CompiledRules;

/** What is made of the rules of a route, by kind. */
const compilers: Readonly<Record<RouteKind, Compiler>> = {
  HTTPRoute: (context, backends, object) => ({
    http: compileHttpRoute(context, backends, object as unknown as HTTPRoute),
  }),
  GRPCRoute: (context, backends, object) => ({
    http: compileGrpcRoute(context, backends, object as unknown as GRPCRoute),
  }),
  TCPRoute: (context, backends, object) => ({ stream: compileStreamRoute(context, backends, object, 'TCPRoute') }),
  UDPRoute: (context, backends, object) => ({ stream: compileStreamRoute(context, backends, object, 'UDPRoute') }),
  TLSRoute: (context, backends, object) => ({ stream: compileStreamRoute(context, backends, object, 'TLSRoute') }),
};

interface RouteMember extends Member<RouteObject> {
  /** `namespace/name`. */
  readonly name: string;
  readonly age: string;
  /** Changes with the places of its fields in files. */
  readonly placement: unknown;
  readonly asked: ParentsAsked;
  /** Unset: to be worked out. */
  parents?: Captured<AttachedParent[]> | undefined;
  rules?: (Gathered<CompiledRules> & { readonly turn: number }) | undefined;
  /** What the rules were before: routes that come out equal stay the same objects. */
  before?: CompiledRules | undefined;
  result?: RouteResult | undefined;
  /** The result that is attached and listed. */
  listed?: RouteResult | undefined;
  findings: readonly Diagnostic[];
}

interface RouteResult {
  readonly route: RouteState;
  readonly attachments: readonly Attachment[];
  readonly status: StatusUpdate;
}

/** The routes of one kind, as they were in the last translation. All lists are in the order of names. */
interface KindMemory {
  readonly roster: Roster<RouteObject, RouteMember>;
  /** Members whose objects have other statuses than they had. */
  readonly renewed: Set<RouteMember>;
  members: readonly RouteMember[];
  /** Members with findings. */
  talkers: readonly RouteMember[];
  statuses: readonly StatusUpdate[];
}

export interface RoutesMemory {
  readonly kinds: Readonly<Record<RouteKind, KindMemory>>;
  /** Routes whose references meet a BackendTLSPolicy. */
  readonly governed: Set<RouteState>;
  readonly backends: Inventory;
  readonly grants: ReturnType<typeof createChanges>;
  readonly namespaces: ReturnType<typeof createChanges>;
  readonly gateways: ReturnType<typeof createChanges>;
  readonly listenerSets: ReturnType<typeof createChanges>;
  /** What `states` were made of. */
  found: GatewayStates | undefined;
  states: GatewayStates | undefined;
  placements: TranslateInput['placements'];
  /** Time of the translation under way. */
  readonly clock: { now: string };
}

export function createRoutesMemory(): RoutesMemory {
  const memory: RoutesMemory = {
    kinds: Object.fromEntries(routeKinds.map((kind) => [kind, createKindMemory(kind, () => memory)])) as Record<
      RouteKind,
      KindMemory
    >,
    governed: new Set(),
    backends: createInventory(),
    grants: createChanges(resources.referenceGrant),
    namespaces: createChanges('namespaces'),
    gateways: createChanges(resources.gateway),
    listenerSets: createChanges(resources.listenerSet),
    found: undefined,
    states: undefined,
    placements: undefined,
    clock: { now: '' },
  };
  return memory;
}

function createKindMemory(kind: RouteKind, memoryOf: () => RoutesMemory): KindMemory {
  const renewed = new Set<RouteMember>();
  const roster = createRouteRoster(kind, renewed, memoryOf);
  return { roster, renewed, members: [], talkers: [], statuses: [] };
}

function createRouteRoster(
  kind: RouteKind,
  renewed: Set<RouteMember>,
  memoryOf: () => RoutesMemory,
): Roster<RouteObject, RouteMember> {
  const placementOf = (object: RouteObject) => memoryOf().placements?.of(refOf(object));
  return createRoster<RouteObject, RouteMember>({
    resource: routeResources[kind],
    make(object) {
      const { namespace, name, creationTimestamp } = object.metadata;
      const key = namespace ? `${namespace}/${name}` : name;
      // An object without a time has not been through an API server: it counts as the newest.
      const age = `${creationTimestamp ?? '~'} ${key}`;
      return { object, name: key, age, placement: placementOf(object), asked: parentsAsked(object), findings: none };
    },
    drop: ({ rules }) => memoryOf().backends.replace(rules?.backends ?? [], []),
    renewed: (member) => void renewed.add(member),
    compare: compareMembers,
    holds: ({ object, placement }) => placementOf(object) === placement,
  });
}

export interface RoutesInput {
  readonly context: Context;
  readonly backends: Backends;
  readonly freshness: Freshness;
  readonly memory: RoutesMemory;
}

export interface ResolvedRoutes {
  /** With the routes attached to their listeners. */
  readonly gateways: GatewayStates;
  /** Those whose references meet a BackendTLSPolicy, in no order. */
  readonly governed: Iterable<RouteState>;
  /** By kind, in the order of names. */
  readonly statuses: readonly StatusUpdate[];
}

/** Routes that have to do with our Gateways. Only those are looked at that something may have changed for. */
export function resolveRoutes(input: RoutesInput, found: GatewayStates): ResolvedRoutes {
  const { context, memory } = input;
  memory.clock.now = context.input.now;
  memory.placements = context.input.placements;
  const isCurrent = judge(input, found);
  const gateways = memory.states!;
  const changes: ResultChange[] = [];
  for (const kind of routeKinds) changes.push(...followKind(input, gateways, kind, isCurrent));
  attach(changes);
  for (const { before, now } of changes) {
    if (before) memory.governed.delete(before.route);
    if (now && now.route.policies.length > 0) memory.governed.add(now.route);
  }
  const statuses = routeKinds.map((kind) => memory.kinds[kind].statuses);
  return { gateways, governed: memory.governed, statuses: ([] as StatusUpdate[]).concat(...statuses) };
}

/** What was listed of a route, and what is now. */
interface ResultChange {
  readonly before: RouteResult | undefined;
  readonly now: RouteResult | undefined;
}

/** `isCurrent` absent: everything that is known holds. */
function followKind(
  input: RoutesInput,
  gateways: GatewayStates,
  kind: RouteKind,
  isCurrent: ((member: RouteMember) => boolean) | undefined,
): ResultChange[] {
  const { context, memory } = input;
  const own = memory.kinds[kind];
  const members = own.roster.update(context.input.store, context.input.placements?.revision);
  const { came, went } = listDifference(own.members, members);
  const due = isCurrent ? members : new Set([...came, ...own.renewed].filter((member) => !went.has(member)));
  own.members = members;
  own.renewed.clear();
  const changes: ResultChange[] = [];
  const quiet = new Set([...went].filter(isTalker));
  const talking: RouteMember[] = [];
  const list = (member: RouteMember, now: RouteResult | undefined) => {
    if (member.listed === now) return;
    changes.push({ before: member.listed, now });
    member.listed = now;
  };
  for (const member of went) list(member, undefined);
  for (const member of due) {
    const talked = isTalker(member);
    if (isCurrent && !isCurrent(member)) expire(memory, member);
    list(member, resultOf(input, gateways, member, kind));
    if (talked && !isTalker(member)) quiet.add(member);
    if (!talked && isTalker(member)) talking.push(member);
  }
  // What came may have been here before, under another member of the same name.
  if (quiet.size + talking.length > 0) own.talkers = changeSorted(own.talkers, quiet, talking, compareMembers);
  for (const { findings } of own.talkers) addFindings(context, findings);
  own.statuses = changeStatuses(own.statuses, changes);
  return changes;
}

const isTalker = ({ findings }: RouteMember) => findings.length > 0;

function compareMembers(a: RouteMember, b: RouteMember): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function changeStatuses(statuses: readonly StatusUpdate[], changes: readonly ResultChange[]): readonly StatusUpdate[] {
  if (changes.length === 0) return statuses;
  const went = new Set(changes.flatMap(({ before }) => before?.status ?? []));
  const came = changes.flatMap(({ now }) => now?.status ?? []);
  return changeSorted(statuses, went, came, (a, b) =>
    compareKeys(keyOf({ metadata: a.ref }), keyOf({ metadata: b.ref })),
  );
}

function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Brings the attachments of listeners up to date. */
function attach(changes: readonly ResultChange[]): void {
  const byListener = new Map<ListenerState, { came: Attachment[]; went: Set<Attachment> }>();
  const changeOf = ({ listener }: Attachment) => {
    const change = byListener.get(listener) ?? { came: [], went: new Set() };
    byListener.set(listener, change);
    return change;
  };
  for (const { before, now } of changes) {
    for (const attachment of before?.attachments ?? []) changeOf(attachment).went.add(attachment);
    for (const attachment of now?.attachments ?? []) changeOf(attachment).came.push(attachment);
  }
  const counted = (attachments: Iterable<Attachment>) =>
    [...attachments].filter(({ route }) => !isWhollyInvalid(route)).length;
  for (const [listener, { came, went }] of byListener) {
    listener.attachments = changeSorted(listener.attachments, went, came, compareAttachments);
    listener.attachedRoutes += counted(came) - counted(went);
  }
}

function compareAttachments({ route: a }: Attachment, { route: b }: Attachment): number {
  return routeKinds.indexOf(a.kind) - routeKinds.indexOf(b.kind) || compareNames(a.object, b.object);
}

/** Whether what is known of a member holds in this translation; drops what alone does not. Undefined: all that is known. */
function judge(
  { context, freshness, memory }: RoutesInput,
  found: GatewayStates,
): ((member: RouteMember) => boolean) | undefined {
  const { store } = context.input;
  const gateways = new Set([...followGateways(memory, found), ...memory.gateways.since(store)]);
  const sets = memory.listenerSets.since(store);
  const namespaces = memory.namespaces.since(store);
  const isRegranted = memory.grants.since(store).size > 0;
  const isRearranged = gateways.size + sets.size > 0;
  if (freshness.isCalm && !isRearranged && !isRegranted && namespaces.size === 0) return undefined;
  const isMoved = ({ object, asked }: RouteMember) =>
    namespaces.has(object.metadata.namespace ?? 'default') ||
    (isRearranged && (asked.listenerSets || asked.gateways.some((key) => gateways.has(key))));
  return (member) => {
    if (isMoved(member)) dropParents(member);
    const { rules } = member;
    return !rules || (freshness.isFresh(rules) && !(isRegranted && rules.asksGrants));
  };
}

/** Keys of the Gateways that routes are to be attached to anew. */
function followGateways(memory: RoutesMemory, found: GatewayStates): ReadonlySet<string> {
  if (found === memory.found) return new Set();
  memory.found = found;
  const { states, changed } = keepSteady(found, memory.states);
  memory.states = states;
  return changed;
}

function dropParents(member: RouteMember): void {
  member.parents = undefined;
  member.result = undefined;
}

/** The rules are to be compiled anew. */
function expire({ backends }: RoutesMemory, member: RouteMember): void {
  backends.replace(member.rules?.backends ?? [], []);
  member.before = member.rules?.value ?? member.before;
  member.rules = undefined;
  member.result = undefined;
}

/** Undefined for a route that has nothing to do with our Gateways, and no trace of us in its status. */
function resultOf(
  input: RoutesInput,
  gateways: GatewayStates,
  member: RouteMember,
  kind: RouteKind,
): RouteResult | undefined {
  const { context, memory } = input;
  const { object } = member;
  member.parents ??= capture(context, () => attachRoute(context, gateways, object, kind));
  const { value: parents, findings } = member.parents;
  if (parents.length > 0 && member.result) return member.result;
  member.findings = findings;
  if (parents.length === 0) {
    if (member.rules) expire(memory, member);
    if (!hasOwnEntries(object)) return undefined;
  }
  const rules = parents.length > 0 ? rulesOf(input, member, kind) : undefined;
  const { findings: own } = capture(context, () => reportDefaultGateways(context, object));
  const all = [...findings, ...(rules?.findings ?? none), ...own];
  member.findings = all.length > 0 ? all : none;
  member.result ??= assemble(memory, member, kind, parents);
  return member.result;
}

function reportDefaultGateways(context: Context, object: RouteObject): void {
  if (object.spec.useDefaultGateways !== 'All') return;
  const message = 'routes attach only to the Gateways that parentRefs name';
  context.report('FW3304', object, 'spec.useDefaultGateways', message);
}

function rulesOf({ context, backends, freshness, memory }: RoutesInput, member: RouteMember, kind: RouteKind) {
  if (member.rules) return member.rules;
  const gathered = backends.gather(() => compilers[kind](context, backends, member.object));
  memory.backends.replace([], gathered.backends);
  const { before } = member;
  const value = before?.http && equalJson(before.http, gathered.value.http) ? before : gathered.value;
  member.before = undefined;
  member.rules = { ...gathered, value, turn: freshness.turn };
  return member.rules;
}

function assemble(
  { clock }: RoutesMemory,
  { object, age, rules }: RouteMember,
  kind: RouteKind,
  parents: readonly AttachedParent[],
): RouteResult {
  const route: RouteState = { object, kind, age, parents, policies: rules?.policies ?? [], ...rules?.value };
  return { route, attachments: attachmentsOf(route, parents), status: routeStatus(clock, route) };
}
