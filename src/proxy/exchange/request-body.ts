/** Request bodies on their way to a backend, checked against their framing and framed anew. */
import { createChunkDecoder, decodeChunks, hasFailed, isDone } from '../http1/chunked.ts';
import { bodyKind } from '../http1/request.ts';
import { filterTrailers } from '../http1/trailers.ts';
import { putBytes } from '../outbox.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import { copyBody, endCopies } from './attachments.ts';
import { putRuns, runs, totalOf } from './chunks.ts';
import type { Exchange } from './exchange.ts';
import { fail } from './finish.ts';

/**
 * Puts what belongs to the body out of `bytes[start…]` into the backend's outbox. Returns the position after it, -1
 * when the body is malformed and the exchange has failed.
 */
export function relayRequestBody(
  exchange: Exchange,
  upstream: UpstreamConnection,
  bytes: Buffer,
  start: number,
): number {
  exchange.moved = exchange.client.runtime.now;
  return exchange.requestBody === bodyKind.length
    ? relayLength(exchange, upstream, bytes, start)
    : relayChunks(exchange, upstream, bytes, start);
}

function relayLength(exchange: Exchange, upstream: UpstreamConnection, bytes: Buffer, start: number): number {
  const end = Math.min(bytes.length, start + exchange.requestLeft);
  putBytes(upstream.out, bytes, start, end, true);
  exchange.requestLeft -= end - start;
  exchange.requestBytes += end - start;
  const { attached } = exchange;
  if (attached) copyBody(attached, bytes, [start, end]);
  if (exchange.requestLeft === 0) {
    exchange.requestDone = true;
    if (attached) endCopies(attached, '');
  }
  return end;
}

function relayChunks(exchange: Exchange, upstream: UpstreamConnection, bytes: Buffer, start: number): number {
  exchange.requestDecoder ??= createChunkDecoder(exchange.client.runtime.settings.relay);
  const decoder = exchange.requestDecoder;
  runs.length = 0;
  const at = decodeChunks(decoder, bytes, start, bytes.length, runs);
  const trailers = isDone(decoder) ? filterTrailers(decoder.trailer) : '';
  if (hasFailed(decoder) || trailers === undefined) {
    exchange.close = true;
    fail(exchange, 400, 'bad_request', 'the chunked body is malformed');
    return -1;
  }
  const { attached } = exchange;
  if (attached && exchange.requestBytes + totalOf(runs) > attached.maxBodyBytes) {
    exchange.close = true;
    fail(exchange, 413, 'body_too_large', `the body is larger than ${attached.maxBodyBytes} bytes`);
    return -1;
  }
  exchange.requestBytes += putRuns(upstream.out, bytes, runs, true, true);
  if (attached) copyBody(attached, bytes, runs);
  if (isDone(decoder)) {
    if (attached) endCopies(attached, trailers);
    upstream.out.text += `0\r\n${trailers}\r\n`;
    exchange.requestDone = true;
  }
  return at;
}
