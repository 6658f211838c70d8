/**
 * Virtual hosts out of the claims of all Ingresses, oldest first: who came first keeps a host and path. In a host the
 * longest path comes first, Exact before Prefix where they are equally long, and the default backend last. Hosts that
 * nothing has changed for are those of the translation before.
 */
import { formatRef } from '../../base/diagnostics/index.ts';
import { equalJson } from '../../kube/objects.ts';
import { refOf } from '../../kube/resources.ts';
import { addFindings } from '../incremental/capture.ts';
import type { Freshness } from '../incremental/freshness.ts';
import { createInventory } from '../incremental/inventory.ts';
import { changeSorted, createFilteredList, type FilteredList, listDifference } from '../incremental/sorted.ts';
import type { Provenance, Route, RouteMatch, VirtualHost, WeightedBackend } from '../plan/plan.ts';
import type { BackendResolver, Fallback } from './backends.ts';
import type { Context } from './context.ts';
import { compareMembers, type IngressMember } from './members.ts';
import { policyOf, withPolicy } from './route-policy.ts';
import type { CompiledClaim, PathClaim } from './rules.ts';

/** A host that Ingresses claim; `*` also when one has a default backend. */
interface HostUnit {
  readonly hostname: string;
  /** Oldest first. */
  members: readonly IngressMember[];
  /** Undefined: to be built. */
  built?: BuiltHost | undefined;
  /** The host of the last translation, which stays when it comes out equal. */
  host?: VirtualHost;
  /** The host that is in the list. */
  listed?: VirtualHost | undefined;
}

interface BuiltHost {
  readonly host: VirtualHost;
  /** Claims that routes were made of. */
  readonly claims: readonly PathClaim[];
  readonly compiled: readonly CompiledClaim[];
  readonly conflicts: readonly Conflict[];
}

interface Conflict {
  readonly member: IngressMember;
  readonly loser: PathClaim;
  readonly winner: PathClaim;
}

interface DefaultBackend extends Fallback {
  readonly member: IngressMember;
}

export interface HostsMemory {
  readonly units: Map<string, HostUnit>;
  /** To be built. */
  readonly dirty: Set<HostUnit>;
  /** With something to say of them. */
  readonly noisy: Set<HostUnit>;
  served: readonly IngressMember[];
  /** Those of the served with a default backend. */
  readonly catchers: FilteredList<IngressMember>;
  /** Those of the served that have always something to say of them. */
  readonly talkers: FilteredList<IngressMember>;
  catchAll: DefaultBackend | undefined;
  hosts: readonly VirtualHost[];
  readonly backends: ReturnType<typeof createInventory>;
}

export function createHostsMemory(): HostsMemory {
  return {
    units: new Map(),
    dirty: new Set(),
    noisy: new Set(),
    served: [],
    catchers: createFilteredList(compareMembers),
    talkers: createFilteredList(compareMembers),
    catchAll: undefined,
    hosts: [],
    backends: createInventory(),
  };
}

export interface HostsInput {
  readonly context: Context;
  /** Oldest first. */
  readonly members: readonly IngressMember[];
  readonly resolver: BackendResolver;
  readonly freshness: Freshness;
  readonly memory: HostsMemory;
}

/** Hosts that say the same as before are the same objects; when all do, the list is the same one. */
export function buildHosts(input: HostsInput): readonly VirtualHost[] {
  const { memory } = input;
  const gone = assign(input);
  readFallbacks(input);
  if (!input.freshness.isCalm) expire(input);
  const removed = new Set<VirtualHost>();
  const added: VirtualHost[] = [];
  for (const { listed } of gone) if (listed) removed.add(listed);
  for (const unit of memory.dirty) {
    build(input, unit);
    if (unit.host === unit.listed) continue;
    if (unit.listed) removed.add(unit.listed);
    unit.listed = unit.host;
    added.push(unit.host!);
  }
  memory.dirty.clear();
  reportAll(input);
  if (removed.size + added.length > 0)
    memory.hosts = changeSorted(memory.hosts, removed, added, (a, b) => compareHostnames(a.hostname, b.hostname));
  return memory.hosts;
}

/** Files members that came, and takes out those that went, under the hosts that they claim. Returns hosts that nobody claims. */
function assign({ members, memory }: HostsInput): HostUnit[] {
  const { came, went } = listDifference(memory.served, members);
  memory.served = members;
  for (const member of went) {
    if (member.fallback) memory.backends.replace(member.fallback.backends, []);
    member.fallback = undefined;
  }
  const changes = new Map<string, { came: IngressMember[]; went: Set<IngressMember> }>();
  const changeOf = (hostname: string) => {
    const known = changes.get(hostname) ?? { came: [], went: new Set() };
    changes.set(hostname, known);
    return known;
  };
  for (const member of came) for (const hostname of hostsOf(member)) changeOf(hostname).came.push(member);
  for (const member of went) for (const hostname of hostsOf(member)) changeOf(hostname).went.add(member);
  const gone: HostUnit[] = [];
  for (const [hostname, change] of changes) {
    const unit = memory.units.get(hostname) ?? { hostname, members: [] };
    unit.members = changeSorted(unit.members, change.went, change.came, compareMembers);
    forget(memory, unit);
    if (unit.members.length > 0) {
      memory.units.set(hostname, unit);
      continue;
    }
    memory.units.delete(hostname);
    memory.dirty.delete(unit);
    memory.noisy.delete(unit);
    gone.push(unit);
  }
  return gone;
}

function hostsOf({ object, reading }: IngressMember): Iterable<string> {
  const hosts = reading!.claims.byHost;
  return object.spec?.defaultBackend && !hosts.has('*') ? [...hosts.keys(), '*'] : hosts.keys();
}

/** The unit is to be built anew. */
function forget({ backends, dirty }: HostsMemory, unit: HostUnit): void {
  dirty.add(unit);
  for (const { backends: named } of unit.built?.compiled ?? []) backends.replace(named, []);
  unit.built = undefined;
}

/** Default backends, and who has all the requests that no rule takes: the oldest Ingress with one. */
function readFallbacks({ context, members, resolver, freshness, memory }: HostsInput): void {
  let catchAll: DefaultBackend | undefined;
  for (const member of memory.catchers.update(members, ({ object }) => object.spec?.defaultBackend !== undefined)) {
    const { object, fallback: before } = member;
    const reference = object.spec!.defaultBackend!;
    if (!before || !freshness.isFresh(before)) {
      const gathered = resolver.gather(() => ({
        backend: resolver.resolve(object, reference, 'spec.defaultBackend'),
        policy: policyOf(context, resolver, member),
      }));
      memory.backends.replace(before?.backends ?? [], gathered.backends);
      member.fallback = { ...gathered, turn: freshness.turn };
      for (const hostname of hostsOf(member)) forget(memory, memory.units.get(hostname)!);
    }
    catchAll ??= { member, ...member.fallback!.value };
  }
  if (catchAll?.member === memory.catchAll?.member && catchAll?.backend === memory.catchAll?.backend) return;
  memory.catchAll = catchAll;
  for (const unit of memory.units.values()) forget(memory, unit);
}

/** Services have changed: hosts with routes to them are to be built anew. */
function expire({ freshness, memory }: HostsInput): void {
  for (const unit of memory.units.values())
    if (unit.built && !unit.built.compiled.every(freshness.isFresh)) forget(memory, unit);
}

function build(input: HostsInput, unit: HostUnit): void {
  const { memory } = input;
  const sources: Provenance[] = [];
  const paths = new Map<string, PathClaim>();
  const owners = new Map<PathClaim, IngressMember>();
  const conflicts: Conflict[] = [];
  for (const member of unit.members) {
    sources.push(...sourcesOf(input, unit, member));
    for (const claim of member.reading!.claims.byHost.get(unit.hostname)?.paths ?? []) {
      const key = `${claim.type} ${claim.key}`;
      const winner = paths.get(key);
      if (winner) conflicts.push({ member, loser: claim, winner });
      else paths.set(key, claim);
      owners.set(claim, member);
    }
  }
  const claims = [...paths.values()].sort(comparePaths);
  const compiled = claims.map((claim) => compileClaim(input, claim, owners.get(claim)!));
  for (const { backends } of compiled) memory.backends.replace([], backends);
  const routes = withFallback(input, unit, claims, compiled);
  const host: VirtualHost = { hostname: unit.hostname, wildcard: 'one-label', routes, sources };
  if (!unit.host || !sameHost(unit.host, host)) unit.host = host;
  unit.built = { host: unit.host, claims, compiled, conflicts };
  if (conflicts.length > 0 || compiled.some(({ findings }) => findings.length > 0)) memory.noisy.add(unit);
  else memory.noisy.delete(unit);
}

/** Routes that are equal are the same objects already, except for default backends. */
function sameHost(a: VirtualHost, b: VirtualHost): boolean {
  return equalJson(a.sources, b.sources) && a.routes.length === b.routes.length && equalJson(a.routes, b.routes);
}

function sourcesOf({ context, memory }: HostsInput, { hostname }: HostUnit, member: IngressMember): Provenance[] {
  const { object, reading } = member;
  const claimed = reading!.claims.byHost.get(hostname)?.hosts ?? [];
  const sources = claimed.map(({ fieldPath, rule }) => context.provenance(object, fieldPath, { rule }));
  if (hostname === '*' && memory.catchAll?.member === member)
    sources.push(context.provenance(object, 'spec.defaultBackend'));
  return sources;
}

/** The route of a claim; the one of before when the Services behind it are as they were, or when it comes out equal. */
function compileClaim(
  { context, resolver, freshness }: HostsInput,
  claim: PathClaim,
  owner: IngressMember,
): CompiledClaim {
  const before = claim.compiled;
  if (before && freshness.isFresh(before)) return before;
  const gathered = resolver.gather(() =>
    withPolicy(policyOf(context, resolver, owner), pathRoute(context, claim, resolver)),
  );
  const value = before && equalJson(before.value, gathered.value) ? before.value : gathered.value;
  claim.compiled = { ...gathered, value, turn: freshness.turn };
  return claim.compiled;
}

function withFallback(
  { context, memory }: HostsInput,
  { hostname, members }: HostUnit,
  claims: readonly PathClaim[],
  compiled: readonly CompiledClaim[],
): Route[] {
  const routes = compiled.map(({ value }) => value);
  if (claims.some((claim) => claim.type === 'prefix' && claim.key === '/')) return routes;
  const own = hostname === '*' ? undefined : members.find(({ object }) => object.spec?.defaultBackend);
  const fallback = own ? { member: own, ...own.fallback!.value } : memory.catchAll;
  return fallback ? [...routes, defaultRoute(context, fallback)] : routes;
}

/** Findings in the order of the Ingresses, then in that of the hosts. */
function reportAll({ context, members, memory }: HostsInput): void {
  const noisy = [...memory.noisy].sort((a, b) => compareHostnames(a.hostname, b.hostname));
  const conflicts = conflictsByLoser(noisy);
  const talkers = memory.talkers.update(
    members,
    ({ object, reading }) => object.spec?.defaultBackend !== undefined || reading!.findings.length > 0,
  );
  for (const member of withLosers(talkers, conflicts)) {
    addFindings(context, member.reading!.findings);
    for (const conflict of conflicts.get(member) ?? []) reportConflict(context, conflict);
    if (!member.object.spec?.defaultBackend) continue;
    addFindings(context, member.fallback!.findings);
    if (memory.catchAll!.member !== member) reportLateCatchAll(context, memory.catchAll!.member, member);
  }
  for (const { built } of noisy) for (const { findings } of built!.compiled) addFindings(context, findings);
}

function withLosers(
  talkers: readonly IngressMember[],
  conflicts: ReadonlyMap<IngressMember, unknown>,
): readonly IngressMember[] {
  if (conflicts.size === 0) return talkers;
  return [...new Set([...talkers, ...conflicts.keys()])].sort(compareMembers);
}

/** By the Ingress that loses, in the order in which it makes its claims. */
function conflictsByLoser(units: readonly HostUnit[]): ReadonlyMap<IngressMember, Conflict[]> {
  const byLoser = new Map<IngressMember, Conflict[]>();
  for (const { built } of units) {
    for (const conflict of built!.conflicts) {
      const known = byLoser.get(conflict.member);
      if (known) known.push(conflict);
      else byLoser.set(conflict.member, [conflict]);
    }
  }
  for (const list of byLoser.values()) list.sort((a, b) => a.loser.rule - b.loser.rule || a.loser.path - b.loser.path);
  return byLoser;
}

function reportConflict(context: Context, { loser, winner }: Conflict): void {
  const owner = winner.ingress === loser.ingress ? 'this Ingress' : formatRef(refOf(winner.ingress));
  const message = `${loser.type} ${loser.value} of host ${loser.host} belongs to ${owner} (${winner.fieldPath})`;
  context.report('FW2011', loser.ingress, loser.fieldPath, message);
}

/** Requests that no rule takes go to the oldest Ingress with a default backend, and this is a younger one. */
function reportLateCatchAll(context: Context, owner: IngressMember, { object, reading }: IngressMember): void {
  const hasHosts = reading!.claims.byHost.size > 0;
  const own = hasHosts ? '; it still answers for the hosts of its own rules' : '';
  const message = `requests for hosts without rules go to the default backend of ${formatRef(owner.ref)}${own}`;
  context.report('FW2012', object, 'spec.defaultBackend', message, hasHosts ? { severity: 'info' } : {});
}

/** Exact names, then wildcards with the longest suffix first, then `*`. */
function compareHostnames(a: string, b: string): number {
  const [left, right] = [rankOf(a), rankOf(b)];
  if (left !== right) return left - right;
  if (left === 1 && a.length !== b.length) return b.length - a.length;
  return a < b ? -1 : 1;
}

function rankOf(hostname: string): number {
  if (hostname === '*') return 2;
  return hostname.startsWith('*') ? 1 : 0;
}

function comparePaths(a: PathClaim, b: PathClaim): number {
  if (a.key.length !== b.key.length) return b.key.length - a.key.length;
  if (a.type !== b.type) return a.type === 'exact' ? -1 : 1;
  return a.key < b.key ? -1 : 1;
}

function pathRoute(context: Context, claim: PathClaim, backends: BackendResolver): Route {
  const { ingress, type, value, rule, path, fieldPath } = claim;
  const source = context.provenance(ingress, fieldPath, { rule, match: path });
  const backend = backends.resolve(ingress, claim.backend, `${fieldPath}.backend`);
  return forward(`${routeId(claim)}/rules/${rule}/paths/${path}`, { path: { type, value } }, backend, source);
}

function defaultRoute(context: Context, { member: { object, key }, backend, policy }: DefaultBackend): Route {
  const source = context.provenance(object, 'spec.defaultBackend');
  return withPolicy(policy, forward(`Ingress/${key}/defaultBackend`, {}, backend, source));
}

function routeId({ ingress: { metadata } }: PathClaim): string {
  return `Ingress/${metadata.namespace}/${metadata.name}`;
}

function forward(id: string, match: RouteMatch, backend: WeightedBackend, source: Provenance): Route {
  return { id, match, filters: [], action: { type: 'forward', backends: [backend] }, source };
}
