/** One HTTP/2 connection of a client (RFC 9113): its streams, and how much it may ask of us. */
import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { cut } from '../exchange/finish.ts';
import { saidOf } from '../exchange/forwarded.ts';
import { sweepExchange } from '../exchange/sweep.ts';
import type { SaidOfClient } from '../exchange/wire.ts';
import { type Arrival, type Conduct, type Served, serverNameOf } from '../listener/client.ts';
import type { Settings } from '../options.ts';
import type { Runtime } from '../runtime.ts';
import { type ClientStream, serveStream } from './stream.ts';

export interface ClientSession extends Served {
  readonly conduct: Conduct<ClientSession>;
  readonly runtime: Runtime;
  readonly address: string;
  readonly trusted: boolean;
  readonly said: SaidOfClient;
  readonly serverName: string | undefined;
  readonly socket: Socket;
  readonly session: ServerHttp2Session;
  readonly streams: Set<ClientStream>;
  /** Coarse time at which a connection without streams, or without a beginning, is given up. */
  deadline: number;
  /** The client's SETTINGS have come. */
  begun: boolean;
  /** Streams that were reset before their response was done, less those that time has forgiven. */
  resets: number;
  resetsAt: number;
  /** Coarse time of the last PING that was answered, and whether one is not. */
  aliveAt: number;
  pinged: boolean;
}

/** Takes a connection into service whose client speaks HTTP/2, by ALPN or by the preface it began with. */
export function serveHttp2({ socket, door, runtime, address }: Arrival): void {
  const session = performServerHandshake(socket, sessionOptions(runtime.settings));
  sayWhy(session);
  const facts = { address, scheme: door.scheme, port: door.table.listener.port };
  const client: ClientSession = {
    conduct: http2Conduct,
    door,
    runtime,
    address,
    trusted: runtime.isTrusted(address),
    said: saidOf(runtime.settings.forwarded.headers, facts),
    serverName: serverNameOf(socket),
    socket,
    session,
    streams: new Set(),
    deadline: runtime.now + runtime.settings.client.headTimeoutMs,
    begun: false,
    resets: 0,
    resetsAt: runtime.now,
    aliveAt: runtime.now,
    pinged: false,
  };
  runtime.connections.add(client);
  session.setLocalWindowSize(runtime.settings.http2.connectionWindowBytes);
  session.on('remoteSettings', () => begin(client));
  session.on('stream', (stream: ServerHttp2Stream, _headers: IncomingHttpHeaders, flags: number, raw: string[]) =>
    serveStream(client, stream, flags, raw),
  );
  // What an error means is said by the close that follows it.
  session.on('error', () => {});
  session.on('close', () => void runtime.connections.delete(client));
}

function sessionOptions({ client, http2 }: Settings) {
  return {
    maxSessionMemory: Math.ceil(http2.maxSessionBytes / 1_000_000),
    // Beyond these node:http2 resets the stream; up to them the answer is ours (431).
    maxHeaderListPairs: 2 * client.maxHeaders,
    settings: {
      maxConcurrentStreams: http2.maxConcurrentStreams,
      initialWindowSize: http2.streamWindowBytes,
      maxHeaderListSize: 2 * client.maxHeadBytes,
      enableConnectProtocol: true,
    },
  };
}

/** What nghttp2 has found wrong (nghttp2.h, nghttp2_error), as the code to say so with: node:http2 makes one of all. */
const codes: Readonly<Record<number, number>> = {
  [-505]: constants.NGHTTP2_PROTOCOL_ERROR,
  [-510]: constants.NGHTTP2_STREAM_CLOSED,
  [-522]: constants.NGHTTP2_FRAME_SIZE_ERROR,
  [-523]: constants.NGHTTP2_COMPRESSION_ERROR,
  [-524]: constants.NGHTTP2_FLOW_CONTROL_ERROR,
  [-531]: constants.NGHTTP2_PROTOCOL_ERROR,
  [-902]: constants.NGHTTP2_ENHANCE_YOUR_CALM,
  [-903]: constants.NGHTTP2_PROTOCOL_ERROR,
  [-904]: constants.NGHTTP2_ENHANCE_YOUR_CALM,
  [-905]: constants.NGHTTP2_ENHANCE_YOUR_CALM,
};

function sayWhy(session: ServerHttp2Session): void {
  const destroy = session.destroy.bind(session);
  session.destroy = (error?: Error & { readonly errno?: number }, code?: number) =>
    destroy(error, code ?? codes[error?.errno ?? 0]);
}

/** A client that is gone without a word, or a session that has ended without telling us, does not answer. */
function probe(client: ClientSession): void {
  const { runtime, session } = client;
  const { pingIntervalMs } = runtime.settings.http2;
  const silent = runtime.now - client.aliveAt;
  if (silent >= 2 * pingIntervalMs) end(client, constants.NGHTTP2_NO_ERROR);
  else if (silent >= pingIntervalMs && !client.pinged && client.begun && !session.closed) {
    client.pinged = session.ping((error) => {
      client.pinged = false;
      if (!error) client.aliveAt = runtime.now;
    });
  }
}

function begin(client: ClientSession): void {
  if (client.begun) return;
  client.begun = true;
  rest(client);
}

/** The connection has nothing to do for now. */
function rest(client: ClientSession): void {
  client.deadline = client.runtime.now + client.runtime.settings.client.keepAliveTimeoutMs;
}

/** To be called when a stream has closed. `code` is that of RST_STREAM, `underWay` whether its response was not done. */
export function streamClosed(client: ClientSession, code: number, underWay: boolean): void {
  if (client.streams.size === 0) rest(client);
  const { runtime } = client;
  if (underWay && code !== constants.NGHTTP2_NO_ERROR) countReset(client);
  if (client.streams.size === 0 && (client.door.removed || runtime.closing)) client.session.close();
}

/**
 * A client that has its streams reset as fast as it opens them makes us work for nothing (CVE-2023-44487); it does not
 * matter who resets them (CVE-2025-8671).
 */
function countReset(client: ClientSession): void {
  const { maxResets, resetsPerSecond } = client.runtime.settings.http2;
  const now = performance.now();
  client.resets = Math.max(0, client.resets - ((now - client.resetsAt) / 1000) * resetsPerSecond) + 1;
  client.resetsAt = now;
  if (client.resets <= maxResets) return;
  client.runtime.metrics?.flooded(client.door.id);
  end(client, constants.NGHTTP2_ENHANCE_YOUR_CALM);
}

/** Ends the connection now. */
function end(client: ClientSession, code: number): void {
  const { runtime, session } = client;
  client.deadline = runtime.now + runtime.settings.client.lingerMs;
  if (!session.destroyed) session.destroy(code === constants.NGHTTP2_NO_ERROR ? undefined : new Error('ended'), code);
}

const http2Conduct: Conduct<ClientSession> = {
  sweep(client) {
    const { runtime, session, socket } = client;
    if (session.destroyed) {
      // The client does not close its side.
      if (runtime.now >= client.deadline) socket.destroy();
      return;
    }
    for (const stream of client.streams) sweepStream(stream);
    if (client.streams.size > 0) probe(client);
    if (client.streams.size > 0 && client.begun) return;
    if (runtime.now < client.deadline) return;
    if (!client.begun || session.closed) end(client, constants.NGHTTP2_NO_ERROR);
    else retire(client);
  },
  retire,
  abort(client) {
    for (const { exchange } of client.streams) {
      if (exchange) cut(exchange, 'shutdown', 'the data plane was closed');
    }
    end(client, constants.NGHTTP2_NO_ERROR);
  },
};

/** Says that no further streams will be served, and closes when those that are open are done. */
function retire(client: ClientSession): void {
  client.deadline = client.runtime.now + client.runtime.settings.client.lingerMs;
  if (!client.session.closed) client.session.close();
}

function sweepStream(client: ClientStream): void {
  const { exchange, stream } = client;
  if (!stalled(client)) {
    if (exchange) sweepExchange(exchange);
  } else if (exchange) cut(exchange, 'client_timeout', 'the client does not take the response');
  else stream.close(constants.NGHTTP2_CANCEL);
}

/** The client has bytes to take and has taken none for too long. */
function stalled(client: ClientStream): boolean {
  const { runtime, stream } = client;
  const queued = stream.writableLength;
  if (queued === 0 || queued !== client.queued) {
    client.queued = queued;
    client.stalledSince = runtime.now;
    return false;
  }
  const { client: limits, relay } = runtime.settings;
  const limit = client.exchange?.tunnel ? relay.tunnelIdleTimeoutMs : limits.sendTimeoutMs;
  return runtime.now - client.stalledSince >= limit;
}
