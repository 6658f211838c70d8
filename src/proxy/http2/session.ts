/** One HTTP/2 connection of a client (RFC 9113): its socket, its streams, and how long it may take for what. */
import type { Socket } from 'node:net';
import { cut } from '../exchange/finish.ts';
import { saidOf } from '../exchange/forwarded.ts';
import type { SaidOfClient } from '../exchange/wire.ts';
import { onChunk } from '../listener/chunks.ts';
import { type Arrival, type Conduct, type Served, serverNameOf } from '../listener/client.ts';
import { createOutbox, flush } from '../outbox.ts';
import type { Runtime } from '../runtime.ts';
import { http2Conduct } from './conduct.ts';
import { type Connection, createConnection, type Handlers, type OpenBlock } from './engine/connection.ts';
import { countReset } from './engine/counts.ts';
import { announceEnd, beginEnd, closeStream, resetStream } from './engine/ends.ts';
import { type ErrorCode, errorCode } from './engine/protocol.ts';
import { goOn, receive } from './engine/receive.ts';
import { pump } from './engine/send.ts';
import { abandon, type ClientStream, clientOf, relayHeld, serveStream, takeBody } from './stream.ts';
import { unblock } from './wire.ts';

export interface ClientSession extends Served {
  readonly conduct: Conduct<ClientSession>;
  readonly runtime: Runtime;
  readonly address: string;
  readonly trusted: boolean;
  readonly said: SaidOfClient;
  readonly serverName: string | undefined;
  readonly socket: Socket;
  readonly connection: Connection;
  /** Its outbox is in line to be sent. */
  awake: boolean;
  /** Coarse time at which a connection without streams, or without a beginning, is given up. */
  deadline: number;
  /** Likewise for the acknowledgement of our SETTINGS, and for the field block that is under way. */
  acknowledgeBy: number;
  block: OpenBlock | undefined;
  blockDeadline: number;
  /** The client's SETTINGS were seen. */
  begun: boolean;
  /** The client has closed its sending side. */
  half: boolean;
  /** We have closed ours; what still comes is thrown away. */
  lingering: boolean;
  /** The socket is not read. */
  paused: boolean;
  /** Bytes that the socket had not taken at the last tick, and since when it has taken none. */
  queued: number;
  stalledSince: number;
  /** Coarse time of the last sign of life, bytes of bodies that were sent before, and whether one was asked for since. */
  aliveAt: number;
  sentBefore: number;
  pinged: boolean;
}

/** Takes a connection into service whose client speaks HTTP/2 by ALPN. */
export function serveHttp2(arrival: Arrival): void {
  onChunk(arrival.socket, takeOver(arrival));
}

/**
 * Takes a connection into service and leaves reading it to the caller: returns what to call with every chunk. The next
 * event may write over that.
 */
export function takeOver(arrival: Arrival): (chunk: Buffer) => void {
  const session = createSession(arrival);
  const { socket, runtime } = session;
  runtime.connections.add(session);
  wake(session);
  socket.on('drain', () => onDrain(session));
  socket.on('end', () => onEnd(session));
  // What an error means is said by the close that follows it.
  socket.on('error', () => {});
  socket.on('close', () => onClose(session));
  return (chunk) => onData(session, chunk);
}

function createSession({ socket, door, runtime, address }: Arrival): ClientSession {
  const { settings, now } = runtime;
  const facts = { address, scheme: door.scheme, port: door.table.listener.port };
  const deadline = now + settings.client.headTimeoutMs;
  const handlers: Handlers = {
    opened: (_, id, whole) => serveStream(session, id, whole),
    takes: takeBody,
    ended: (stream) => relayHeld(clientOf(stream)),
    drained: (stream) => unblock(clientOf(stream)),
    closed: (stream, code) => onStreamClosed(clientOf(stream), code),
    wake: () => wake(session),
    failed: (_, code) => onFailed(session, code),
  };
  const session: ClientSession = {
    conduct: http2Conduct,
    door,
    runtime,
    address,
    trusted: door.table.trusts(address),
    said: saidOf(settings.forwarded.headers, facts),
    serverName: serverNameOf(socket),
    socket,
    connection: createConnection(settings, createOutbox(socket), handlers),
    awake: false,
    deadline,
    acknowledgeBy: deadline,
    block: undefined,
    blockDeadline: 0,
    begun: false,
    half: false,
    lingering: false,
    paused: false,
    queued: 0,
    stalledSince: now,
    aliveAt: now,
    sentBefore: 0,
    pinged: false,
  };
  return session;
}

function onData(session: ClientSession, chunk: Buffer): void {
  if (session.lingering) return;
  const { connection } = session;
  noteLife(session);
  // Something is still to be read of an earlier one.
  if (connection.rest) connection.rest = Buffer.concat([connection.rest, chunk]);
  else if (!receive(connection, chunk)) takeTurns(session);
  settle(session);
}

function noteLife(session: ClientSession): void {
  session.aliveAt = session.runtime.now;
  session.sentBefore = session.connection.sent;
  session.pinged = false;
}

/** Others are served before this client's next requests are. */
function takeTurns(session: ClientSession): void {
  setReading(session, false);
  setImmediate(() => {
    if (session.lingering || session.socket.destroyed) return;
    if (goOn(session.connection)) setReading(session, true);
    else takeTurns(session);
    settle(session);
  });
}

function setReading(session: ClientSession, reading: boolean): void {
  if (session.paused !== reading) return;
  session.paused = !reading;
  // It could not show that it is there.
  noteLife(session);
  if (reading) session.socket.resume();
  else session.socket.pause();
}

/** Sessions with something to send, and all of them at the end of the turn of the event loop in which it came. */
let awake: ClientSession[] = [];

function wake(session: ClientSession): void {
  if (session.awake) return;
  session.awake = true;
  if (awake.push(session) === 1) setImmediate(sendAll);
}

function sendAll(): void {
  const sessions = awake;
  awake = [];
  for (const session of sessions) send(session);
}

/** Sends what waits in its outbox. */
export function send(session: ClientSession): void {
  session.awake = false;
  const { socket, connection, runtime } = session;
  if (!socket.writable) return;
  flush(connection.out);
  if (connection.waiting.size > 0) pump(connection);
  // What answers cost the client is no longer read before it has taken them.
  if (socket.writableLength > 2 * runtime.settings.relay.bufferBytes) setReading(session, false);
}

function onDrain(session: ClientSession): void {
  noteLife(session);
  // What waits at the next tick may be as much as before and is not the same.
  session.queued = 0;
  if (!session.connection.rest) setReading(session, true);
  pump(session.connection);
  for (const stream of session.connection.streams.values()) unblock(clientOf(stream));
}

/** Closes a connection that has nothing more to do. */
export function settle(session: ClientSession): void {
  const { connection, runtime, door, half, lingering } = session;
  if (lingering || connection.streams.size > 0 || connection.rest) return;
  if (connection.going || connection.peerGoing || half) {
    beginEnd(connection);
    closeSession(session);
  } else if (door.removed || runtime.closing) retire(session);
}

/** Sends what waits and a FIN, then reads on and throws away what comes, until the client closes. */
export function closeSession(session: ClientSession): void {
  session.lingering = true;
  session.deadline = 0;
  session.connection.failed = true;
  send(session);
  setReading(session, true);
  session.socket.end();
}

/** The client has broken the rules: nothing of what it has asked for goes on. */
function onFailed(session: ClientSession, code: ErrorCode): void {
  const { connection, runtime, door } = session;
  if (code === errorCode.enhanceYourCalm) runtime.metrics?.flooded(door.id);
  closeSession(session);
  session.deadline = runtime.now + runtime.settings.client.lingerMs;
  for (const stream of connection.streams.values()) closeStream(stream, code);
}

/** The client has closed its sending side: requests that are whole may still be answered. */
function onEnd(session: ClientSession): void {
  const { connection, runtime } = session;
  session.half = true;
  session.deadline = runtime.now + runtime.settings.client.halfCloseGraceMs;
  for (const stream of connection.streams.values()) {
    const { exchange } = clientOf(stream);
    if (stream.remoteClosed) continue;
    if (exchange) cut(exchange, 'client_closed', 'the client closed before its request was complete');
    else resetStream(stream, errorCode.cancel);
  }
  settle(session);
}

function onClose(session: ClientSession): void {
  const { connection, runtime } = session;
  connection.failed = true;
  session.lingering = true;
  for (const stream of connection.streams.values()) closeStream(stream, errorCode.cancel);
  runtime.connections.delete(session);
}

/** `code` is that of RST_STREAM, whoever sent it. */
function onStreamClosed(client: ClientStream, code: number): void {
  const { session, exchange, stream } = client;
  const { connection, runtime } = session;
  client.gone = true;
  // After END_STREAM of both sides the exchange comes to its own end.
  if (exchange && !(stream.localClosed && stream.remoteClosed)) abandon(exchange);
  if (!stream.localClosed && code !== errorCode.none) countReset(connection);
  if (connection.streams.size > 0 || session.lingering) return;
  if (!connection.announced && !session.half)
    session.deadline = runtime.now + runtime.settings.client.keepAliveTimeoutMs;
  settle(session);
}

/** Says that no further streams will be served, and closes when those that are open are done. */
export function retire(session: ClientSession): void {
  const { connection, runtime } = session;
  if (session.lingering || connection.announced) return;
  announceEnd(connection);
  session.deadline = runtime.now + runtime.settings.client.lingerMs;
}
