/** Responses between the two sides, whatever these speak: interim ones, the head, the body, the end. */
import type { ResponseHead } from '../http1/response.ts';
import { noteReceived, noteResponse } from '../log/line/notes.ts';
import { detachUpstream, type Exchange } from './exchange.ts';
import { cut, fail, finish } from './finish.ts';
import { noteResult } from './load.ts';
import { dropHop, prepareHead } from './response-head.ts';
import { retryFor } from './retry.ts';
import { send } from './send.ts';
import { beginTunnel, isOffered } from './tunnel.ts';
import type { UpstreamLink } from './wire.ts';

/** Passes an interim response on; false when the exchange has failed over it or has become a tunnel. */
export function receiveInterim(exchange: Exchange, link: UpstreamLink, head: ResponseHead): boolean {
  const { client } = exchange;
  if (head.status === 101) {
    noteResult(exchange, head.status);
    if (exchange.notes) noteResponse(exchange.notes, head);
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
  noteResult(exchange, head.status);
  if (exchange.notes) noteResponse(exchange.notes, head);
  if (retryFor(exchange, head.status, send)) return false;
  exchange.moved = client.runtime.now;
  exchange.status = head.status;
  exchange.requestText = '';
  if (exchange.sentAt > 0) exchange.upstreamMs = performance.now() - exchange.sentAt;
  const pages = exchange.share?.filters.errorPages;
  const isHeldBack = pages?.replaces(exchange, head.status) === true;
  // The page may be asked for with the body that was kept.
  if (isHeldBack) pages!.holdBack(exchange, head);
  exchange.kept = undefined;
  if (!isHeldBack) deliverHead(exchange, head);
  return true;
}

/** Sends the head of the final response to the client. */
export function deliverHead(exchange: Exchange, head: ResponseHead): void {
  prepareHead(exchange, head);
  exchange.share?.filters.encode?.(exchange, head);
  exchange.client.wire.head(exchange, head);
}

/** Bytes of the body as text, of a body that came whole with its head. */
export function receiveText(exchange: Exchange, text: string): void {
  const stage = exchange.attached?.body;
  if (exchange.notes) noteReceived(exchange.notes, text.length);
  if (stage) {
    stage.text(text);
    return;
  }
  if (exchange.attached?.pace) {
    const bytes = Buffer.from(text, 'latin1');
    exchange.attached.pace.data(bytes, [0, bytes.length], true);
    return;
  }
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
  const stage = exchange.attached?.body;
  if (exchange.notes) noteReceived(exchange.notes, total);
  if (stage) stage.data(bytes, runs, owned);
  else deliverData(exchange, bytes, runs, total, owned);
}

/** The same past the stage. */
export function deliverData(
  exchange: Exchange,
  bytes: Buffer,
  runs: readonly number[],
  total: number,
  owned: boolean,
): void {
  const pace = exchange.attached?.pace;
  if (pace && !exchange.tunnel) pace.data(bytes, runs, owned);
  else sendData(exchange, bytes, runs, total, owned);
}

/** The same past everything that could hold it back. */
export function sendData(
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
  const stage = exchange.attached?.body;
  if (stage) stage.flush();
  else client.wire.flush(client);
  if (isHeldUp(exchange)) link.wire.setReading(link, false);
}

/** More of the response has nowhere to go. */
function isHeldUp({ attached, client }: Exchange): boolean {
  if (attached?.pace?.holds()) return true;
  return attached?.body ? attached.body.isBlocked() : client.wire.isBlocked(client);
}

/** There is room for more of what the backend sends, as far as who calls is concerned. */
export function readOn(exchange: Exchange): void {
  const { upstream } = exchange;
  if (upstream && !exchange.over && !isHeldUp(exchange)) upstream.wire.setReading(upstream, true);
}

/** The client takes bytes again. */
export function clientDrained(exchange: Exchange): void {
  const { attached, upstream, client } = exchange;
  exchange.moved = client.runtime.now;
  attached?.pace?.resume();
  if (attached?.body) attached.body.resume();
  else if (!attached?.pace?.holds()) upstream?.wire.setReading(upstream, true);
}

/** The response is whole. Trailer lines, each with its CRLF. */
export function receiveEnd(exchange: Exchange, trailers: string): void {
  const stage = exchange.attached?.body;
  if (!stage) {
    deliverEnd(exchange, trailers);
    return;
  }
  dismissBackend(exchange);
  stage.end(trailers);
}

/** All that it had to say is here, though not at the client yet. */
function dismissBackend(exchange: Exchange): void {
  releaseLink(exchange);
  clearTimeout(exchange.backendTimer);
  exchange.backendTimer = undefined;
  if (!exchange.requestDone) exchange.client.wire.refreshReading(exchange.client);
}

/** The body is whole, past the stage. */
export function deliverEnd(exchange: Exchange, trailers: string): void {
  if (exchange.attached?.pace?.end(trailers)) {
    exchange.client.wire.flush(exchange.client);
    dismissBackend(exchange);
  } else endResponse(exchange, trailers);
}

/** The client has got everything; the exchange is over. */
export function endResponse(exchange: Exchange, trailers: string): void {
  const { client } = exchange;
  client.wire.end(exchange, trailers);
  client.wire.flush(client);
  releaseLink(exchange);
  finish(exchange);
}

function releaseLink(exchange: Exchange): void {
  const link = detachUpstream(exchange);
  link?.wire.release(link, exchange);
}

const truncated = {
  status: 502,
  flag: 'upstream_truncated',
  reason: 'the backend closed before its response was complete',
} as const;

/** The backend has closed before its response was whole. */
export function receiveCut(exchange: Exchange): void {
  if (exchange.attached?.body?.lost(truncated)) return;
  exchange.client.wire.flush(exchange.client);
  cut(exchange, truncated.flag, truncated.reason);
}
