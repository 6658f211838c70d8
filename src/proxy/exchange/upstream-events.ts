/** What happens on the links to backends, turned into what it means for the exchanges they carry. */
import type { UpstreamConnection, UpstreamHandlers } from '../upstream/connection.ts';
import type { Exchange } from './exchange.ts';
import { cut, fail, finish } from './finish.ts';
import { type Piece, readEnd, readHead, relayBody, relayTunnel } from './receive.ts';
import { retryOrFail, transmit } from './send.ts';
import type { UpstreamLink } from './wire.ts';

/** Events of connections that speak HTTP/1.1. */
export const upstreamHandlers: UpstreamHandlers = {
  connected: linkReady,
  received,
  ended(connection) {
    const { exchange } = connection;
    if (!exchange) connection.socket.destroy();
    else if (exchange.tunnel) endTunnel(exchange);
    else connectionLost(connection, true, false);
  },
  drained: linkDrained,
  closed: (connection, timedOut) => connectionLost(connection, false, timedOut),
};

/** It can carry its exchange now. */
export function linkReady(link: UpstreamLink): void {
  const { exchange } = link;
  if (exchange) transmit(exchange, link);
  else link.wire.discard(link);
}

/** The backend has taken what waited for it. */
export function linkDrained(link: UpstreamLink): void {
  const { exchange } = link;
  if (!exchange) return;
  const { client } = exchange;
  exchange.moved = client.runtime.now;
  client.wire.refreshReading(client);
}

/** The backend has closed its side of a tunnel. */
export function endTunnel(exchange: Exchange): void {
  const { client } = exchange;
  client.wire.end(exchange, '');
  client.wire.flush(client);
}

function received(connection: UpstreamConnection, bytes: Buffer, length: number): void {
  const { exchange } = connection;
  // Nobody has asked for these: the connection is out of step.
  if (!exchange) {
    connection.socket.destroy();
    return;
  }
  exchange.answered = true;
  // A head that drips in is no progress; a whole one is.
  if (exchange.status !== 0) exchange.moved = exchange.client.runtime.now;
  const piece = pieceOf(connection, bytes, length);
  if (exchange.tunnel) relayTunnel(exchange, connection, piece);
  else if (exchange.status === 0) readHead(exchange, connection, piece);
  else relayBody(exchange, connection, piece);
}

function pieceOf(connection: UpstreamConnection, bytes: Buffer, length: number): Piece {
  const { partial } = connection;
  if (!partial) return { bytes, at: 0, end: length, owned: false };
  connection.partial = undefined;
  const joined = Buffer.concat([partial, bytes.subarray(0, length)]);
  return { bytes: joined, at: 0, end: joined.length, owned: true };
}

/** The backend closed its side, or the connection is gone. */
function connectionLost(connection: UpstreamConnection, orderly: boolean, timedOut: boolean): void {
  const { exchange } = connection;
  if (!exchange) return;
  if (exchange.tunnel) tunnelLost(exchange, connection);
  else if (exchange.status !== 0) readEnd(exchange, connection, orderly && connection.error === undefined);
  else if (exchange.answered)
    fail(exchange, 502, 'upstream_truncated', 'the backend closed in the midst of a response head');
  else {
    retryOrFail(exchange, connection, timedOut);
    connection.socket.destroy();
  }
}

/** A tunnel whose backend is gone: ended when both sides were closed, reset otherwise. */
export function tunnelLost(exchange: Exchange, link: UpstreamLink): void {
  link.wire.setReading(link, true);
  if (link.error === undefined) finish(exchange);
  else cut(exchange, 'upstream_reset', 'the backend reset the tunnel');
}
