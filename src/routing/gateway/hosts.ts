/**
 * Virtual hosts of one socket. Listener isolation is settled here: a name belongs to the most specific listener that
 * covers it, every listener has a virtual host for its own hostname, and fallbacks stay within a listener, so that a
 * request never reaches the routes of another one. That holds for listeners that cannot be served too: their names
 * are not found, rather than answered by a listener that was not meant for them.
 */
import { equalJson } from '../../kube/objects.ts';
import { changeSorted, listDifference, sameItems } from '../incremental/sorted.ts';
import type { Provenance, VirtualHost } from '../plan/plan.ts';
import type { Context } from './context.ts';
import { compareHostnames, widerHostnames } from './hostnames.ts';
import { createListenerHosts, type ListenerHosts } from './hosts-of-listener.ts';
import { carriesHttp, isServable, type ListenerState, type SniCertificate } from './model.ts';

/** A listener of a Gateway or of one of its ListenerSets, with the place it is written at. */
export interface SourcedListener {
  readonly listener: ListenerState;
  readonly source: Provenance;
}

/** The listener that a hostname belongs to; undefined when none covers it. */
export interface Owner {
  (hostname: string): ListenerState | undefined;
  /** Whom the hostnames of listeners themselves belong to: all else follows from that. */
  readonly claims: Claims;
}

type Claims = ReadonlyMap<string, ListenerState>;

/** Hosts of the translation before, by listener, and by Gateway and port. */
export interface HostsMemory {
  /** For as long as the state of the listener is the same. */
  readonly listeners: WeakMap<ListenerState, ListenerHosts>;
  ports: Map<string, Joined>;
  next: Map<string, Joined>;
}

/** The hosts of a socket, out of those of its listeners and those that are closed. */
interface Joined {
  readonly lists: readonly (readonly VirtualHost[])[];
  readonly closed: readonly VirtualHost[];
  readonly hosts: readonly VirtualHost[];
  /** The hosts by name: made when a listener asks that is new. */
  byName?: ReadonlyMap<string, VirtualHost>;
  /** That the hosts were built by. */
  claims?: Claims;
}

export function createHostsMemory(): HostsMemory {
  return { listeners: new WeakMap(), ports: new Map(), next: new Map() };
}

/**
 * To be called when all hosts of a translation are built: those of ports that are gone are forgotten, unless hosts of
 * some ports only were built (`isPartial`), because no listener has come or gone.
 */
export function turnHosts(memory: HostsMemory, isPartial: boolean): void {
  if (isPartial) for (const [place, joined] of memory.next) memory.ports.set(place, joined);
  else memory.ports = memory.next;
  memory.next = new Map();
}

/**
 * `listeners` are all of a Gateway's listeners on one port, whether they can be served or not. Names of TLS listeners
 * beside HTTPS ones are not found. `place` tells the Gateway and port apart from others.
 */
export function buildHosts(
  context: Context,
  listeners: readonly SourcedListener[],
  place: string,
  memory: HostsMemory,
  owner: Owner = ownerOf(listeners),
): readonly VirtualHost[] {
  const served = listeners.filter(({ listener }) => isServable(listener) && carriesHttp(listener));
  const before = memory.ports.get(place);
  const concerned = concernedBy(before?.claims, owner.claims);
  const lists = served.map((listener) => hostsOfListener(context, listener, owner, concerned, place, memory));
  const joined = join(before, lists, closedHosts(listeners, lists));
  joined.claims = owner.claims;
  memory.next.set(place, joined);
  return joined.hosts;
}

/**
 * Hostnames of listeners that may have lost names to another listener or got them back, since one of them came or went:
 * its own hostname and all that cover it. A listener may be the same while those beside it, of ListenerSets, are not.
 */
function concernedBy(before: Claims = new Map(), now: Claims): ReadonlySet<string> {
  const concerned = new Set<string>();
  const moved = (hostname: string) => {
    for (const name of [hostname, ...widerHostnames(hostname)]) concerned.add(name);
  };
  for (const [hostname, listener] of now) if (before.get(hostname) !== listener) moved(hostname);
  for (const hostname of before.keys()) if (!now.has(hostname)) moved(hostname);
  return concerned;
}

const nothing: Joined = { lists: [], closed: [], hosts: [] };

/** Closed hosts are made anew each time: they are compared by what they say. */
function join(
  before: Joined = nothing,
  lists: readonly (readonly VirtualHost[])[],
  given: readonly VirtualHost[],
): Joined {
  const closed = equalJson(before.closed, given) ? before.closed : given;
  if (closed === before.closed && sameItems(before.lists, lists)) return before;
  if (lists.length === 1 && closed.length === 0) return { lists, closed, hosts: lists[0]! };
  const { came, went } = changeOf([...before.lists, before.closed], [...lists, closed]);
  const hosts = changeSorted(before.hosts, went, came, (a, b) => compareHostnames(a.hostname, b.hostname));
  return { lists, closed, hosts };
}

/** Of lists that hosts are in; those that are the same ones are passed over. */
function changeOf(before: readonly (readonly VirtualHost[])[], now: readonly (readonly VirtualHost[])[]) {
  const [were, are] = [new Set(before), new Set(now)];
  const left = before.filter((list) => !are.has(list));
  const added = now.filter((list) => !were.has(list));
  const differences = left.map((list, i) => listDifference(list, added[i] ?? []));
  return {
    came: [...differences.map((each) => each.came), ...added.slice(left.length)].flat(),
    went: new Set(differences.flatMap((each) => [...each.went])),
  };
}

function hostsOfListener(
  context: Context,
  sourced: SourcedListener,
  owner: Owner,
  concerned: ReadonlySet<string>,
  place: string,
  memory: HostsMemory,
): readonly VirtualHost[] {
  const { listener } = sourced;
  let known = memory.listeners.get(listener);
  if (!known) {
    known = createListenerHosts(listener, hostsByName(memory.ports.get(place)));
    memory.listeners.set(listener, known);
  }
  return known.update(context, sourced, owner, concerned.has(listener.hostname));
}

const noHosts: ReadonlyMap<string, VirtualHost> = new Map();

function hostsByName(joined: Joined | undefined): ReadonlyMap<string, VirtualHost> {
  if (!joined) return noHosts;
  joined.byName ??= new Map(joined.hosts.map((host) => [host.hostname, host]));
  return joined.byName;
}

/** Hostnames of listeners that cannot be served. */
function closedHosts(listeners: readonly SourcedListener[], lists: readonly (readonly VirtualHost[])[]): VirtualHost[] {
  if (listeners.length === lists.length) return [];
  const taken = new Set(lists.flatMap((hosts) => hosts.map(({ hostname }) => hostname)));
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
export function buildSni(listeners: readonly SourcedListener[], owner: Owner = ownerOf(listeners)): SniCertificate[] {
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
  const owner = (hostname: string) => {
    const own = byHostname.get(hostname);
    if (own) return own;
    for (const wider of widerHostnames(hostname)) {
      const found = byHostname.get(wider);
      if (found) return found;
    }
    return undefined;
  };
  return Object.assign(owner, { claims: byHostname });
}
