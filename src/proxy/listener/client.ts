/** One connection from a client that speaks HTTP/1.1. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { saidOf } from '../exchange/forwarded.ts';
import type { Client, ClientWire } from '../exchange/wire.ts';
import { createOutbox, type Outbox } from '../outbox.ts';
import type { Table } from '../routes/table.ts';
import type { Runtime } from '../runtime.ts';

/** A listener as its connections see it. */
export interface Door {
  /** Id of the plan's listener. */
  readonly id: string;
  readonly scheme: 'http' | 'https';
  /** What answers the next request. */
  table: Table;
  /** The listener is gone: connections close when they are idle. */
  removed: boolean;
}

/** A connection in service, whatever it speaks. */
export interface Served {
  readonly door: Door;
  readonly socket: Socket;
  readonly conduct: Conduct<never>;
}

/** What is done to connections from outside; one table per protocol. */
export interface Conduct<Connection> {
  /** Looks after time limits; called at every tick. */
  sweep(connection: Connection): void;
  /** Its door is closed: it ends when nothing is under way on it. */
  retire(connection: Connection): void;
  /** Ends it now; what is under way is cut. */
  abort(connection: Connection): void;
}

/** The conduct of a connection, applied to it. */
export function conductOf(served: Served): Conduct<Served> {
  return served.conduct as Conduct<Served>;
}

export interface ClientConnection extends Client, Served {
  readonly conduct: Conduct<ClientConnection>;
  readonly socket: Socket;
  readonly out: Outbox;
  /** Bytes read and not yet consumed: a head in pieces, a body that waits for a backend, further requests. */
  pending: Buffer | undefined;
  /** Socket is not read. */
  paused: boolean;
  /** The last response was sent; what still comes is thrown away. */
  lingering: boolean;
  /** Nothing was made of what the client has sent so far: it may yet turn out to speak HTTP/2. */
  fresh: boolean;
  /** It does speak HTTP/2: who takes what is read. */
  heir: ((chunk: Buffer) => void) | undefined;
  /** Guards against serving from within serving. */
  serving: boolean;
  /** Coarse time at which an idle, half-read or lingering connection is given up. */
  deadline: number;
  /** Coarse time until which it may wait for a request to begin. */
  idleUntil: number;
  /** Bytes the client had not taken at the last tick, and since when it has taken none. */
  queued: number;
  stalledSince: number;
}

/** What is known of a connection before its first request. */
export interface Arrival {
  readonly socket: Socket;
  /** It was accepted under `pauseOnConnect`, and nothing has been read of it. */
  readonly untouched?: boolean;
  readonly door: Door;
  readonly runtime: Runtime;
  readonly address: string;
}

export function createClient(
  { socket, door, runtime, address }: Arrival,
  wire: ClientWire,
  conduct: Conduct<ClientConnection>,
): ClientConnection {
  const facts = { address, scheme: door.scheme, port: door.table.listener.port };
  return {
    wire,
    conduct,
    runtime,
    door,
    socket,
    out: createOutbox(socket),
    address,
    trusted: door.table.trusts(address),
    said: saidOf(runtime.settings.forwarded.headers, facts),
    serverName: serverNameOf(socket),
    exchange: undefined,
    pending: undefined,
    paused: false,
    ended: false,
    lingering: false,
    gone: false,
    fresh: true,
    heir: undefined,
    serving: false,
    deadline: runtime.now + runtime.settings.client.headTimeoutMs,
    idleUntil: runtime.now + runtime.settings.client.headTimeoutMs,
    queued: 0,
    stalledSince: runtime.now,
  };
}

/** What the client has named in the TLS handshake. */
export function serverNameOf(socket: Socket): string | undefined {
  const { servername } = socket as TLSSocket & { servername?: string | false };
  return servername || undefined;
}

/** Reads from the client or leaves its bytes in the kernel, which makes it stop sending. */
export function setClientReading(client: ClientConnection, reading: boolean): void {
  if (client.paused !== reading) return;
  client.paused = !reading;
  if (reading) client.socket.resume();
  else client.socket.pause();
}

/**
 * Closes after the last response: sends what is queued and a FIN, then goes on reading and throws away what comes, so
 * that the response is not lost to a reset (RFC 9112 section 9.6).
 */
export function closeClient(client: ClientConnection): void {
  if (client.lingering || client.gone) return;
  client.lingering = true;
  client.pending = undefined;
  client.deadline = 0;
  client.socket.end();
  setClientReading(client, true);
}

/** Bytes that wait to be consumed. */
export function pendingBytes(client: ClientConnection): number {
  return client.pending === undefined ? 0 : client.pending.length;
}
