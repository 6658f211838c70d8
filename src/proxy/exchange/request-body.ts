/** Request bodies between the two sides: counted, limited, copied, kept for another attempt. */

import { lasting } from '../read-buffers.ts';
import { copyBody, endCopies } from './attachments.ts';
import { joinRuns, totalOf } from './chunks.ts';
import type { Exchange } from './exchange.ts';
import { fail } from './finish.ts';

/**
 * Sends decoded data (pairs of from and to in `bytes`, which the next event may write over) to the backend. False when the exchange
 * has failed over it.
 */
export function sendBody(exchange: Exchange, bytes: Buffer, runs: readonly number[]): boolean {
  const { attached, upstream, kept } = exchange;
  const total = totalOf(runs);
  exchange.moved = exchange.client.runtime.now;
  if (attached && exchange.requestBytes + total > attached.maxBodyBytes) {
    exchange.close = true;
    fail(exchange, 413, 'body_too_large', `the body is larger than ${attached.maxBodyBytes} bytes`);
    return false;
  }
  exchange.requestBytes += total;
  if (kept) keep(exchange, kept, bytes, runs, total);
  upstream!.wire.data(upstream!, exchange, bytes, runs);
  if (attached) copyBody(attached, bytes, runs);
  return true;
}

/** The body is whole. Trailer lines, each with its CRLF. */
export function endBody(exchange: Exchange, trailers: string): void {
  const { attached, upstream } = exchange;
  exchange.requestDone = true;
  exchange.requestTrailers = trailers;
  upstream!.wire.end(upstream!, exchange, trailers);
  if (attached) endCopies(attached, trailers);
}

/** Keeps data for another attempt, as long as it is not too much. */
function keep(exchange: Exchange, kept: Buffer[], bytes: Buffer, runs: readonly number[], total: number): void {
  if (exchange.requestBytes > exchange.client.runtime.settings.relay.maxRepeatBytes) {
    exchange.kept = undefined;
    return;
  }
  kept.push(runs.length === 2 ? lasting(bytes.subarray(runs[0]!, runs[1]!)) : joinRuns(bytes, runs, total));
}

/** Sends once more what was sent before, over another link. */
export function repeatBody(exchange: Exchange): void {
  const upstream = exchange.upstream!;
  for (const bytes of exchange.kept!) upstream.wire.data(upstream, exchange, bytes, [0, bytes.length]);
  if (exchange.requestDone) upstream.wire.end(upstream, exchange, exchange.requestTrailers);
}
