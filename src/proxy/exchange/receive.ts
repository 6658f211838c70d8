/** Responses of backends that speak HTTP/1.1: read, checked against their framing, and taken out of it. */
import { createChunkDecoder, decodeChunks, hasFailed, isDone } from '../http1/chunked.ts';
import { parseResponseHead, type ResponseHead, responseBody } from '../http1/response.ts';
import { filterTrailers } from '../http1/trailers.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import { runs, totalOf } from './chunks.ts';
import type { Exchange } from './exchange.ts';
import { cut, fail } from './finish.ts';
import { passOn, receiveCut, receiveData, receiveEnd, receiveFinal, receiveInterim, receiveText } from './response.ts';

/** A piece of what a connection has read: `[at, end)` of bytes that last (`owned`) or are valid during the call only. */
export interface Piece {
  readonly bytes: Buffer;
  at: number;
  readonly end: number;
  readonly owned: boolean;
}

/** Reads the heads of interim responses and of the final one, then what is there of its body. */
export function readHead(exchange: Exchange, connection: UpstreamConnection, piece: Piece): void {
  const { client } = exchange;
  const { responseHead: head, settings } = client.runtime;
  const { maxHeadBytes } = settings.upstream;
  while (piece.at < piece.end) {
    const bytes = piece.at === 0 ? piece.bytes : piece.bytes.subarray(piece.at);
    const outcome = parseResponseHead(bytes, piece.end - piece.at, head, exchange.isHead, maxHeadBytes);
    if (outcome === 'incomplete') {
      connection.partial = Buffer.from(piece.bytes.subarray(piece.at, piece.end));
      break;
    }
    if (outcome !== 'complete') {
      fail(exchange, 502, 'upstream_protocol', outcome.reason);
      return;
    }
    piece.at += head.length;
    if (head.status >= 200) {
      readFinal(exchange, connection, head, piece);
      return;
    }
    if (!receiveInterim(exchange, connection, head)) {
      if (exchange.tunnel && !exchange.over) relayTunnel(exchange, connection, piece);
      return;
    }
  }
  client.wire.flush(client);
}

function readFinal(exchange: Exchange, connection: UpstreamConnection, head: ResponseHead, piece: Piece): void {
  connection.keepAlive = head.keepAlive;
  connection.keepAliveSeconds = head.keepAliveSeconds;
  connection.body = head.body;
  connection.left = head.contentLength;
  connection.decoder = undefined;
  if (!receiveFinal(exchange, head)) return;
  takeShortBody(exchange, connection, head, piece);
  relayBody(exchange, connection, piece);
}

/** A body that is whole and in the head's text already needs no text of its own. */
function takeShortBody(exchange: Exchange, connection: UpstreamConnection, head: ResponseHead, piece: Piece): void {
  const { left } = connection;
  const { text } = head.fields;
  if (connection.body !== responseBody.length || text.length < head.length + left) return;
  receiveText(exchange, text.slice(head.length, head.length + left));
  connection.left = 0;
  piece.at += left;
}

/** Passes on what belongs to the body, and ends the exchange when that was all. */
export function relayBody(exchange: Exchange, connection: UpstreamConnection, piece: Piece): void {
  const trailers = relay[connection.body](exchange, connection, piece);
  if (exchange.over) return;
  if (trailers === undefined) {
    passOn(exchange, connection);
    return;
  }
  // The backend has sent more than it announced: who knows what the rest is.
  if (piece.at < piece.end) connection.keepAlive = false;
  receiveEnd(exchange, trailers);
}

type Relay = (exchange: Exchange, connection: UpstreamConnection, piece: Piece) => string | undefined;

/** How each kind of body is relayed; the trailers when it is complete. */
const relay: Record<UpstreamConnection['body'], Relay> = {
  [responseBody.none]: () => '',
  [responseBody.length]: relayLength,
  [responseBody.chunked]: relayChunks,
  [responseBody.untilClose]: relayUntilClose,
};

function relayLength(exchange: Exchange, connection: UpstreamConnection, piece: Piece): string | undefined {
  const end = Math.min(piece.end, piece.at + connection.left);
  connection.left -= end - piece.at;
  relayRun(exchange, piece, end);
  return connection.left === 0 ? '' : undefined;
}

function relayChunks(exchange: Exchange, connection: UpstreamConnection, piece: Piece): string | undefined {
  connection.decoder ??= createChunkDecoder(exchange.client.runtime.settings.relay);
  const { decoder } = connection;
  runs.length = 0;
  piece.at = decodeChunks(decoder, piece.bytes, piece.at, piece.end, runs);
  const total = totalOf(runs);
  if (total > 0) receiveData(exchange, piece.bytes, runs, total, piece.owned);
  const trailers = isDone(decoder) ? filterTrailers(decoder.trailer) : '';
  if (hasFailed(decoder) || trailers === undefined) {
    exchange.client.wire.flush(exchange.client);
    cut(exchange, 'upstream_protocol', 'the chunked body of the response is malformed');
    return undefined;
  }
  return isDone(decoder) ? trailers : undefined;
}

function relayUntilClose(exchange: Exchange, _connection: UpstreamConnection, piece: Piece): undefined {
  relayRun(exchange, piece, piece.end);
}

function relayRun(exchange: Exchange, piece: Piece, end: number): void {
  const { at } = piece;
  if (at === end) return;
  runs.length = 0;
  runs.push(at, end);
  piece.at = end;
  receiveData(exchange, piece.bytes, runs, end - at, piece.owned);
}

/** Bytes of a tunnel. */
export function relayTunnel(exchange: Exchange, connection: UpstreamConnection, piece: Piece): void {
  relayRun(exchange, piece, piece.end);
  passOn(exchange, connection);
}

/** The backend closes before its time or, for a body that ends with the connection, in time. */
export function readEnd(exchange: Exchange, connection: UpstreamConnection, orderly: boolean): void {
  if (!orderly || connection.body !== responseBody.untilClose) {
    receiveCut(exchange);
    return;
  }
  connection.keepAlive = false;
  receiveEnd(exchange, '');
}
