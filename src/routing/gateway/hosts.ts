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

/** A listener of a Gateway, with the place it is written at. */
export interface SourcedListener {
  readonly listener: ListenerState;
  readonly source: Provenance;
}

/** The listener that a hostname belongs to; undefined when none covers it. */
export type Owner = (hostname: string) => ListenerState | undefined;

/** Hosts of the translation before, by Gateway, port and listener. */
export interface HostsMemory {
  listeners: Map<string, KnownListener>;
  ports: Map<string, Joined>;
  next: Pick<HostsMemory, 'listeners' | 'ports'>;
}

/** The hosts of a socket, out of those of its listeners and those that are closed. */
interface Joined {
  readonly lists: readonly (readonly VirtualHost[])[];
  readonly closed: readonly VirtualHost[];
  readonly hosts: readonly VirtualHost[];
}

interface KnownListener {
  readonly state: ListenerState;
  readonly index: ListenerHosts;
}

export function createHostsMemory(): HostsMemory {
  return { listeners: new Map(), ports: new Map(), next: { listeners: new Map(), ports: new Map() } };
}

/**
 * To be called when all hosts of a translation are built: those of listeners that are gone are forgotten, unless hosts
 * of some listeners only were built (`isPartial`), because no listener has come or gone.
 */
export function turnHosts(memory: HostsMemory, isPartial: boolean): void {
  const { listeners, ports } = memory.next;
  if (isPartial) {
    for (const [key, known] of listeners) memory.listeners.set(key, known);
    for (const [place, joined] of ports) memory.ports.set(place, joined);
  } else {
    memory.listeners = listeners;
    memory.ports = ports;
  }
  memory.next = { listeners: new Map(), ports: new Map() };
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
): readonly VirtualHost[] {
  const owner = ownerOf(listeners);
  const served = listeners.filter(({ listener }) => isServable(listener) && carriesHttp(listener));
  const lists = served.map((listener) => hostsOfListener(context, listener, owner, place, memory));
  const joined = join(memory.ports.get(place), lists, closedHosts(listeners, lists));
  memory.next.ports.set(place, joined);
  return joined.hosts;
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
  const parts = [...lists, closed];
  const differences = [...before.lists, before.closed].map((part, i) => listDifference(part, parts[i] ?? []));
  const came = [...differences.map((each) => each.came), ...parts.slice(differences.length)].flat();
  const went = new Set(differences.flatMap((each) => [...each.went]));
  const hosts = changeSorted(before.hosts, went, came, (a, b) => compareHostnames(a.hostname, b.hostname));
  return { lists, closed, hosts };
}

function hostsOfListener(
  context: Context,
  sourced: SourcedListener,
  owner: Owner,
  place: string,
  memory: HostsMemory,
): readonly VirtualHost[] {
  const { listener } = sourced;
  const key = `${place} ${listener.name}`;
  let known = memory.listeners.get(key);
  if (known?.state !== listener)
    known = { state: listener, index: createListenerHosts(listener, memory.ports.get(place)?.hosts ?? []) };
  memory.next.listeners.set(key, known);
  return known.index.update(context, sourced, owner);
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
