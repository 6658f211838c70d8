/** One TCP or TLS connection through a stream listener, from its accepting to its record. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type ConnectionEnds, endsOfSocket } from '../listener/ends.ts';
import type { StreamSeries } from '../metrics/stream-series.ts';
import type { Runtime } from '../runtime.ts';
import type { Pool } from '../upstream/pool.ts';
import { isLogged, type StreamFlag, type StreamRecord } from './record.ts';
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

/**
 * `announcement` waits for a balancer to say whose connection it is, `hello` and `handshake` for the client,
 * `connecting` for a backend.
 */
export type StreamPhase = 'announcement' | 'hello' | 'handshake' | 'connecting' | 'open' | 'over';

export interface StreamConnection {
  readonly shelf: StreamShelf;
  readonly listener: string;
  readonly protocol: StreamRecord['protocol'];
  readonly client: Socket;
  /** Where the payload is read and written: the client's socket, or TLS over it. */
  front: Socket;
  /** TLS over the client's socket. */
  secured: TLSSocket | undefined;
  /** As announced by a balancer, else the socket's own. */
  ends: ConnectionEnds;
  /** Bytes of the balancer's header, which are not the client's. */
  headerBytes: number;
  readonly time: number;
  readonly began: number;
  phase: StreamPhase;
  /** Coarse time at which the phase is given up; for `open`, see `moved`. */
  deadline: number;
  /** Coarse time at which bytes last moved. */
  moved: number;
  serverName: string | undefined;
  stream: CompiledStream | undefined;
  /** Counts it from the moment at which its route is known, or that there is none. */
  series: StreamSeries | undefined;
  /** Bytes that the series know of. */
  toldReceived: number;
  toldSent: number;
  backend: string | undefined;
  pool: Pool | undefined;
  /** Where the payload goes: a socket to an endpoint, or TLS over it. */
  upstream: Socket | undefined;
  /** The socket to an endpoint. */
  wire: Socket | undefined;
  attempts: number;
  flag: StreamFlag | undefined;
  reason: string | undefined;
}

export function createStreamConnection(shelf: StreamShelf, door: StreamDoor, client: Socket): StreamConnection {
  const { now } = shelf.runtime;
  const { id, protocol } = door.table.listener;
  const connection: StreamConnection = {
    shelf,
    listener: id,
    protocol,
    client,
    front: client,
    secured: undefined,
    ends: endsOfSocket(client),
    headerBytes: 0,
    time: Date.now(),
    began: performance.now(),
    phase: 'hello',
    deadline: now + shelf.runtime.settings.stream.helloTimeoutMs,
    moved: now,
    serverName: undefined,
    stream: undefined,
    series: undefined,
    toldReceived: 0,
    toldSent: 0,
    backend: undefined,
    pool: undefined,
    upstream: undefined,
    wire: undefined,
    attempts: 0,
    flag: undefined,
    reason: undefined,
  };
  shelf.connections.add(connection);
  return connection;
}

/** The route is known, or it is known that there is none: from now on the connection is counted. */
export function countStream(connection: StreamConnection, stream: CompiledStream | undefined): void {
  if (connection.series) return;
  connection.stream = stream;
  connection.series = connection.shelf.runtime.metrics?.streams.of(connection.listener, stream?.route.id);
  connection.series?.begin();
}

const receivedBytes = ({ front, client, headerBytes }: StreamConnection) =>
  front === client ? Math.max(0, front.bytesRead - headerBytes) : front.bytesRead;

/** Tells the series what has moved since they were told last. */
export function countBytes(connection: StreamConnection): void {
  const { series, front } = connection;
  if (!series) return;
  const received = receivedBytes(connection);
  const sent = front.bytesWritten;
  series.bytes(received - connection.toldReceived, sent - connection.toldSent);
  connection.toldReceived = received;
  connection.toldSent = sent;
}

/** Refuses or cuts: both sides are reset, so that neither takes what it got for the whole. */
export function cutStream(connection: StreamConnection, flag: StreamFlag, reason: string): void {
  if (connection.phase === 'over') return;
  connection.flag = flag;
  connection.reason = reason;
  resetPair(connection.upstream, connection.wire);
  resetPair(connection.front, connection.client);
  endStream(connection);
}

/** TLS over a socket has no reset of its own; ending without close_notify says as much. */
function resetPair(over: Socket | undefined, socket: Socket | undefined): void {
  if (over !== socket) over?.destroy();
  if (!socket || socket.destroyed) return;
  if (socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}

/** Gives the connection to somebody else, who answers for it from now on. */
export function withdrawStream(connection: StreamConnection): void {
  connection.phase = 'over';
  connection.shelf.connections.delete(connection);
}

/** Both directions are over: counts it and writes the record, once. */
export function endStream(connection: StreamConnection): void {
  if (connection.phase === 'over') return;
  const { shelf, listener, flag } = connection;
  const { metrics, onStream } = shelf.runtime;
  const durationMs = performance.now() - connection.began;
  countStream(connection, connection.stream);
  countBytes(connection);
  connection.series?.end(durationMs);
  if (flag) metrics?.streams.flagged(listener, flag, connection.backend);
  connection.phase = 'over';
  shelf.connections.delete(connection);
  if (onStream && isLogged(shelf.runtime.settings.telemetry)) onStream(recordOf(connection, durationMs));
}

function recordOf(connection: StreamConnection, durationMs: number): StreamRecord {
  const { ends, serverName, stream, backend, pool, flag, reason } = connection;
  return {
    time: connection.time,
    listener: connection.listener,
    protocol: connection.protocol,
    client: ends.client.address,
    clientPort: ends.client.port,
    ...(serverName !== undefined && { serverName }),
    ...(stream && { route: stream.route.id }),
    ...(backend !== undefined && { backend }),
    ...(pool && { endpoint: pool.key }),
    receivedBytes: receivedBytes(connection),
    sentBytes: connection.front.bytesWritten,
    durationMs,
    attempts: connection.attempts,
    ...(flag && { flag }),
    ...(reason !== undefined && { reason }),
  };
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
