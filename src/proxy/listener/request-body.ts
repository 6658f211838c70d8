/** Request bodies of clients that speak HTTP/1.1, checked against their framing and taken out of it. */
import { runs } from '../exchange/chunks.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { fail } from '../exchange/finish.ts';
import { endBody, sendBody } from '../exchange/request-body.ts';
import { tunnelToBackend } from '../exchange/tunnel.ts';
import { createChunkDecoder, decodeChunks, hasFailed, isDone } from '../http1/chunked.ts';
import { bodyKind } from '../http1/request.ts';
import { filterTrailers } from '../http1/trailers.ts';
import type { ClientConnection } from './client.ts';

/**
 * Passes on what belongs to the body out of `bytes[start…]`. Returns the position after it, -1 when the exchange has
 * failed over it.
 */
export function relayRequestBody(exchange: Exchange, bytes: Buffer, start: number): number {
  return exchange.requestBody === bodyKind.length
    ? relayLength(exchange, bytes, start)
    : relayChunks(exchange, bytes, start);
}

function relayLength(exchange: Exchange, bytes: Buffer, start: number): number {
  const end = Math.min(bytes.length, start + exchange.requestLeft);
  exchange.requestLeft -= end - start;
  if (!sendBody(exchange, bytes, runOf(start, end))) return -1;
  if (exchange.requestLeft === 0) endBody(exchange, '');
  return end;
}

function relayChunks(exchange: Exchange, bytes: Buffer, start: number): number {
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
  if (runs.length > 0 && !sendBody(exchange, bytes, runs)) return -1;
  if (isDone(decoder)) endBody(exchange, trailers);
  return at;
}

function runOf(start: number, end: number): readonly number[] {
  runs.length = 0;
  runs.push(start, end);
  return runs;
}

/** Passes on what came before there was anywhere to pass it on to; false when the exchange failed over it. */
export function relayPending(exchange: Exchange): boolean {
  const client = exchange.client as ClientConnection;
  const { pending } = client;
  if (!pending) return true;
  client.pending = undefined;
  if (exchange.tunnel) {
    tunnelToBackend(exchange, pending, runOf(0, pending.length));
    return true;
  }
  const at = relayRequestBody(exchange, pending, 0);
  if (at < 0) return false;
  if (at < pending.length) client.pending = pending.subarray(at);
  return true;
}

/** What has come of a tunnel's bytes. */
export function relayTunnel(exchange: Exchange, chunk: Buffer): void {
  tunnelToBackend(exchange, chunk, runOf(0, chunk.length));
}
