/**
 * Routes of all kinds, attached and compiled. What was worked out for a route holds until the route itself, a Gateway
 * or namespace that it attaches by, or something that it refers to has changed.
 */
import { equalJson } from '../../kube/objects.ts';
import type { HTTPRoute } from '../../kube/types/index.ts';
import { addFindings, type Captured, capture } from '../incremental/capture.ts';
import { createChanges } from '../incremental/changes.ts';
import type { Freshness } from '../incremental/freshness.ts';
import { createInventory, type Inventory } from '../incremental/inventory.ts';
import { createRoster, type Member, type Roster } from '../incremental/roster.ts';
import type { StatusUpdate, TranslateInput } from '../translate.ts';
import { type AttachedParent, attachmentsOf, attachRoute } from './attach.ts';
import type { Backends, Gathered } from './backends.ts';
import type { Context } from './context.ts';
import { compileHttpRoute } from './http-route.ts';
import { type RouteKind, resources, routeKinds, routeResources } from './kinds.ts';
import type { Attachment, RouteObject, RouteState } from './model.ts';
import { hasOwnEntries, routeStatus } from './route-status.ts';
import { type GatewayStates, keepSteady } from './steady.ts';
import { compileStreamRoute } from './stream-route.ts';

type CompiledRules = Pick<RouteState, 'http' | 'stream'>;
type Compiler = (context: Context, backends: Backends, object: RouteObject) => CompiledRules;

/** What is made of the rules of a route, by kind. Kinds without an entry are not served. */
const compilers: Readonly<Partial<Record<RouteKind, Compiler>>> = {
  HTTPRoute: (context, backends, object) => ({
    http: compileHttpRoute(context, backends, object as unknown as HTTPRoute),
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
  /** Unset: to be worked out. */
  parents?: Captured<AttachedParent[]> | undefined;
  rules?: (Gathered<CompiledRules> & { readonly turn: number }) | undefined;
  /** What the rules were before: routes that come out equal stay the same objects. */
  before?: CompiledRules | undefined;
  result?: RouteResult | undefined;
}

interface RouteResult {
  readonly route: RouteState;
  readonly attachments: readonly Attachment[];
  readonly status: StatusUpdate;
}

export interface RoutesMemory {
  readonly rosters: Readonly<Record<RouteKind, Roster<RouteObject, RouteMember>>>;
  readonly backends: Inventory;
  readonly grants: ReturnType<typeof createChanges>;
  readonly namespaces: ReturnType<typeof createChanges>;
  readonly gateways: ReturnType<typeof createChanges>;
  readonly listenerSets: ReturnType<typeof createChanges>;
  states: GatewayStates | undefined;
  placementOf: TranslateInput['placement'];
  /** Time of the translation under way. */
  readonly clock: { now: string };
}

export function createRoutesMemory(): RoutesMemory {
  const memory: RoutesMemory = {
    rosters: Object.fromEntries(
      routeKinds.map((kind) => [kind, createRouteRoster(() => memory)]),
    ) as RoutesMemory['rosters'],
    backends: createInventory(),
    grants: createChanges(resources.referenceGrant),
    namespaces: createChanges('namespaces'),
    gateways: createChanges(resources.gateway),
    listenerSets: createChanges(resources.listenerSet),
    states: undefined,
    placementOf: undefined,
    clock: { now: '' },
  };
  return memory;
}

function createRouteRoster(memoryOf: () => RoutesMemory): Roster<RouteObject, RouteMember> {
  const placementOf = ({ metadata, apiVersion, kind }: RouteObject) => {
    const { namespace, name } = metadata;
    return memoryOf().placementOf?.({ apiVersion, kind, ...(namespace && { namespace }), name });
  };
  return createRoster<RouteObject, RouteMember>({
    make(object) {
      const { namespace, name, creationTimestamp } = object.metadata;
      const key = namespace ? `${namespace}/${name}` : name;
      // An object without a time has not been through an API server: it counts as the newest.
      return { object, name: key, age: `${creationTimestamp ?? '~'} ${key}`, placement: placementOf(object) };
    },
    drop: ({ rules }) => memoryOf().backends.replace(rules?.backends ?? [], []),
    compare: (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
    holds: ({ object, placement }) => !memoryOf().placementOf || placementOf(object) === placement,
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
  readonly routes: readonly RouteState[];
  readonly statuses: readonly StatusUpdate[];
}

/** Routes that have to do with our Gateways: by kind, in the order of their names. */
export function resolveRoutes(input: RoutesInput, found: GatewayStates): ResolvedRoutes {
  const { context, memory } = input;
  memory.clock.now = context.input.now;
  memory.placementOf = context.input.placement;
  const isCurrent = judge(input, found);
  const gateways = memory.states!;
  const routes: RouteState[] = [];
  const statuses: StatusUpdate[] = [];
  for (const kind of routeKinds) {
    for (const member of membersOf(input, kind)) {
      if (!isCurrent(member)) expire(memory, member);
      const result = resultOf(input, gateways, member, kind);
      if (!result) continue;
      for (const attachment of result.attachments) attachment.listener.attachments.push(attachment);
      routes.push(result.route);
      statuses.push(result.status);
    }
  }
  return { gateways, routes, statuses };
}

function membersOf({ context, memory }: RoutesInput, kind: RouteKind): readonly RouteMember[] {
  return memory.rosters[kind].update(context.input.store.list<RouteObject>(routeResources[kind]));
}

/** Whether what is known of a member holds in this translation; drops what alone does not. */
function judge({ context, freshness, memory }: RoutesInput, found: GatewayStates): (member: RouteMember) => boolean {
  const { store } = context.input;
  const before = memory.states;
  memory.states = keepSteady(found, before);
  const isRearranged =
    memory.states !== before || memory.gateways.since(store).size + memory.listenerSets.since(store).size > 0;
  const namespaces = memory.namespaces.since(store);
  const isRegranted = memory.grants.since(store).size > 0;
  const isCalm = freshness.isCalm && !isRearranged && !isRegranted && namespaces.size === 0;
  if (isCalm) return () => true;
  return (member) => {
    if (isRearranged || namespaces.has(member.object.metadata.namespace ?? 'default')) dropParents(member);
    const { rules } = member;
    return !rules || (freshness.isFresh(rules) && !(isRegranted && rules.asksGrants));
  };
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
  addFindings(context, findings);
  if (parents.length === 0) {
    if (member.rules) expire(memory, member);
    if (!hasOwnEntries(object)) return undefined;
  }
  const rules = parents.length > 0 ? rulesOf(input, member, kind) : undefined;
  if (rules) addFindings(context, rules.findings);
  reportDefaultGateways(context, object);
  member.result ??= assemble(memory, member, kind, parents);
  return member.result;
}

function reportDefaultGateways(context: Context, object: RouteObject): void {
  if (object.spec.useDefaultGateways !== 'All') return;
  const message = 'routes attach only to the Gateways that parentRefs name';
  context.report('FW3304', object, 'spec.useDefaultGateways', message);
}

function rulesOf({ context, backends, freshness, memory }: RoutesInput, member: RouteMember, kind: RouteKind) {
  const compile = compilers[kind];
  if (member.rules || !compile) return member.rules;
  const gathered = backends.gather(() => compile(context, backends, member.object));
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
