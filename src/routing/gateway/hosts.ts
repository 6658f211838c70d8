/**
 * Virtual hosts of one socket. Listener isolation is settled here: a name belongs to the most specific listener that
 * covers it, every listener has a virtual host for its own hostname, and fallbacks stay within a listener, so that a
 * request never reaches the routes of another one. That holds for listeners that cannot be served too: their names
 * are not found, rather than answered by a listener that was not meant for them.
 */
import type { Provenance, Route, VirtualHost } from '../plan/plan.ts';
import type { Context } from './context.ts';
import { compareHostnames, compareSpecificity, widerHostnames } from './hostnames.ts';
import { compareRank, type MatchRank } from './http-match.ts';
import { carriesHttp, isServable, type ListenerState, type RouteObject, type SniCertificate } from './model.ts';

/** A listener of a Gateway, with the place it is written at. */
export interface SourcedListener {
  readonly listener: ListenerState;
  readonly source: Provenance;
}

interface Entry {
  readonly route: Route;
  readonly rank: MatchRank;
  /** The route's own hostname, of which the virtual host may be a part. */
  readonly own: string;
  readonly seniority: number;
}

interface HostDraft {
  readonly entries: Entry[];
  readonly sources: Provenance[];
}

/** The listener that a hostname belongs to; undefined when none covers it. */
export type Owner = (hostname: string) => ListenerState | undefined;

/**
 * `listeners` are all of a Gateway's listeners on one port, whether they can be served or not. Names of TLS listeners
 * beside HTTPS ones are not found.
 */
export function buildHosts(context: Context, listeners: readonly SourcedListener[]): VirtualHost[] {
  const owner = ownerOf(listeners);
  const served = listeners.filter(({ listener }) => isServable(listener) && carriesHttp(listener));
  const hosts = served.flatMap((listener) => hostsOfListener(context, listener, owner));
  return [...hosts, ...closedHosts(listeners, hosts)].sort((a, b) => compareHostnames(a.hostname, b.hostname));
}

/** Hostnames of listeners that cannot be served. */
function closedHosts(listeners: readonly SourcedListener[], hosts: readonly VirtualHost[]): VirtualHost[] {
  const taken = new Set(hosts.map(({ hostname }) => hostname));
  const closed: VirtualHost[] = [];
  for (const { listener, source } of listeners) {
    const { hostname } = listener;
    if (hostname === '*' || taken.has(hostname)) continue;
    taken.add(hostname);
    closed.push({ hostname, wildcard: 'any-depth', routes: [], sources: [source] });
  }
  return closed;
}

/** Certificates by SNI of one socket: each listener answers for the names that belong to it. */
export function buildSni(listeners: readonly SourcedListener[]): SniCertificate[] {
  const owner = ownerOf(listeners);
  return listeners
    .filter(({ listener }) => isServable(listener) && carriesHttp(listener))
    .flatMap(({ listener }) => listener.certificates.filter(({ serverName }) => owner(serverName) === listener))
    .sort((a, b) => compareHostnames(a.serverName, b.serverName));
}

export function ownerOf(listeners: readonly SourcedListener[]): Owner {
  const byHostname = new Map<string, ListenerState>();
  for (const { listener } of listeners) {
    const rival = byHostname.get(listener.hostname);
    if (!rival || !isServable(rival)) byHostname.set(listener.hostname, listener);
  }
  return (hostname) => {
    const own = byHostname.get(hostname);
    if (own) return own;
    for (const wider of widerHostnames(hostname)) {
      const found = byHostname.get(wider);
      if (found) return found;
    }
    return undefined;
  };
}

function hostsOfListener(context: Context, { listener, source }: SourcedListener, owner: Owner): VirtualHost[] {
  const drafts = new Map<string, HostDraft>([[listener.hostname, { entries: [], sources: [source] }]]);
  for (const { route, hostnames } of listener.attachments) {
    for (const { hostname, own } of hostnames) {
      if (owner(hostname) !== listener) continue;
      let draft = drafts.get(hostname);
      if (!draft) {
        draft = { entries: [], sources: [source] };
        drafts.set(hostname, draft);
      }
      draft.sources.push(context.provenance(route.object, own === '*' ? 'spec' : hostnameField(route.object, own)));
      for (const { route: compiled, rank } of route.http?.routes ?? [])
        draft.entries.push({ route: compiled, rank, own, seniority: route.seniority });
    }
  }
  return [...drafts].map(([hostname, { entries, sources }]) => {
    const fallback = widerHostnames(hostname).find((wider) => (drafts.get(wider)?.entries.length ?? 0) > 0);
    return {
      hostname,
      wildcard: 'any-depth',
      routes: entries.sort(compareEntries).map(({ route }) => route),
      ...(fallback !== undefined && { fallback }),
      sources,
    };
  });
}

function hostnameField({ spec }: RouteObject, own: string): string {
  const index = (spec.hostnames ?? []).findIndex((hostname) => hostname.toLowerCase() === own);
  return `spec.hostnames[${index}]`;
}

/**
 * Precedence within a virtual host: the route with the more specific hostname of its own, then the rank of the match,
 * then the older route, then its name. Sorting is stable, so rules and matches of one route keep their order.
 */
function compareEntries(a: Entry, b: Entry): number {
  return (
    (a.own === b.own ? 0 : compareSpecificity(a.own, b.own)) || compareRank(a.rank, b.rank) || a.seniority - b.seniority
  );
}
