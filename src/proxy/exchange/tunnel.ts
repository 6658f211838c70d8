/** After 101 (RFC 9110 section 15.2.2): bytes both ways, until both sides have closed or nothing has moved for too long. */
import { knownValue, listMembers } from '../http1/fields.ts';
import { known } from '../http1/known-fields.ts';
import type { ResponseHead } from '../http1/response.ts';
import { flush, isBlocked, putBytes } from '../outbox.ts';
import { setUpstreamReading, type UpstreamConnection } from '../upstream/connection.ts';
import type { Exchange } from './exchange.ts';
import { clearTimers } from './finish.ts';
import { refreshReading } from './reading.ts';
import type { Piece } from './response.ts';
import { writeSwitch } from './response-head.ts';

/** RFC 9110 section 7.8: a backend may switch to what the client offered and to nothing else, and must name it. */
export function isOffered({ upgrade }: Exchange, { fields }: ResponseHead): boolean {
  const offered = listMembers(upgrade ?? '');
  const chosen = listMembers(knownValue(fields, known.upgrade) ?? '');
  return chosen.length > 0 && chosen.every((protocol) => offered.includes(protocol));
}

export function beginTunnel(
  exchange: Exchange,
  connection: UpstreamConnection,
  head: ResponseHead,
  piece: Piece,
): void {
  const { client } = exchange;
  clearTimers(exchange);
  exchange.tunnel = true;
  exchange.status = 101;
  exchange.close = true;
  client.out.text += writeSwitch(exchange, head);
  tunnelToClient(exchange, connection, piece);
  const { pending } = client;
  client.pending = undefined;
  if (pending) tunnelToBackend(exchange, connection, pending);
  else refreshReading(client);
  if (client.ended) connection.socket.end();
}

export function tunnelToClient(exchange: Exchange, connection: UpstreamConnection, piece: Piece): void {
  const { out, runtime } = exchange.client;
  if (piece.at < piece.end) {
    putBytes(out, piece.bytes, piece.at, piece.end, piece.owned);
    exchange.responseBytes += piece.end - piece.at;
  }
  flush(out);
  if (isBlocked(out.socket, runtime.settings.relay.bufferBytes)) setUpstreamReading(connection, false);
}

export function tunnelToBackend(exchange: Exchange, connection: UpstreamConnection, bytes: Buffer): void {
  exchange.moved = exchange.client.runtime.now;
  exchange.requestBytes += bytes.length;
  putBytes(connection.out, bytes, 0, bytes.length, true);
  flush(connection.out);
  refreshReading(exchange.client);
}
