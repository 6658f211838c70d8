/** Responses between the two sides, whatever these speak: interim ones, the head, the body, the end. */
import type { ResponseHead } from '../http1/response.ts';
import { detachUpstream, type Exchange } from './exchange.ts';
import { cut, fail, finish } from './finish.ts';
import { dropHop, prepareHead } from './response-head.ts';
import { beginTunnel, isOffered } from './tunnel.ts';
import type { UpstreamLink } from './wire.ts';

/** Passes an interim response on; false when the exchange has failed over it or has become a tunnel. */
export function receiveInterim(exchange: Exchange, link: UpstreamLink, head: ResponseHead): boolean {
  const { client } = exchange;
  if (head.status === 101) {
    if (isOffered(exchange, head) && exchange.requestDone) beginTunnel(exchange, link, head);
    else fail(exchange, 502, 'upstream_protocol', 'the backend switched protocols unasked');
    return false;
  }
  if (++exchange.informational > client.runtime.settings.upstream.maxInformational) {
    fail(exchange, 502, 'upstream_protocol', 'the backend sent too many interim responses');
    return false;
  }
  exchange.moved = client.runtime.now;
  dropHop(head);
  client.wire.interim(exchange, head);
  return true;
}

/** The head of the final response. False when the exchange has no use for the rest of the response. */
export function receiveFinal(exchange: Exchange, head: ResponseHead): boolean {
  const { client } = exchange;
  exchange.moved = client.runtime.now;
  exchange.status = head.status;
  exchange.requestText = '';
  exchange.kept = undefined;
  if (exchange.sentAt > 0) exchange.upstreamMs = performance.now() - exchange.sentAt;
  prepareHead(exchange, head);
  client.wire.head(exchange, head);
  return true;
}

/** Bytes of the body as text, of a body that came whole with its head. */
export function receiveText(exchange: Exchange, text: string): void {
  exchange.responseBytes += text.length;
  exchange.client.wire.text(exchange, text);
}

/** Pairs of from and to in `bytes`, which last (`owned`) or are valid during the call only; `total` is what they hold. */
export function receiveData(
  exchange: Exchange,
  bytes: Buffer,
  runs: readonly number[],
  total: number,
  owned: boolean,
): void {
  exchange.responseBytes += total;
  exchange.client.wire.data(exchange, bytes, runs, owned);
}

/** Sends what has gathered; the backend is not read while the client does not take it. */
export function passOn(exchange: Exchange, link: UpstreamLink): void {
  const { client } = exchange;
  client.wire.flush(client);
  if (client.wire.isBlocked(client)) link.wire.setReading(link, false);
}

/** The response is whole. Trailer lines, each with its CRLF. */
export function receiveEnd(exchange: Exchange, trailers: string): void {
  const { client } = exchange;
  client.wire.end(exchange, trailers);
  client.wire.flush(client);
  const link = detachUpstream(exchange);
  link?.wire.release(link, exchange);
  finish(exchange);
}

/** The backend has closed before its response was whole. */
export function receiveCut(exchange: Exchange): void {
  exchange.client.wire.flush(exchange.client);
  cut(exchange, 'upstream_truncated', 'the backend closed before its response was complete');
}
