/** What happens on backends' connections, turned into what it means for the exchanges they carry. */
import { setUpstreamReading, type UpstreamConnection, type UpstreamHandlers } from '../upstream/connection.ts';
import { cut, fail, finish } from './finish.ts';
import { refreshReading } from './reading.ts';
import { type Piece, receiveBody, receiveEnd, receiveHead } from './response.ts';
import { retryOrFail, transmit } from './send.ts';
import { tunnelToClient } from './tunnel.ts';

export const upstreamHandlers: UpstreamHandlers = {
  connected(connection) {
    const { exchange } = connection;
    if (exchange) transmit(exchange, connection);
    else connection.socket.destroy();
  },
  received,
  ended(connection) {
    const { exchange } = connection;
    if (!exchange) connection.socket.destroy();
    else if (exchange.tunnel) exchange.client.socket.end();
    else lost(connection, true, false);
  },
  drained(connection) {
    const { exchange } = connection;
    if (!exchange) return;
    exchange.moved = exchange.client.runtime.now;
    refreshReading(exchange.client);
  },
  closed(connection, timedOut) {
    lost(connection, false, timedOut);
  },
};

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
  if (exchange.tunnel) tunnelToClient(exchange, connection, piece);
  else if (exchange.status === 0) receiveHead(exchange, connection, piece);
  else receiveBody(exchange, connection, piece);
}

function pieceOf(connection: UpstreamConnection, bytes: Buffer, length: number): Piece {
  const { partial } = connection;
  if (!partial) return { bytes, at: 0, end: length, owned: false };
  connection.partial = undefined;
  const joined = Buffer.concat([partial, bytes.subarray(0, length)]);
  return { bytes: joined, at: 0, end: joined.length, owned: true };
}

/** The backend closed its side, or the connection is gone. */
function lost(connection: UpstreamConnection, orderly: boolean, timedOut: boolean): void {
  const { exchange } = connection;
  if (!exchange) return;
  if (exchange.tunnel) endTunnel(connection);
  else if (exchange.status !== 0) receiveEnd(exchange, connection, orderly && connection.error === undefined);
  else if (exchange.answered)
    fail(exchange, 502, 'upstream_truncated', 'the backend closed in the midst of a response head');
  else {
    retryOrFail(exchange, connection, timedOut);
    connection.socket.destroy();
  }
}

function endTunnel(connection: UpstreamConnection): void {
  const exchange = connection.exchange!;
  setUpstreamReading(connection, true);
  if (connection.error === undefined) finish(exchange);
  else cut(exchange, 'upstream_reset', 'the backend reset the tunnel');
}
