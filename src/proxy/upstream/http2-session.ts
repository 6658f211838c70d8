/** Connections to an endpoint that speaks HTTP/2 (RFC 9113): each carries many requests at once. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type Settings as Http2Settings,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Runtime } from '../runtime.ts';
import type { Announced } from './announced-socket.ts';
import { connectSocket } from './connection.ts';
import { createStream, type UpstreamStream } from './http2-stream.ts';
import type { Pool } from './pool.ts';
import { hasRoomForConnection, wake } from './room.ts';

export interface UpstreamSession {
  readonly pool: Pool;
  readonly runtime: Runtime;
  readonly session: ClientHttp2Session;
  readonly socket: Socket;
  /** Undefined: it carries the requests of all clients. */
  readonly announced: Announced | undefined;
  /** Streams that wait for the connection, and those that are open. */
  readonly streams: Set<UpstreamStream>;
  /** The backend's SETTINGS have come: it speaks HTTP/2. */
  ready: boolean;
  /** Streams that it takes at once. */
  maxStreams: number;
  /** The backend takes WebSockets (RFC 8441). */
  takesWebSockets: boolean;
  /** Streams carried so far. */
  carried: number;
  /** No further streams: the backend has said so, or the endpoint is gone. */
  draining: boolean;
  negotiating: boolean;
  /** Coarse time of the last sign of life, and whether a PING waits for its answer. */
  aliveAt: number;
  pinged: boolean;
  /** What the socket had read then. */
  bytesRead: number;
  /** Coarse time until which it may idle. */
  idleUntil: number;
  timedOut: boolean;
  /** It is being closed, and cut if that takes too long. */
  dropTimer: NodeJS.Timeout | undefined;
  error: string | undefined;
}

/** What streams tell the exchanges that they carry; set by those who know what to make of it (exchange/). */
export interface StreamHandlers {
  connected(stream: UpstreamStream): void;
  /** The request's head was handed over. */
  sent(stream: UpstreamStream, http2: ClientHttp2Stream): void;
  /** The stream is gone before the end of its response. */
  lost(stream: UpstreamStream, timedOut: boolean): void;
}

/**
 * A stream of a connection that has room for one; undefined when there is none. `client`: whose connection it must be, for
 * pools that announce clients.
 */
export function freeStream(pool: Pool, client: Socket | undefined): UpstreamStream | undefined {
  const free = client ? pool.sessions.find((one) => isOf(one, client) && hasRoom(one)) : pool.sessions.find(hasRoom);
  return free && streamOn(free);
}

/** A stream of a new connection. */
export function openStream(pool: Pool, runtime: Runtime, announced: Announced | undefined): UpstreamStream {
  return streamOn(openSession(pool, runtime, announced));
}

function streamOn(owner: UpstreamSession): UpstreamStream {
  const stream = createStream(owner);
  owner.streams.add(stream);
  if (owner.carried >= MAX_CARRIED) retireSession(owner);
  return stream;
}

/** Before identifiers run out (RFC 9113 section 5.1.1), which a busy connection comes to in a day. */
const MAX_CARRIED = 1_000_000_000;

function hasRoom({ session, draining, streams, maxStreams }: UpstreamSession): boolean {
  // A session that is destroyed stays here until its socket has closed.
  return !draining && !session.destroyed && streams.size < maxStreams;
}

const isOf = ({ announced }: UpstreamSession, client: Socket): boolean => announced?.client === client;

/** It carries no request, though streams of it may not have closed yet. */
export function isUnused({ ready, draining, streams }: UpstreamSession): boolean {
  if (!ready || draining) return false;
  for (const { exchange } of streams) if (exchange) return false;
  return true;
}

/** RFC 9113 section 6.5.2: so many are permitted at least, where the backend is sensible. */
const assumedMaxStreams = 100;

function openSession(pool: Pool, runtime: Runtime, announced: Announced | undefined): UpstreamSession {
  const { upstream, relay } = runtime.settings;
  const socket = connectSocket(pool, ['h2'], announced);
  const session = connect(`${pool.identity ? 'https' : 'http'}://upstream`, {
    createConnection: () => socket,
    maxHeaderListPairs: 2 * upstream.maxHeaders,
    maxSessionMemory: 64,
    settings: { enablePush: false, initialWindowSize: 4 * relay.bufferBytes, maxHeaderListSize: upstream.maxHeadBytes },
  });
  const owner: UpstreamSession = {
    pool,
    runtime,
    session,
    socket,
    announced,
    streams: new Set(),
    ready: false,
    maxStreams: Math.min(assumedMaxStreams, upstream.maxStreamsPerConnection),
    takesWebSockets: false,
    carried: 0,
    draining: pool.draining,
    negotiating: false,
    aliveAt: runtime.now,
    pinged: false,
    bytesRead: 0,
    idleUntil: Number.POSITIVE_INFINITY,
    timedOut: false,
    dropTimer: undefined,
    error: undefined,
  };
  pool.open++;
  pool.sessions.push(owner);
  pool.tended.add(pool);
  watch(owner, pool.room.connectTimeoutMs ?? upstream.connectTimeoutMs);
  return owner;
}

function watch(owner: UpstreamSession, connectTimeoutMs: number): void {
  const { session, socket, pool, runtime } = owner;
  const timer = setTimeout(() => {
    owner.timedOut = true;
    end(owner);
  }, connectTimeoutMs);
  if (pool.identity) {
    socket.on('connect', () => {
      owner.negotiating = true;
    });
    socket.on('session', (ticket: Buffer) => {
      pool.session = ticket;
    });
    socket.on('secureConnect', () => {
      owner.negotiating = false;
    });
  }
  session.on('remoteSettings', (settings: Http2Settings) => {
    clearTimeout(timer);
    const { maxStreamsPerConnection } = runtime.settings.upstream;
    owner.maxStreams = Math.min(settings.maxConcurrentStreams ?? assumedMaxStreams, maxStreamsPerConnection);
    owner.takesWebSockets = settings.enableConnectProtocol === true;
    if (owner.ready) return;
    owner.ready = true;
    owner.aliveAt = runtime.now;
    session.setLocalWindowSize(16 * runtime.settings.relay.bufferBytes);
    for (const stream of [...owner.streams].slice(owner.maxStreams)) moveAway(stream);
    for (const stream of [...owner.streams]) connected(stream);
  });
  session.on('goaway', (_code: number, last: number) => onGoaway(owner, last));
  socket.on('end', () => onEnd(owner));
  session.on('error', (error: Error) => {
    owner.error ??= error.message;
  });
  session.on('close', () => {
    clearTimeout(timer);
    clearTimeout(owner.dropTimer);
    closed(owner);
  });
}

function connected(stream: UpstreamStream): void {
  stream.connected = true;
  stream.owner.runtime.streamHandlers.connected(stream);
}

/** The connection takes fewer streams than have waited for it: another one carries this one, if there may be another. */
function moveAway(stream: UpstreamStream): void {
  const { pool, runtime, streams, announced } = stream.owner;
  const { maxConnectionsPerEndpoint } = runtime.settings.upstream;
  // A backend that takes none at all would say the same again.
  const takesAny = stream.owner.maxStreams > 0;
  const mayConnect = takesAny && pool.open < maxConnectionsPerEndpoint && hasRoomForConnection(pool.room);
  const free = pool.sessions.find((one) => hasRoom(one) && one.announced?.client === announced?.client);
  const next = free ?? (mayConnect ? openSession(pool, runtime, announced) : undefined);
  if (!next) return;
  streams.delete(stream);
  stream.owner = next;
  next.streams.add(stream);
  if (next.ready) connected(stream);
}

/** RFC 9113 section 6.8: nothing was done for streams above `last`, whatever else is wrong. */
function onGoaway(owner: UpstreamSession, last: number): void {
  for (const stream of owner.streams) if ((stream.stream?.id ?? 0) > last) stream.unprocessed = true;
  retireSession(owner);
}

/** The backend sends nothing more. What is whole may still be on its way to a slow client; the rest is lost. */
function onEnd(owner: UpstreamSession): void {
  owner.error ??= 'the backend closed the connection';
  retireSession(owner);
  const streams = [...owner.streams];
  if (streams.some(({ complete }) => complete)) {
    for (const { stream, complete } of streams) if (!complete) stream?.close(CANCEL);
  } else end(owner);
}

/** No new streams; the connection closes after those that are open. */
export function retireSession(owner: UpstreamSession): void {
  owner.draining = true;
  if (owner.streams.size === 0) close(owner);
}

/** Closes in good order. */
function close(owner: UpstreamSession): void {
  owner.session.close();
  dropLater(owner);
}

/** Closes whatever is under way. */
function end(owner: UpstreamSession): void {
  owner.session.destroy();
  dropLater(owner);
}

/** node:http2 waits for a backend to take what it was sent, and to close its side as well: not for ever. */
function dropLater(owner: UpstreamSession): void {
  const { pingIntervalMs } = owner.runtime.settings.upstream;
  owner.dropTimer ??= setTimeout(() => owner.socket.destroy(), pingIntervalMs).unref();
}

function forget(owner: UpstreamSession): void {
  const { sessions } = owner.pool;
  const at = sessions.indexOf(owner);
  if (at >= 0) sessions.splice(at, 1);
}

function closed(owner: UpstreamSession): void {
  owner.draining = true;
  forget(owner);
  owner.pool.open--;
  // Those that were opened hear of it by themselves.
  for (const stream of [...owner.streams]) {
    if (stream.stream) continue;
    owner.streams.delete(stream);
    stream.error = owner.error;
    stream.negotiating = owner.negotiating;
    if (stream.exchange) owner.runtime.streamHandlers.lost(stream, owner.timedOut);
  }
  wake(owner.pool.room);
}

/** To be called when a stream is over. */
export function streamOver(owner: UpstreamSession, stream: UpstreamStream): void {
  owner.streams.delete(stream);
  if (owner.streams.size === 0) {
    owner.idleUntil = owner.runtime.now + owner.runtime.settings.upstream.idleTimeoutMs;
    if (owner.draining || owner.runtime.closing) close(owner);
  }
  wake(owner.pool.room);
}

/** Closes connections that have carried nothing for too long. */
export function expireSessions(pool: Pool, now: number): void {
  for (const owner of [...pool.sessions]) {
    if (!owner.ready) continue;
    if (owner.streams.size > 0) probe(owner, now);
    else if (!owner.draining && owner.idleUntil <= now) retireSession(owner);
  }
}

/**
 * A backend that is gone without a word would keep getting requests until the last of them has timed out: one that owes
 * answers is asked for a sign of life.
 */
function probe(owner: UpstreamSession, now: number): void {
  const { session, socket, runtime } = owner;
  const { pingIntervalMs } = runtime.settings.upstream;
  // It is on its way, or the backend has said goodbye: then node:http2 sends no PING, and it cannot be asked.
  if (session.destroyed || session.closed) return;
  // What the backend sends is a sign of life too; an answer to PING may wait behind much of it.
  if (socket.bytesRead !== owner.bytesRead) {
    owner.bytesRead = socket.bytesRead;
    owner.aliveAt = now;
  }
  const silentMs = now - owner.aliveAt;
  if (silentMs >= 2 * pingIntervalMs) {
    owner.error ??= 'the backend does not answer PING';
    end(owner);
  } else if (silentMs >= pingIntervalMs && !owner.pinged) {
    owner.pinged = session.ping((error) => {
      owner.pinged = false;
      if (!error) owner.aliveAt = runtime.now;
    });
  }
}

/** For streams that are reset: the request is of no use any more. */
export const CANCEL = constants.NGHTTP2_CANCEL;
