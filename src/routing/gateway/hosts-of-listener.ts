/** Virtual hosts of one listener, of which only those are built anew that something has changed for. */
import { equalJson } from '../../kube/objects.ts';
import { changeSorted, sameItems } from '../incremental/sorted.ts';
import type { Provenance, Route, VirtualHost } from '../plan/plan.ts';
import { type Context, compareNames } from './context.ts';
import { compareHostnames, compareSpecificity, isWildcard, widerHostnames } from './hostnames.ts';
import type { Owner, SourcedListener } from './hosts.ts';
import { compareRank, type MatchRank } from './http-match.ts';
import { routeKinds } from './kinds.ts';
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
}

export interface ListenerHosts {
  /** Sorted; the same list for as long as all hosts are the same. */
  update(context: Context, listener: SourcedListener, owner: Owner): readonly VirtualHost[];
}

/** For as long as the listener, and so what belongs to it, looks the same to routes. */
export function createListenerHosts(listener: ListenerState, earlier: readonly VirtualHost[]): ListenerHosts {
  const units = new Map<string, HostUnit>();
  const known = new Map(earlier.map((host) => [host.hostname, host]));
  let sorted: readonly HostUnit[] = [];
  let attached: readonly Attachment[] = [];
  /** Hostnames with routes that others may fall back to. */
  let wider = '';
  let hosts: readonly VirtualHost[] = [];
  const itemsOf = new Map<Attachment, readonly (readonly [string, Item])[]>();
  let first: Provenance | undefined;

  function unitOf(hostname: string, added: HostUnit[]): HostUnit {
    let unit = units.get(hostname);
    if (!unit) {
      unit = { hostname, items: [], entries: [], before: known.get(hostname) };
      units.set(hostname, unit);
      added.push(unit);
    }
    return unit;
  }

  /** Files what came, and takes out what went. */
  function follow(context: Context, owner: Owner): void {
    const { attachments } = listener;
    const changes = new Map<string, { came: Item[]; went: Set<Item> }>();
    const changeOf = (hostname: string) => {
      const change = changes.get(hostname) ?? { came: [], went: new Set() };
      changes.set(hostname, change);
      return change;
    };
    const { came, went } = difference(attached, attachments);
    attached = attachments;
    for (const attachment of went) {
      for (const [hostname, item] of itemsOf.get(attachment) ?? []) changeOf(hostname).went.add(item);
      itemsOf.delete(attachment);
    }
    for (const attachment of came) {
      const items = makeItems(context, listener, attachment, owner);
      itemsOf.set(attachment, items);
      for (const [hostname, item] of items) changeOf(hostname).came.push(item);
    }
    apply(changes);
  }

  function apply(changes: ReadonlyMap<string, { came: Item[]; went: Set<Item> }>): void {
    const added: HostUnit[] = [];
    const removed = new Set<HostUnit>();
    unitOf(listener.hostname, added);
    for (const [hostname, { came, went }] of changes) {
      const unit = unitOf(hostname, added);
      const gone = new Set([...went].flatMap(({ entries }) => entries));
      unit.items = changeSorted(unit.items, went, came, compareItems);
      unit.entries = changeSorted(
        unit.entries,
        gone,
        came.flatMap(({ entries }) => entries),
        compareEntries,
      );
      forget(unit);
      if (unit.items.length > 0 || hostname === listener.hostname) continue;
      units.delete(hostname);
      removed.add(unit);
    }
    const really = added.filter((unit) => units.get(unit.hostname) === unit);
    if (really.length > 0 || removed.size > 0)
      sorted = changeSorted(sorted, removed, really, (a, b) => compareHostnames(a.hostname, b.hostname));
  }

  function forget(unit: HostUnit): void {
    unit.before = unit.host ?? unit.before;
    unit.host = undefined;
  }

  /** A host falls back to the nearest wider one with routes. */
  function followFallbacks(): void {
    const now = sorted
      .filter(({ hostname, entries }) => isWildcard(hostname) && entries.length > 0)
      .map(({ hostname }) => hostname)
      .join(' ');
    if (now !== wider) for (const unit of sorted) forget(unit);
    wider = now;
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
    update(context, { source }, owner) {
      follow(context, owner);
      followFallbacks();
      if (!first || !equalJson(first, source)) {
        first = source;
        for (const unit of sorted) forget(unit);
      }
      const now = sorted.map((unit) => {
        unit.host ??= build(unit, first!);
        return unit.host;
      });
      if (!sameItems(hosts, now)) hosts = now;
      known.clear();
      return hosts;
    },
  };
}

/** Routes of rules that did not change are the same objects. */
function sameHost(a: VirtualHost, b: VirtualHost): boolean {
  return a.fallback === b.fallback && equalJson(a.sources, b.sources) && equalJson(a.routes, b.routes);
}

/** Lists in the same order, which change little from one time to the next. */
function difference(before: readonly Attachment[], now: readonly Attachment[]) {
  let from = 0;
  while (from < before.length && before[from] === now[from]) from++;
  let [a, b] = [before.length, now.length];
  while (a > from && b > from && before[a - 1] === now[b - 1]) {
    a--;
    b--;
  }
  const old = new Set(before.slice(from, a));
  const came = now.slice(from, b).filter((attachment) => !old.delete(attachment));
  return { came, went: old };
}

/** The hostnames at which a route stands that belong to the listener. */
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
 * then the older route, then its name; rules and matches of one route keep their order.
 */
function compareEntries(a: Entry, b: Entry): number {
  return (
    (a.own === b.own ? 0 : compareSpecificity(a.own, b.own)) ||
    compareRank(a.rank, b.rank) ||
    compareSeniority(a.state, b.state) ||
    (a.state === b.state ? 0 : compareOrder(a.state, b.state)) ||
    a.place - b.place
  );
}
