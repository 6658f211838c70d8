/** One connection from a client, as all parts of the data plane see it. */
import type { Socket } from 'node:net';
import type { Exchange } from '../exchange/exchange.ts';
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

export interface ClientConnection {
  readonly runtime: Runtime;
  readonly door: Door;
  readonly socket: Socket;
  readonly out: Outbox;
  readonly address: string;
  /** The peer is a proxy whose word on clients counts. */
  readonly trusted: boolean;
  /** What is said of the client to backends, for the host that the last request named. */
  forwardedHost: string;
  forwardedHostLines: string;
  exchange: Exchange | undefined;
  /** Bytes read and not yet consumed: a head in pieces, a body that waits for a backend, further requests. */
  pending: Buffer | undefined;
  /** Socket is not read. */
  paused: boolean;
  /** The client has closed its sending side. */
  ended: boolean;
  /** The last response was sent; what still comes is thrown away. */
  lingering: boolean;
  gone: boolean;
  /** Guards against serving from within serving. */
  serving: boolean;
  /** Coarse time at which an idle, half-read or lingering connection is given up. */
  deadline: number;
  /** Bytes the client had not taken at the last tick, and since when it has taken none. */
  queued: number;
  stalledSince: number;
}

export function createClient(
  socket: Socket,
  door: Door,
  runtime: Runtime,
  address: string,
  trusted: boolean,
  forwardedLines: string,
): ClientConnection {
  return {
    runtime,
    door,
    socket,
    out: createOutbox(socket),
    address,
    trusted,
    forwardedHost: '',
    forwardedHostLines: forwardedLines,
    exchange: undefined,
    pending: undefined,
    paused: false,
    ended: false,
    lingering: false,
    gone: false,
    serving: false,
    deadline: runtime.now + runtime.settings.client.headTimeoutMs,
    queued: 0,
    stalledSince: 0,
  };
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
