/**
 * Which listeners of a Gateway and its ListenerSets can be told apart. Within one object, indistinct listeners exclude
 * each other and none is served (Gateway spec.listeners, handling indistinct listeners); of two objects, the one that
 * goes first keeps what it has (ListenerSet spec.listeners, precedence).
 */
import { widerHostnames } from './hostnames.ts';
import type { ListenerDraft } from './listeners.ts';

/** Why a listener is Conflicted, and with which others. */
export interface Conflict {
  readonly reason: 'HostnameConflict' | 'ProtocolConflict' | 'ListenerConflict';
  readonly others: readonly ListenerDraft[];
  /** The others are those of objects that go first, and served. */
  readonly isLost: boolean;
}

export interface Distinctness {
  conflictOf(listener: ListenerDraft): Conflict | undefined;
  /** HTTPS and TLS listeners of the same port whose hostname is within that of the listener, or the other way round. */
  overlapsOf(listener: ListenerDraft): readonly ListenerDraft[];
}

/** `groups`: the listeners of each object, in the order of precedence. Those of protocols not served take no part. */
export function judgeDistinct(groups: readonly (readonly ListenerDraft[])[]): Distinctness {
  const conflicts = new Map<ListenerDraft, Conflict>();
  const claims = createClaims();
  const overlaps = createOverlaps();
  for (const group of groups) {
    const served = group.filter(({ protocol }) => protocol);
    for (const listener of served) note(conflicts, listener, claims, true);
    // What goes to an earlier object is nobody's rival any more.
    const left = served.filter((listener) => !conflicts.has(listener));
    const own = createClaims();
    for (const listener of left) own.add(listener);
    for (const listener of left) {
      note(conflicts, listener, own, false);
      overlaps.add(listener);
      // A set that is at odds with itself keeps its names, and no port from the sets of others.
      if (conflicts.has(listener) && listener.owner.ref.kind === 'ListenerSet') claims.addName(listener);
      else claims.add(listener);
    }
  }
  return { conflictOf: (listener) => conflicts.get(listener), overlapsOf: overlaps.of };
}

function note(conflicts: Map<ListenerDraft, Conflict>, listener: ListenerDraft, claims: Claims, isLost: boolean) {
  const { protocols, hostnames } = claims.rivalsOf(listener);
  const [first, second] = [protocols, hostnames].filter((rivals) => rivals.length > 0);
  if (!first) return;
  // Gateway listeners have no reason for both, and the protocol is the first thing to mend.
  const isBoth = second !== undefined && listener.owner.ref.kind === 'ListenerSet';
  const reason = isBoth ? 'ListenerConflict' : first === protocols ? 'ProtocolConflict' : 'HostnameConflict';
  conflicts.set(listener, { reason, others: isBoth ? [...new Set([...first, ...second])] : first, isLost });
}

interface Rivals {
  readonly protocols: readonly ListenerDraft[];
  readonly hostnames: readonly ListenerDraft[];
}

interface Claims {
  add(listener: ListenerDraft): void;
  /** Nobody else gets its hostname; other protocols, beside those that go by server name too, are not excluded. */
  addName(listener: ListenerDraft): void;
  /** Others that a listener cannot be beside. */
  rivalsOf(listener: ListenerDraft): Rivals;
}

interface Port {
  readonly byProtocol: Map<string, ListenerDraft[]>;
  /** By protocol and hostname. */
  readonly byName: Map<string, ListenerDraft[]>;
}

/** Protocols that share a port by server name. */
export const byServerName: ReadonlySet<string> = new Set(['HTTPS', 'TLS']);

const twins: ReadonlyMap<string, string> = new Map([
  ['HTTPS', 'TLS'],
  ['TLS', 'HTTPS'],
]);
const none: readonly ListenerDraft[] = [];

function createClaims(): Claims {
  const ports = new Map<number, Port>();

  /**
   * UDP goes with everything else, HTTPS and TLS are told apart by server name, TCP excludes all that would have to
   * look at its bytes (Gateway spec.listeners, distinct listeners).
   */
  function otherProtocols({ byProtocol, byName }: Port, { spec: { protocol }, hostname }: ListenerDraft) {
    const twin = twins.get(protocol);
    const named = byName.get(`${twin} ${hostname}`) ?? none;
    const others = [...byProtocol].flatMap(([other, listeners]) => {
      const goTogether = other === protocol || other === twin || other === 'UDP' || protocol === 'UDP';
      return goTogether ? none : listeners;
    });
    return others.length > 0 ? [...named, ...others] : named;
  }

  function addName(listener: ListenerDraft): Port {
    const { spec, hostname } = listener;
    const port = ports.get(spec.port) ?? { byProtocol: new Map(), byName: new Map() };
    ports.set(spec.port, port);
    file(port.byName, `${spec.protocol} ${hostname}`, listener);
    return port;
  }

  return {
    add: (listener) => file(addName(listener).byProtocol, listener.spec.protocol, listener),
    addName,
    rivalsOf(listener) {
      const port = ports.get(listener.spec.port);
      if (!port) return { protocols: none, hostnames: none };
      const sameName = port.byName.get(`${listener.spec.protocol} ${listener.hostname}`) ?? none;
      return {
        protocols: otherProtocols(port, listener),
        hostnames: sameName.filter((other) => other !== listener),
      };
    },
  };
}

function file<K, V>(lists: Map<K, V[]>, key: K, item: V): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}

function createOverlaps() {
  /** By port and hostname. */
  const named = new Map<string, ListenerDraft[]>();
  /** By port and a hostname that covers theirs. */
  const within = new Map<string, ListenerDraft[]>();
  const places = new Map<ListenerDraft, number>();
  const widerOf = ({ spec, hostname }: ListenerDraft) => widerHostnames(hostname).map((name) => `${spec.port} ${name}`);
  return {
    add(listener: ListenerDraft): void {
      if (!twins.has(listener.spec.protocol)) return;
      places.set(listener, places.size);
      file(named, `${listener.spec.port} ${listener.hostname}`, listener);
      for (const wider of widerOf(listener)) file(within, wider, listener);
    },
    of(listener: ListenerDraft): readonly ListenerDraft[] {
      if (!places.has(listener)) return none;
      const wider = widerOf(listener).flatMap((key) => named.get(key) ?? none);
      const narrower = within.get(`${listener.spec.port} ${listener.hostname}`) ?? none;
      if (wider.length === 0) return narrower;
      return [...wider, ...narrower].sort((a, b) => places.get(a)! - places.get(b)!);
    },
  };
}
