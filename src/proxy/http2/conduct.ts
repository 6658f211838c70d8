/** Time limits of HTTP/2 connections of clients, and their ends from outside. */
import { cut } from '../exchange/finish.ts';
import { sweepExchange } from '../exchange/sweep.ts';
import type { Conduct } from '../listener/client.ts';
import { askForLife, beginEnd, fail, resetStream } from './engine/ends.ts';
import { errorCode } from './engine/protocol.ts';
import { type ClientSession, closeSession, retire, send, settle } from './session.ts';
import { type ClientStream, clientOf } from './stream.ts';

export const http2Conduct: Conduct<ClientSession> = {
  sweep(session) {
    if (session.lingering) sweepLingering(session);
    else if (isStalled(session)) giveUp(session);
    else sweepSession(session);
  },
  retire,
  abort(session) {
    for (const stream of session.connection.streams.values()) {
      const { exchange } = clientOf(stream);
      if (exchange) cut(exchange, 'shutdown', 'the data plane was closed');
    }
    beginEnd(session.connection);
    send(session);
    session.socket.destroy();
  },
};

function giveUp({ connection, socket }: ClientSession): void {
  for (const stream of connection.streams.values()) {
    const { exchange } = clientOf(stream);
    if (exchange) cut(exchange, 'client_timeout', 'the client does not take the response');
  }
  socket.destroy();
}

function sweepLingering(session: ClientSession): void {
  const { runtime, socket } = session;
  if (session.deadline > 0) {
    if (runtime.now >= session.deadline) socket.destroy();
  } else if (socket.writableFinished) session.deadline = runtime.now + runtime.settings.client.lingerMs;
  else if (isStalled(session)) socket.destroy();
}

/** The client takes nothing of what was sent to it. */
function isStalled(session: ClientSession): boolean {
  const { runtime, socket } = session;
  const queued = socket.writableLength;
  if (queued === 0 || queued !== session.queued) {
    session.queued = queued;
    session.stalledSince = runtime.now;
    return false;
  }
  return runtime.now - session.stalledSince >= runtime.settings.client.sendTimeoutMs;
}

function sweepSession(session: ClientSession): void {
  const { connection, runtime } = session;
  for (const stream of connection.streams.values()) sweepStream(clientOf(stream));
  if (connection.streams.size > 0) probe(session);
  if (session.paused) waitLonger(session);
  sweepBeginning(session);
  sweepBlock(session);
  if (session.lingering || runtime.now < session.deadline) return;
  if (session.half) sweepHalf(session);
  else if (connection.announced) beginEnd(connection);
  else if (connection.streams.size === 0) retire(session);
  settle(session);
}

/** What we do not read we cannot miss. */
function waitLonger(session: ClientSession): void {
  session.acknowledgeBy = session.runtime.now + session.runtime.settings.client.headTimeoutMs;
  session.blockDeadline = session.acknowledgeBy;
}

/** Preface and SETTINGS of the client, and its word on ours. */
function sweepBeginning(session: ClientSession): void {
  const { connection, runtime } = session;
  if (!session.begun && connection.begun) {
    session.begun = true;
    if (connection.streams.size === 0) session.deadline = runtime.now + runtime.settings.client.keepAliveTimeoutMs;
  }
  if (runtime.now < session.acknowledgeBy || session.lingering) return;
  if (!connection.begun) {
    beginEnd(connection);
    closeSession(session);
  } else if (!connection.acknowledged) fail(connection, errorCode.settingsTimeout);
}

/** A client that is gone without a word does not answer. */
function probe(session: ClientSession): void {
  const { connection, runtime, socket } = session;
  const { http2, client } = runtime.settings;
  const { pingIntervalMs } = http2;
  const silent = runtime.now - session.aliveAt;
  // PING waits behind what was sent before, which a slow client may take its time for.
  const isSending = connection.sent !== session.sentBefore;
  const limit = isSending ? Math.max(2 * pingIntervalMs, client.sendTimeoutMs) : 2 * pingIntervalMs;
  // We do not listen while it does not.
  if (session.paused) return;
  if (silent >= limit) socket.destroy();
  else if (silent >= pingIntervalMs && !session.pinged && connection.begun) {
    session.pinged = true;
    askForLife(connection);
  }
}

/** A head that does not come to its end. */
function sweepBlock(session: ClientSession): void {
  const { connection, runtime } = session;
  const { block } = connection;
  if (block !== session.block) {
    session.block = block;
    session.blockDeadline = runtime.now + runtime.settings.client.headTimeoutMs;
  } else if (block && runtime.now >= session.blockDeadline) fail(connection, errorCode.enhanceYourCalm);
}

/** Requests whose response has not begun, of a client that may not be there any more. */
function sweepHalf({ connection }: ClientSession): void {
  for (const stream of connection.streams.values()) {
    const { exchange } = clientOf(stream);
    if (exchange && !exchange.tunnel && exchange.status === 0)
      cut(exchange, 'client_closed', 'the client closed its side and the response did not begin in time');
  }
}

function sweepStream(client: ClientStream): void {
  const { exchange, stream } = client;
  if (!isStreamStalled(client)) {
    if (exchange) sweepExchange(exchange);
  } else if (exchange) cut(exchange, 'client_timeout', 'the client does not take the response');
  else resetStream(stream, errorCode.cancel);
}

/** The client has bytes to take and has taken none for too long. */
function isStreamStalled(client: ClientStream): boolean {
  const { runtime, stream, exchange } = client;
  if (stream.queued === 0 || stream.sent !== client.sentBefore) {
    client.sentBefore = stream.sent;
    client.stalledSince = runtime.now;
    return false;
  }
  const { client: limits, relay } = runtime.settings;
  const limit = exchange?.tunnel ? relay.tunnelIdleTimeoutMs : limits.sendTimeoutMs;
  return runtime.now - client.stalledSince >= limit;
}
