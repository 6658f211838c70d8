/**
 * Virtual hosts out of the claims of all Ingresses. A host belongs to the dialect of its oldest Ingress, and is built by
 * it. Hosts that nothing has changed for are those of the translation before.
 */
import { formatRef } from '../../base/diagnostics/index.ts';
import { equalJson } from '../../kube/objects.ts';
import { addFindings } from '../incremental/capture.ts';
import type { Freshness } from '../incremental/freshness.ts';
import { createInventory } from '../incremental/inventory.ts';
import { changeSorted, createFilteredList, type FilteredList, listDifference } from '../incremental/sorted.ts';
import type { NginxScope } from '../ingress-nginx/scope.ts';
import { buildServer } from '../ingress-nginx/servers.ts';
import type { ClientValidation, StreamRoute, VirtualHost } from '../plan/plan.ts';
import type { Dialect } from '../route-policy/policy.ts';
import type { BackendResolver } from './backends.ts';
import type { Context } from './context.ts';
import {
  type BuildInput,
  type BuiltHost,
  type Conflict,
  type DefaultBackend,
  dialectOfUnit,
  type HostUnit,
  ownerOf,
} from './host-unit.ts';
import { compareMembers, type IngressMember } from './members.ts';
import { createOtherNames, type OtherNames } from './other-names.ts';
import { buildOwnHost } from './own-host.ts';
import { policyOf } from './route-policy.ts';
import { isShutUnit } from './shut.ts';

export interface HostsMemory {
  readonly units: Map<string, HostUnit>;
  /** To be built. */
  readonly dirty: Set<HostUnit>;
  /** With something to say of them. */
  readonly noisy: Set<HostUnit>;
  /** With a location that lets nothing through. */
  readonly shut: Set<HostUnit>;
  served: readonly IngressMember[];
  /** Whether any of the served is of ingress-nginx, which answers for hosts that nobody has. */
  hasServers: boolean;
  /** Those of the served with a default backend in Fairway's dialect. */
  readonly catchers: FilteredList<IngressMember>;
  /** Those of the served that have always something to say of them. */
  readonly talkers: FilteredList<IngressMember>;
  catchAll: DefaultBackend | undefined;
  hosts: readonly VirtualHost[];
  readonly others: OtherNames;
  /** Hosts that ask clients for certificates. */
  readonly guarded: Set<HostUnit>;
  validations: ReadonlyMap<string, ClientValidation>;
  /** Hosts whose TLS is passed through, by name. */
  readonly passed: Map<string, StreamRoute>;
  readonly backends: ReturnType<typeof createInventory>;
}

export function createHostsMemory(): HostsMemory {
  return {
    units: new Map(),
    dirty: new Set(),
    noisy: new Set(),
    shut: new Set(),
    served: [],
    hasServers: false,
    catchers: createFilteredList(compareMembers),
    talkers: createFilteredList(compareMembers),
    catchAll: undefined,
    hosts: [],
    others: createOtherNames(),
    guarded: new Set(),
    validations: new Map(),
    passed: new Map(),
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

/** What has to be known of all hosts before any of them is built. */
export interface Assigned {
  /** Hosts that nobody claims any more. */
  readonly gone: readonly HostUnit[];
}

/** Files Ingresses under the hosts that they claim. */
export function assignHosts(input: HostsInput): Assigned {
  const gone = assign(input);
  readFallbacks(input);
  if (!input.freshness.isCalm) expire(input);
  return { gone };
}

/** The hosts of one dialect, with a server of their own, that are to be built anew when what they share has changed. */
export function forgetHosts({ memory }: HostsInput, concerns: (unit: HostUnit) => boolean): void {
  for (const unit of memory.units.values()) if (concerns(unit)) forget(memory, unit);
}

/** Hosts that say the same as before are the same objects; when all do, the list is the same one. */
export function buildHosts(input: HostsInput, { gone }: Assigned, scope: NginxScope): readonly VirtualHost[] {
  const { memory } = input;
  const removed = new Set<VirtualHost>();
  const added: VirtualHost[] = [];
  const exchange = (before: VirtualHost | undefined, now: VirtualHost | undefined) => {
    if (before === now) return;
    if (before) removed.add(before);
    if (now) added.push(now);
  };
  for (const unit of gone) {
    exchange(unit.listed, undefined);
    memory.others.replace(unit, []);
    memory.guarded.delete(unit);
    memory.passed.delete(unit.hostname);
  }
  for (const unit of memory.dirty) {
    build(input, unit, scope);
    exchange(unit.listed, unit.host);
    unit.listed = unit.host;
    memory.others.replace(unit, unit.built!.others ?? []);
    if (unit.built!.clientValidation) memory.guarded.add(unit);
    else memory.guarded.delete(unit);
    if (unit.built!.passthrough) memory.passed.set(unit.hostname, unit.built!.passthrough);
    else memory.passed.delete(unit.hostname);
  }
  memory.dirty.clear();
  memory.others.settle((name) => memory.units.get(name)?.host !== undefined, exchange);
  followValidations(memory);
  reportAll(input);
  if (removed.size + added.length > 0)
    memory.hosts = changeSorted(memory.hosts, removed, added, (a, b) => compareHostnames(a.hostname, b.hostname));
  return memory.hosts;
}

/** What certificates clients are asked for, by the name that they connect to. */
function followValidations(memory: HostsMemory): void {
  const now = new Map<string, ClientValidation>();
  for (const { hostname, built } of memory.guarded)
    for (const name of [hostname, ...memory.others.aliasesOf(hostname)]) now.set(name, built!.clientValidation!);
  const sorted = [...now].sort(([a], [b]) => (a < b ? -1 : 1));
  if (!equalJson(sorted, [...memory.validations])) memory.validations = new Map(sorted);
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
  // What is left of the default server of ingress-nginx without an Ingress of its own.
  const hasServers = members.some(({ claim }) => claim.dialect === 'ingress-nginx');
  if (hasServers !== memory.hasServers) changeOf('*');
  memory.hasServers = hasServers;
  const gone: HostUnit[] = [];
  for (const [hostname, change] of changes) {
    const unit = memory.units.get(hostname) ?? { hostname, members: [] };
    unit.members = changeSorted(unit.members, change.went, change.came, compareMembers);
    forget(memory, unit);
    if (unit.members.length > 0 || (hostname === '*' && hasServers)) {
      memory.units.set(hostname, unit);
      continue;
    }
    memory.units.delete(hostname);
    memory.dirty.delete(unit);
    memory.noisy.delete(unit);
    memory.shut.delete(unit);
    gone.push(unit);
  }
  return gone;
}

/** With rules, a default backend is for the hosts of these alone in ingress-nginx. */
function hostsOf({ object: { spec }, reading, claim }: IngressMember): Iterable<string> {
  const hosts = reading!.claims.byHost;
  const isForAll = claim.dialect === 'fairway' || !spec?.rules?.length;
  return spec?.defaultBackend && isForAll && !hosts.has('*') ? [...hosts.keys(), '*'] : hosts.keys();
}

/** The unit is to be built anew. */
function forget({ backends, dirty }: HostsMemory, unit: HostUnit): void {
  dirty.add(unit);
  for (const { backends: named } of unit.built?.compiled ?? []) backends.replace(named, []);
  unit.built = undefined;
}

const isCatcher = ({ object, claim }: IngressMember) =>
  claim.dialect === 'fairway' && object.spec?.defaultBackend !== undefined;

/** Default backends, and who has all the requests that no rule takes: the oldest Ingress with one. */
function readFallbacks({ context, members, resolver, freshness, memory }: HostsInput): void {
  const everyone = memory.units.get('*');
  const isOurs = everyone !== undefined && dialectOfUnit(everyone) === 'fairway';
  let catchAll: DefaultBackend | undefined;
  for (const member of memory.catchers.update(members, isCatcher)) {
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
    if (isOurs) catchAll ??= { member, ...member.fallback!.value };
  }
  if (catchAll?.member === memory.catchAll?.member && catchAll?.backend === memory.catchAll?.backend) return;
  memory.catchAll = catchAll;
  for (const unit of memory.units.values()) if (dialectOfUnit(unit) === 'fairway') forget(memory, unit);
}

/** Services have changed: hosts with routes to them are to be built anew. */
function expire({ freshness, memory }: HostsInput): void {
  for (const unit of memory.units.values())
    if (unit.built && !unit.built.compiled.every(freshness.isFresh)) forget(memory, unit);
}

type Builder = (input: BuildInput, unit: HostUnit, members: readonly IngressMember[], scope: NginxScope) => BuiltHost;

const builders: Readonly<Record<Dialect, Builder>> = {
  fairway: buildOwnHost,
  'ingress-nginx': buildServer,
};

function build({ context, resolver, freshness, memory }: HostsInput, unit: HostUnit, scope: NginxScope): void {
  const dialect = dialectOfUnit(unit);
  const members = unit.members.filter(({ claim }) => claim.dialect === dialect);
  const built = builders[dialect]({ context, resolver, freshness, catchAll: memory.catchAll }, unit, members, scope);
  for (const { backends } of built.compiled) memory.backends.replace([], backends);
  if (!unit.host || !built.host || !sameHost(unit.host, built.host)) unit.host = built.host;
  const conflicts = [...built.conflicts, ...strangersOf(unit, dialect)];
  unit.built = { ...built, host: unit.host, conflicts };
  if (conflicts.length > 0 || built.compiled.some(({ findings }) => findings.length > 0)) memory.noisy.add(unit);
  else memory.noisy.delete(unit);
  if (isShutUnit(unit)) memory.shut.add(unit);
  else memory.shut.delete(unit);
}

/** Routes that are equal are the same objects already, except for default backends. */
function sameHost(a: VirtualHost, b: VirtualHost): boolean {
  return (
    a.paths === b.paths &&
    equalJson(a.sources, b.sources) &&
    a.routes.length === b.routes.length &&
    equalJson(a.routes, b.routes)
  );
}

/** Claims of Ingresses of another dialect than the host's. */
function strangersOf({ hostname, members }: HostUnit, dialect: Dialect): Conflict[] {
  const owner = ownerOf(members);
  return members.flatMap((member) => {
    if (member.claim.dialect === dialect || !owner) return [];
    const hosts = member.reading!.claims.byHost.get(hostname)?.hosts ?? [];
    const places = hosts.map(({ rule, fieldPath }) => ({ rule, fieldPath }));
    const isCatching = hostname === '*' && member.object.spec?.defaultBackend !== undefined;
    if (isCatching) places.push({ rule: Number.MAX_SAFE_INTEGER, fieldPath: 'spec.defaultBackend' });
    return places.map(({ rule, fieldPath }) => ({
      member,
      rule,
      path: -1,
      report: (context: Context) => reportStranger(context, hostname, fieldPath, member, owner),
    }));
  });
}

function reportStranger(
  context: Context,
  hostname: string,
  fieldPath: string,
  { object, claim }: IngressMember,
  owner: IngressMember,
): void {
  const which = hostname === '*' ? 'requests for hosts without rules' : `host ${hostname}`;
  const verb = hostname === '*' ? 'are answered' : 'is served';
  const message = `${which} ${verb} as ${owner.claim.dialect} would, for ${formatRef(owner.ref)} came first; this Ingress is of ${claim.dialect}`;
  context.report('FW2015', object, fieldPath, message);
}

/** Findings in the order of the Ingresses, then in that of the hosts. */
function reportAll({ context, members, memory }: HostsInput): void {
  const noisy = [...memory.noisy].sort((a, b) => compareHostnames(a.hostname, b.hostname));
  const conflicts = conflictsByLoser(noisy);
  const talkers = memory.talkers.update(members, (member) => isCatcher(member) || member.reading!.findings.length > 0);
  for (const member of withLosers(talkers, conflicts)) {
    addFindings(context, member.reading!.findings);
    for (const { report } of conflicts.get(member) ?? []) report(context);
    if (!isCatcher(member)) continue;
    addFindings(context, member.fallback!.findings);
    const { catchAll } = memory;
    if (catchAll && catchAll.member !== member) reportLateCatchAll(context, catchAll.member, member);
  }
  for (const { built } of noisy) for (const { findings } of built!.compiled) addFindings(context, findings);
  memory.others.report(context);
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
  for (const list of byLoser.values()) list.sort((a, b) => a.rule - b.rule || a.path - b.path);
  return byLoser;
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
