/** Responses from backends on their way to clients, checked against their framing and framed anew. */
import { createChunkDecoder, decodeChunks, hasFailed, isDone } from '../http1/chunked.ts';
import { parseResponseHead, type ResponseHead, responseBody } from '../http1/response.ts';
import { filterTrailers } from '../http1/trailers.ts';
import { flush, isBlocked, putBytes } from '../outbox.ts';
import { discardConnection, setUpstreamReading, type UpstreamConnection } from '../upstream/connection.ts';
import { releaseConnection } from '../upstream/pool.ts';
import { putRuns, runs } from './chunks.ts';
import type { Exchange } from './exchange.ts';
import { cut, fail, finish } from './finish.ts';
import { writeInformational, writeResponseHead } from './response-head.ts';
import { beginTunnel, isOffered } from './tunnel.ts';

/** A piece of what a connection has read: `[at, end)` of bytes that last (`owned`) or are valid during the call only. */
export interface Piece {
  readonly bytes: Buffer;
  at: number;
  readonly end: number;
  readonly owned: boolean;
}

/** Reads the heads of interim responses and of the final one, then what is there of its body. */
export function receiveHead(exchange: Exchange, connection: UpstreamConnection, piece: Piece): void {
  const { runtime, out } = exchange.client;
  const { responseHead: head, settings } = runtime;
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
    exchange.moved = runtime.now;
    if (head.status >= 200) {
      beginResponse(exchange, head);
      takeShortBody(exchange, head, piece);
      receiveBody(exchange, connection, piece);
      return;
    }
    if (!receiveInterim(exchange, connection, head, piece)) return;
  }
  flush(out);
}

/** False when the exchange is no longer one of requests and responses. */
function receiveInterim(exchange: Exchange, connection: UpstreamConnection, head: ResponseHead, piece: Piece): boolean {
  const { out, runtime } = exchange.client;
  if (head.status === 101) {
    if (!isOffered(exchange, head) || !exchange.requestDone) {
      fail(exchange, 502, 'upstream_protocol', 'the backend switched protocols unasked');
    } else {
      beginTunnel(exchange, connection, head, piece);
    }
    return false;
  }
  if (++exchange.informational > runtime.settings.upstream.maxInformational) {
    fail(exchange, 502, 'upstream_protocol', 'the backend sent too many interim responses');
    return false;
  }
  // RFC 9110 section 15.2: an HTTP/1.0 client would take it for the final one.
  if (exchange.minor === 1) out.text += writeInformational(head);
  return true;
}

/** A body that is whole and in the head's text already needs no text of its own. */
function takeShortBody(exchange: Exchange, head: ResponseHead, piece: Piece): void {
  const { responseLeft: length } = exchange;
  const { text } = head.fields;
  if (exchange.responseBody !== responseBody.length || text.length < head.length + length) return;
  exchange.client.out.text += text.slice(head.length, head.length + length);
  exchange.responseBytes += length;
  exchange.responseLeft = 0;
  piece.at += length;
}

function beginResponse(exchange: Exchange, head: ResponseHead): void {
  exchange.status = head.status;
  exchange.upstreamKeepAlive = head.keepAlive;
  exchange.upstreamKeepAliveSeconds = head.keepAliveSeconds;
  if (exchange.sentAt > 0) exchange.upstreamMs = performance.now() - exchange.sentAt;
  exchange.client.out.text += writeResponseHead(exchange, head);
}

/** Passes on what belongs to the body, and ends the exchange when that was all. */
export function receiveBody(exchange: Exchange, connection: UpstreamConnection, piece: Piece): void {
  const { out } = exchange.client;
  const done = relay[exchange.responseBody](exchange, piece);
  if (exchange.over) return;
  flush(out);
  if (done) complete(exchange, connection, piece.at < piece.end);
  else if (isBlocked(out.socket, exchange.client.runtime.settings.relay.bufferBytes))
    setUpstreamReading(connection, false);
}

/** How each kind of body is relayed; true when it is complete. */
const relay: Record<Exchange['responseBody'], (exchange: Exchange, piece: Piece) => boolean> = {
  [responseBody.none]: () => true,
  [responseBody.length]: relayLength,
  [responseBody.chunked]: relayChunks,
  [responseBody.untilClose]: relayUntilClose,
};

function relayLength(exchange: Exchange, piece: Piece): boolean {
  const end = Math.min(piece.end, piece.at + exchange.responseLeft);
  putBytes(exchange.client.out, piece.bytes, piece.at, end, piece.owned);
  exchange.responseBytes += end - piece.at;
  exchange.responseLeft -= end - piece.at;
  piece.at = end;
  return exchange.responseLeft === 0;
}

function relayChunks(exchange: Exchange, piece: Piece): boolean {
  const { out, runtime } = exchange.client;
  exchange.responseDecoder ??= createChunkDecoder(runtime.settings.relay);
  const decoder = exchange.responseDecoder;
  runs.length = 0;
  piece.at = decodeChunks(decoder, piece.bytes, piece.at, piece.end, runs);
  exchange.responseBytes += putRuns(out, piece.bytes, runs, exchange.chunkedOut, piece.owned);
  const trailers = isDone(decoder) ? filterTrailers(decoder.trailer) : '';
  if (hasFailed(decoder) || trailers === undefined) {
    flush(out);
    cut(exchange, 'upstream_protocol', 'the chunked body of the response is malformed');
    return false;
  }
  if (!isDone(decoder)) return false;
  if (exchange.chunkedOut) out.text += `0\r\n${trailers}\r\n`;
  return true;
}

function relayUntilClose(exchange: Exchange, piece: Piece): boolean {
  runs.length = 0;
  if (piece.at < piece.end) runs.push(piece.at, piece.end);
  exchange.responseBytes += putRuns(exchange.client.out, piece.bytes, runs, exchange.chunkedOut, piece.owned);
  piece.at = piece.end;
  return false;
}

/** The response is whole. `surplus`: the backend has sent more than it announced. */
export function complete(exchange: Exchange, connection: UpstreamConnection, surplus: boolean): void {
  const { runtime } = exchange.client;
  const { idleTimeoutMs, maxIdlePerEndpoint } = runtime.settings.upstream;
  exchange.upstream = undefined;
  if (surplus || !exchange.upstreamKeepAlive || !exchange.requestDone || runtime.closing) {
    discardConnection(connection);
  } else {
    connection.exchange = undefined;
    setUpstreamReading(connection, true);
    const said = exchange.upstreamKeepAliveSeconds;
    // A second before the backend's own time, so that a request does not meet its closing.
    const idleMs = said > 0 ? Math.min(idleTimeoutMs, said * 1000 - 1000) : idleTimeoutMs;
    releaseConnection(connection, runtime.now, idleMs, maxIdlePerEndpoint);
  }
  finish(exchange);
}

/** The backend closes before its time or, for a body that ends with the connection, in time. */
export function receiveEnd(exchange: Exchange, connection: UpstreamConnection, orderly: boolean): void {
  if (orderly && exchange.responseBody === responseBody.untilClose) {
    if (exchange.chunkedOut) exchange.client.out.text += '0\r\n\r\n';
    flush(exchange.client.out);
    complete(exchange, connection, true);
    return;
  }
  cut(exchange, 'upstream_truncated', 'the backend closed before its response was complete');
}
