/** One TCP or TLS connection through a stream listener, from its accepting to its record. */
import type { Socket } from 'node:net';
import { plainAddress } from '../exchange/forwarded.ts';
import type { Runtime } from '../runtime.ts';
import type { Pool } from '../upstream/pool.ts';
import type { StreamFlag } from './record.ts';
import type { CompiledStream, StreamTable } from './table.ts';

/** A listener as its connections see it. */
export interface StreamDoor {
  /** What takes the next connection. */
  table: StreamTable;
}

/** What all stream connections of one data plane share. */
export interface StreamShelf {
  readonly runtime: Runtime;
  readonly connections: Set<StreamConnection>;
}

/** `hello` and `handshake` wait for the client, `connecting` for a backend. */
export type StreamPhase = 'hello' | 'handshake' | 'connecting' | 'open' | 'over';

export interface StreamConnection {
  readonly shelf: StreamShelf;
  readonly listener: string;
  readonly client: Socket;
  /** Where the payload is read and written: the client's socket, or TLS over it. */
  front: Socket;
  readonly address: string;
  readonly began: number;
  phase: StreamPhase;
  /** Coarse time at which the phase is given up; for `open`, see `moved`. */
  deadline: number;
  /** Coarse time at which bytes last moved. */
  moved: number;
  serverName: string | undefined;
  stream: CompiledStream | undefined;
  backend: string | undefined;
  pool: Pool | undefined;
  upstream: Socket | undefined;
  attempts: number;
  flag: StreamFlag | undefined;
  reason: string | undefined;
}

export function createStreamConnection(shelf: StreamShelf, door: StreamDoor, client: Socket): StreamConnection {
  const { now } = shelf.runtime;
  const connection: StreamConnection = {
    shelf,
    listener: door.table.listener.id,
    client,
    front: client,
    address: `${plainAddress(client.remoteAddress)}:${client.remotePort ?? 0}`,
    began: Date.now(),
    phase: 'hello',
    deadline: now + shelf.runtime.settings.stream.helloTimeoutMs,
    moved: now,
    serverName: undefined,
    stream: undefined,
    backend: undefined,
    pool: undefined,
    upstream: undefined,
    attempts: 0,
    flag: undefined,
    reason: undefined,
  };
  shelf.connections.add(connection);
  return connection;
}

/** Refuses or cuts: both sides are reset, so that neither takes what it got for the whole. */
export function cutStream(connection: StreamConnection, flag: StreamFlag, reason: string): void {
  if (connection.phase === 'over') return;
  connection.flag = flag;
  connection.reason = reason;
  resetSocket(connection.upstream);
  // TLS over a socket has no reset of its own; ending without close_notify says as much.
  if (connection.front !== connection.client) connection.front.destroy();
  resetSocket(connection.client);
  endStream(connection);
}

function resetSocket(socket: Socket | undefined): void {
  if (!socket || socket.destroyed) return;
  if (socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}

/** Gives the connection to somebody else, who answers for it from now on. */
export function withdrawStream(connection: StreamConnection): void {
  connection.phase = 'over';
  connection.shelf.connections.delete(connection);
}

/** Both directions are over: writes the record, once. */
export function endStream(connection: StreamConnection): void {
  if (connection.phase === 'over') return;
  connection.phase = 'over';
  connection.shelf.connections.delete(connection);
  connection.shelf.runtime.onStream?.({
    time: connection.began,
    listener: connection.listener,
    client: connection.address,
    ...(connection.serverName !== undefined && { serverName: connection.serverName }),
    ...(connection.stream && { route: connection.stream.route.id }),
    ...(connection.backend !== undefined && { backend: connection.backend }),
    ...(connection.pool && { endpoint: connection.pool.key }),
    receivedBytes: connection.front.bytesRead,
    sentBytes: connection.front.bytesWritten,
    durationMs: Date.now() - connection.began,
    attempts: connection.attempts,
    ...(connection.flag && { flag: connection.flag }),
    ...(connection.reason !== undefined && { reason: connection.reason }),
  });
}

const phaseLimits = {
  hello: ['hello_timeout', 'the ClientHello did not arrive in time'],
  handshake: ['handshake_failed', 'the TLS handshake took too long'],
} as const;

/** Ends what has taken too long, except connecting, which has a next endpoint to try. */
export function sweepStream(connection: StreamConnection): void {
  const { runtime } = connection.shelf;
  const { phase } = connection;
  if (phase === 'open') {
    if (runtime.now - connection.moved >= runtime.settings.stream.idleTimeoutMs)
      cutStream(connection, 'idle', 'nothing moved for too long');
  } else if ((phase === 'hello' || phase === 'handshake') && runtime.now >= connection.deadline) {
    const [flag, reason] = phaseLimits[phase];
    cutStream(connection, flag, reason);
  }
}
