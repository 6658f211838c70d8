/** Virtual hosts of one listener, of which only those are built anew that something has changed for. */
import { equalJson } from '../../kube/objects.ts';
import { changeSorted, listDifference, sameItems } from '../incremental/sorted.ts';
import type { Provenance, Route, VirtualHost } from '../plan/plan.ts';
import { type Context, compareNames } from './context.ts';
import { compareHostnames, compareSpecificity, isWildcard, widerHostnames } from './hostnames.ts';
import type { Owner, SourcedListener } from './hosts.ts';
import { routeKinds } from './kinds.ts';
import { compareRank, type MatchRank } from './match-values.ts';
import { type Attachment, compareSeniority, type ListenerState, type RouteObject, type RouteState } from './model.ts';

interface Entry {
  readonly route: Route;
  readonly rank: MatchRank;
  /** The route's own hostname, of which the virtual host may be a part. */
  readonly own: string;
  readonly state: RouteState;
  /** Among the rules and matches of its route. */
  readonly place: number;
}

/** One route at one hostname. */
interface Item {
  readonly attachment: Attachment;
  readonly entries: readonly Entry[];
  readonly source: Provenance;
}

interface HostUnit {
  readonly hostname: string;
  /** In the order of attaching. */
  items: readonly Item[];
  /** In the order of precedence. */
  entries: readonly Entry[];
  /** Undefined: to be built. */
  host?: VirtualHost | undefined;
  /** What it was before, which stays when it comes out equal. */
  before?: VirtualHost | undefined;
  /** The host that is in the list. */
  listed?: VirtualHost | undefined;
}

export interface ListenerHosts {
  /**
   * Sorted; the same list for as long as all hosts are the same. `isConcerned`: names may belong to the listener that did
   * not before, or no longer.
   */
  update(context: Context, listener: SourcedListener, owner: Owner, isConcerned: boolean): readonly VirtualHost[];
}

const noHosts: ReadonlyMap<string, VirtualHost> = new Map();

/** For as long as the listener, and so what belongs to it, looks the same to routes. */
export function createListenerHosts(listener: ListenerState, earlier: ReadonlyMap<string, VirtualHost>): ListenerHosts {
  const units = new Map<string, HostUnit>();
  /** Hosts of the port before; of no concern once the first are built. */
  let known = earlier;
  /** To be built. */
  const dirty = new Set<HostUnit>();
  /** Wildcards with routes: what others may fall back to. */
  const wide = new Set<HostUnit>();
  let isWiderChanged = false;
  let attached: readonly Attachment[] = [];
  let hosts: readonly VirtualHost[] = [];
  const itemsOf = new Map<Attachment, readonly (readonly [string, Item])[]>();
  let first: Provenance | undefined;

  function unitOf(hostname: string): HostUnit {
    let unit = units.get(hostname);
    if (!unit) {
      unit = { hostname, items: [], entries: [], before: known.get(hostname) };
      units.set(hostname, unit);
      dirty.add(unit);
    }
    return unit;
  }

  /** Files what came, and takes out what went. Returns hosts that are no more. */
  function follow(context: Context, owner: Owner, isConcerned: boolean): HostUnit[] {
    const { attachments } = listener;
    const changes = new Map<string, { came: Item[]; went: Set<Item> }>();
    const changeOf = (hostname: string) => {
      const change = changes.get(hostname) ?? { came: [], went: new Set() };
      changes.set(hostname, change);
      return change;
    };
    const { came, went } = listDifference(attached, attachments);
    attached = attachments;
    const moved = isConcerned ? [...itemsOf.keys()].filter((each) => !went.has(each) && isMoved(each, owner)) : [];
    for (const attachment of [...went, ...moved]) {
      for (const [hostname, item] of itemsOf.get(attachment) ?? []) changeOf(hostname).went.add(item);
      itemsOf.delete(attachment);
    }
    for (const attachment of [...came, ...moved]) {
      const items = makeItems(context, listener, attachment, owner);
      itemsOf.set(attachment, items);
      for (const [hostname, item] of items) changeOf(hostname).came.push(item);
    }
    return apply(changes);
  }

  /** Whether a route stands at other hostnames than it was filed under. */
  function isMoved(attachment: Attachment, owner: Owner): boolean {
    const filed = (itemsOf.get(attachment) ?? []).map(([hostname]) => hostname);
    return !sameItems(filed, ownedNames(listener, attachment, owner));
  }

  function apply(changes: ReadonlyMap<string, { came: Item[]; went: Set<Item> }>): HostUnit[] {
    const gone: HostUnit[] = [];
    unitOf(listener.hostname);
    for (const [hostname, { came, went }] of changes) {
      const unit = unitOf(hostname);
      const left = new Set([...went].flatMap(({ entries }) => entries));
      unit.items = changeSorted(unit.items, went, came, compareItems);
      unit.entries = changeSorted(
        unit.entries,
        left,
        came.flatMap(({ entries }) => entries),
        compareEntries,
      );
      forget(unit);
      noteWide(unit);
      if (unit.items.length > 0 || hostname === listener.hostname) continue;
      units.delete(hostname);
      dirty.delete(unit);
      gone.push(unit);
    }
    return gone;
  }

  function forget(unit: HostUnit): void {
    unit.before = unit.host ?? unit.before;
    unit.host = undefined;
    dirty.add(unit);
  }

  /** A host falls back to the nearest wider one with routes. */
  function noteWide(unit: HostUnit): void {
    const isWide = isWildcard(unit.hostname) && unit.entries.length > 0;
    if (isWide === wide.has(unit)) return;
    if (isWide) wide.add(unit);
    else wide.delete(unit);
    isWiderChanged = true;
  }

  function forgetAll(): void {
    for (const unit of units.values()) forget(unit);
  }

  /** The list with what is built anew, and without what is gone. */
  function relist(gone: readonly HostUnit[], source: Provenance): void {
    const removed = new Set<VirtualHost>();
    const added: VirtualHost[] = [];
    for (const { listed } of gone) if (listed) removed.add(listed);
    for (const unit of dirty) {
      unit.host = build(unit, source);
      if (unit.host === unit.listed) continue;
      if (unit.listed) removed.add(unit.listed);
      unit.listed = unit.host;
      added.push(unit.host);
    }
    dirty.clear();
    if (removed.size + added.length > 0)
      hosts = changeSorted(hosts, removed, added, (a, b) => compareHostnames(a.hostname, b.hostname));
  }

  function build(unit: HostUnit, source: Provenance): VirtualHost {
    const { hostname, entries, items, before } = unit;
    const fallback = widerHostnames(hostname).find((name) => (units.get(name)?.entries.length ?? 0) > 0);
    const host: VirtualHost = {
      hostname,
      wildcard: 'any-depth',
      routes: entries.map(({ route }) => route),
      ...(fallback !== undefined && { fallback }),
      sources: [source, ...items.map((item) => item.source)],
    };
    return before && sameHost(before, host) ? before : host;
  }

  return {
    update(context, { source }, owner, isConcerned) {
      const gone = follow(context, owner, isConcerned);
      const isElsewhere = !first || !equalJson(first, source);
      if (isElsewhere) first = source;
      if (isElsewhere || isWiderChanged) forgetAll();
      isWiderChanged = false;
      relist(gone, first!);
      known = noHosts;
      return hosts;
    },
  };
}

/** Routes of rules that did not change are the same objects. */
function sameHost(a: VirtualHost, b: VirtualHost): boolean {
  return a.fallback === b.fallback && equalJson(a.sources, b.sources) && equalJson(a.routes, b.routes);
}

/** The hostnames at which a route stands that belong to the listener. */
function ownedNames(listener: ListenerState, { hostnames }: Attachment, owner: Owner): string[] {
  return hostnames.map(({ hostname }) => hostname).filter((hostname) => owner(hostname) === listener);
}

/** The places of a route, one for each of those hostnames. */
function makeItems(
  context: Context,
  listener: ListenerState,
  attachment: Attachment,
  owner: Owner,
): (readonly [string, Item])[] {
  const { route, hostnames } = attachment;
  return hostnames
    .filter(({ hostname }) => owner(hostname) === listener)
    .map(({ hostname, own }) => {
      const field = own === '*' ? 'spec' : hostnameField(route.object, own);
      const entries = (route.http?.routes ?? []).map(({ route: compiled, rank }, place) => ({
        route: compiled,
        rank,
        own,
        state: route,
        place,
      }));
      return [hostname, { attachment, entries, source: context.provenance(route.object, field) }] as const;
    });
}

function hostnameField({ spec }: RouteObject, own: string): string {
  const index = (spec.hostnames ?? []).findIndex((hostname) => hostname.toLowerCase() === own);
  return `spec.hostnames[${index}]`;
}

/** Routes attach by kind, and by name within a kind. */
function compareItems({ attachment: { route: a } }: Item, { attachment: { route: b } }: Item): number {
  return compareOrder(a, b);
}

function compareOrder(a: RouteState, b: RouteState): number {
  return routeKinds.indexOf(a.kind) - routeKinds.indexOf(b.kind) || compareNames(a.object, b.object);
}

/**
 * Precedence within a virtual host: the route with the more specific hostname of its own, then the rank of the match,
 * then the older route, then its name; rules and matches of one route keep their order. Rules of GRPCRoutes and
 * HTTPRoutes are not merged (GRPCRouteRule.matches): calls that a GRPCRoute takes are none of an HTTPRoute's.
 */
function compareEntries(a: Entry, b: Entry): number {
  return (
    (a.own === b.own ? 0 : compareSpecificity(a.own, b.own)) ||
    Number(b.state.kind === 'GRPCRoute') - Number(a.state.kind === 'GRPCRoute') ||
    compareRank(a.rank, b.rank) ||
    compareSeniority(a.state, b.state) ||
    (a.state === b.state ? 0 : compareOrder(a.state, b.state)) ||
    a.place - b.place
  );
}
