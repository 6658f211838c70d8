/** The listening sockets of Services: opened, retried and closed as their owners come and go. */
import type { Socket } from 'node:net';
import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.ts';
import type { Binding, BindPolicy } from '../bind.ts';
import { bindFailure, type OpenDatagramSocket, type OpenListener, openTcp, openUdp } from '../listen.ts';
import { portHolder } from '../port-holder.ts';
import { noRoom, type SocketShare } from '../socket-room.ts';
import type { Claim } from './claims.ts';
import { forwardTcp, type TcpForwarding } from './tcp.ts';
import type { UdpFlows } from './udp.ts';

export interface Door {
  readonly key: string;
  readonly bound: Binding;
  claim: Claim;
  state: 'opening' | 'open' | 'failed';
  /** Why it could not be opened. */
  error?: string;
}

export interface Doors {
  /** A new owner of an address; undefined closes it. An open socket stays open when only its owner changes. */
  assign(key: string, claim: Claim | undefined): void;
  all(): Iterable<Readonly<Door>>;
  /** Whether a real place is one of our own open sockets. */
  owns(protocol: string, place: Binding): boolean;
  diagnostics(): Diagnostic[];
  /** Resolves once no socket is being opened. */
  settled(): Promise<void>;
  /** Tries the failed ones again. */
  retry(): void;
  close(): void;
}

export interface DoorsOptions {
  policy: BindPolicy;
  tcp: TcpForwarding;
  udp: UdpFlows;
  /** What may be open. */
  room: SocketShare;
  /** Takes an accepted connection into account; false when there is no room for it. */
  admit(socket: Socket): boolean;
  /** An open socket reported an error. */
  trouble(door: Door, error: Error): void;
}

interface LiveDoor extends Door {
  listener?: OpenListener;
  /** It has room for its socket. */
  hasRoom?: boolean;
}

export function createDoors(options: DoorsOptions): Doors {
  const doors = new Map<string, LiveDoor>();
  /** By protocol and real place. */
  const open = new Map<string, LiveDoor>();
  let opening = 0;
  let waiters: (() => void)[] = [];

  function finished(): void {
    opening--;
    if (opening > 0) return;
    for (const wake of waiters) wake();
    waiters = [];
  }

  function outcomeOf(door: LiveDoor) {
    return (error?: NodeJS.ErrnoException) => {
      finished();
      if (error) leave(door);
      if (doors.get(door.key) !== door) return;
      door.state = error ? 'failed' : 'open';
      if (!error) {
        delete door.error;
        open.set(placeKey(door.claim.wanted.protocol, door.bound), door);
        return;
      }
      const holder = error.code === 'EADDRINUSE' ? portHolder(door.bound, door.claim.wanted.protocol) : undefined;
      door.error = `${bindFailure(error)}${holder ? ` by ${holder}` : ''}`;
      delete door.listener;
    };
  }

  function leave(door: LiveDoor): void {
    if (door.hasRoom) options.room.give(1);
    door.hasRoom = false;
  }

  function start(door: LiveDoor): void {
    if (!options.room.take(1)) {
      door.state = 'failed';
      door.error = noRoom(options.room);
      return;
    }
    door.hasRoom = true;
    opening++;
    door.state = 'opening';
    const trouble = (error: Error) => options.trouble(door, error);
    door.listener = { TCP: startTcp, UDP: startUdp }[door.claim.wanted.protocol](door, trouble);
  }

  function startTcp(door: LiveDoor, trouble: (error: Error) => void): OpenListener {
    return openTcp(
      door.bound,
      (socket) => {
        if (options.admit(socket)) forwardTcp(socket, door.claim.target, options.tcp);
        else socket.resetAndDestroy();
      },
      outcomeOf(door),
      trouble,
    );
  }

  function startUdp(door: LiveDoor, trouble: (error: Error) => void): OpenListener {
    const socket: OpenDatagramSocket = openUdp(
      door.bound,
      (data, client) => options.udp.receive({ key: door.key, socket, target: door.claim.target }, data, client),
      outcomeOf(door),
      trouble,
    );
    return socket;
  }

  function shut(door: LiveDoor): void {
    doors.delete(door.key);
    open.delete(placeKey(door.claim.wanted.protocol, door.bound));
    door.listener?.close();
    leave(door);
    if (door.claim.wanted.protocol === 'UDP') options.udp.dropDoor(door.key);
  }

  return {
    assign(key, claim) {
      const door = doors.get(key);
      if (!claim) {
        if (door) shut(door);
        return;
      }
      if (door) {
        door.claim = claim;
        return;
      }
      const { address, port, protocol } = claim.wanted;
      const fresh: LiveDoor = { key, bound: options.policy.map(address, port, protocol), claim, state: 'opening' };
      doors.set(key, fresh);
      start(fresh);
    },
    all: () => doors.values(),
    owns: (protocol, place) => open.has(placeKey(protocol, place)),
    diagnostics() {
      const found: Diagnostic[] = [];
      for (const door of doors.values()) if (door.state === 'failed') found.push(failureOf(door));
      return found;
    },
    settled: () => (opening === 0 ? Promise.resolve() : new Promise((resolve) => waiters.push(resolve))),
    retry() {
      for (const door of doors.values()) if (door.state === 'failed') start(door);
    },
    close() {
      for (const door of [...doors.values()]) shut(door);
    },
  };
}

function placeKey(protocol: string, place: Binding): string {
  return `${protocol} ${place.address}:${place.port}`;
}

function failureOf(door: Door): Diagnostic {
  const { wanted, ref } = door.claim;
  const moved = door.bound.address !== wanted.address || door.bound.port !== wanted.port;
  const place = `${wanted.address}:${wanted.port}/${wanted.protocol}`;
  return diagnostic(wanted.optional ? 'FW5102' : 'FW5101', {
    message: `${place}${moved ? ` (at ${door.bound.address}:${door.bound.port})` : ''} could not be opened: ${door.error}`,
    object: ref,
    fieldPath: wanted.fieldPath,
  });
}
