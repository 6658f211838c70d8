/**
 * Routes of all kinds, attached and compiled. What was worked out for a route holds until the route itself, a Gateway
 * or namespace that it attaches by, or something that it refers to has changed.
 */
import { equalJson } from '../../kube/objects.ts';
import { keyOf } from '../../kube/resources.ts';
import type { GRPCRoute, HTTPRoute } from '../../kube/types/index.ts';
import { addFindings, capture } from '../incremental/capture.ts';
import type { Freshness } from '../incremental/freshness.ts';
import { changeSorted, listDifference } from '../incremental/sorted.ts';
import { controllerOf, type StatusUpdate } from '../translate.ts';
import { type AttachedParent, attachmentsOf, attachRoute, type Parents } from './attach.ts';
import { changeAttachments } from './attachments.ts';
import type { Backends } from './backends.ts';
import type { Context } from './context.ts';
import { compileGrpcRoute } from './grpc-route.ts';
import { compileHttpRoute } from './http-route.ts';
import { type RouteKind, routeKinds } from './kinds.ts';
import type { RouteObject, RouteState } from './model.ts';
import { hasOwnEntries, routeStatus } from './route-status.ts';
import {
  type CompiledRules,
  compareMembers,
  noFindings,
  type RouteMember,
  type RouteResult,
  type RoutesMemory,
} from './routes-memory.ts';
import { type GatewayStates, keepSteady, type Steady } from './steady.ts';
import { compileStreamRoute } from './stream-route.ts';

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

export interface RoutesInput {
  readonly context: Context;
  readonly backends: Backends;
  readonly freshness: Freshness;
  readonly memory: RoutesMemory;
}

export interface ResolvedRoutes {
  /** With the routes attached to their listeners. */
  readonly steady: Steady;
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
  const steady = memory.steady!;
  const changes: ResultChange[] = [];
  for (const kind of routeKinds) changes.push(...followKind(input, steady, kind, isCurrent));
  changeAttachments(changes.map(({ before, now }) => ({ before: before?.attachments, now: now?.attachments })));
  for (const { before, now } of changes) {
    if (before) memory.governed.delete(before.route);
    if (now && now.route.policies.length > 0) memory.governed.add(now.route);
  }
  const statuses = routeKinds.map((kind) => memory.kinds[kind].statuses);
  return { steady, governed: memory.governed, statuses: ([] as StatusUpdate[]).concat(...statuses) };
}

/** What was listed of a route, and what is now. */
interface ResultChange {
  readonly before: RouteResult | undefined;
  readonly now: RouteResult | undefined;
}

/** `isCurrent` absent: everything that is known holds. */
function followKind(
  input: RoutesInput,
  parents: Parents,
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
    list(member, resultOf(input, parents, member, kind));
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

/** Whether what is known of a member holds in this translation; drops what alone does not. Undefined: all that is known. */
function judge(
  { context, freshness, memory }: RoutesInput,
  found: GatewayStates,
): ((member: RouteMember) => boolean) | undefined {
  const { store } = context.input;
  const moved = followGateways(memory, found);
  const gateways = new Set([...moved.changed, ...memory.gateways.since(store)]);
  const sets = new Set([...moved.changedSets, ...memory.listenerSets.since(store)]);
  const namespaces = memory.namespaces.since(store);
  const isRegranted = memory.grants.since(store).size > 0;
  const isRearranged = gateways.size + sets.size > 0;
  if (freshness.isCalm && !isRearranged && !isRegranted && namespaces.size === 0) return undefined;
  const isMoved = ({ object, asked }: RouteMember) =>
    namespaces.has(object.metadata.namespace ?? 'default') ||
    (asked.defaults && gateways.size > 0) ||
    (isRearranged && (asked.gateways.some((key) => gateways.has(key)) || asked.sets.some((key) => sets.has(key))));
  return (member) => {
    if (isMoved(member)) dropParents(member);
    const { rules } = member;
    return !rules || (freshness.isFresh(rules) && !(isRegranted && rules.asksGrants));
  };
}

const unmoved: Pick<Steady, 'changed' | 'changedSets'> = { changed: new Set(), changedSets: new Set() };

/** Keys of the Gateways and ListenerSets that routes are to be attached to anew. */
function followGateways(memory: RoutesMemory, found: GatewayStates): Pick<Steady, 'changed' | 'changedSets'> {
  if (found === memory.found && memory.steady) return unmoved;
  memory.found = found;
  memory.steady = keepSteady(found, memory.steady);
  return memory.steady;
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
function resultOf(input: RoutesInput, known: Parents, member: RouteMember, kind: RouteKind): RouteResult | undefined {
  const { context, memory } = input;
  const { object } = member;
  member.parents ??= capture(context, () => attachRoute(context, known, object, kind));
  const { value: parents, findings } = member.parents;
  if (parents.length > 0 && member.result) return member.result;
  member.findings = findings;
  if (parents.length === 0) {
    if (member.rules) expire(memory, member);
    if (!hasOwnEntries(object, controllerOf(context.input))) return undefined;
  }
  const rules = parents.length > 0 ? rulesOf(input, member, kind) : undefined;
  const all = [...findings, ...(rules?.findings ?? noFindings)];
  member.findings = all.length > 0 ? all : noFindings;
  member.result ??= assemble(input, member, kind, parents);
  return member.result;
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
  { context, memory }: RoutesInput,
  { object, age, rules }: RouteMember,
  kind: RouteKind,
  parents: readonly AttachedParent[],
): RouteResult {
  const route: RouteState = { object, kind, age, parents, policies: rules?.policies ?? [], ...rules?.value };
  return {
    route,
    attachments: attachmentsOf(route, parents),
    status: routeStatus(memory.clock, controllerOf(context.input), route),
  };
}
