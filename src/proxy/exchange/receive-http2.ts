/** Responses over HTTP/2, brought into the form that exchange/response.ts takes. */
import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { parseResponseHead, type ResponseHead, responseBody } from '../http1/response.ts';
import { reasonPhrase } from '../http1/status.ts';
import { filterTrailers } from '../http1/trailers.ts';
import { linesOf } from '../http2/fields.ts';
import { type StreamHandlers, streamOver } from '../upstream/http2-session.ts';
import { isUnprocessed, type UpstreamStream } from '../upstream/http2-stream.ts';
import type { Exchange } from './exchange.ts';
import { cut, fail } from './finish.ts';
import { passOn, receiveCut, receiveData, receiveEnd, receiveFinal, receiveInterim } from './response.ts';
import { retryOrFail } from './send.ts';
import { endTunnel, linkDrained, linkReady, tunnelLost } from './upstream-events.ts';

type Headers = IncomingHttpHeaders & { readonly ':status'?: number };

/** Events of streams to backends that speak HTTP/2. */
export const streamHandlers: StreamHandlers = { connected: linkReady, sent: listenToResponse, lost };

function listenToResponse(upstream: UpstreamStream, stream: ClientHttp2Stream): void {
  let trailers = '';
  noteEnd(upstream, stream);
  stream.on('headers', (headers: Headers, _flags: number, raw: string[]) => receiveHeaders(upstream, headers, 0, raw));
  stream.on('response', (headers: Headers, flags: number, raw: string[]) =>
    receiveHeaders(upstream, headers, flags, raw),
  );
  stream.on('data', (bytes: Buffer) => receive(upstream, bytes));
  stream.on('trailers', (_headers: Headers, _flags: number, raw: string[]) => {
    trailers = linesOf(raw);
  });
  stream.on('drain', () => linkDrained(upstream));
  stream.on('end', () => ended(upstream, trailers));
  stream.on('error', (error: Error) => {
    upstream.error = error.message;
  });
  stream.on('close', () => closed(upstream, stream));
}

/**
 * `end` is emitted for streams that were reset as well, when the code is NO_ERROR or CANCEL. These are closed before their
 * last `push`; those with END_STREAM are not.
 */
function noteEnd(upstream: UpstreamStream, stream: ClientHttp2Stream): void {
  const push = stream.push.bind(stream);
  stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk === null && !stream.closed) upstream.complete = true;
    return push(chunk, encoding);
  };
}

function receiveHeaders(upstream: UpstreamStream, headers: Headers, flags: number, raw: readonly string[]): void {
  const { exchange } = upstream;
  if (exchange?.status !== 0) return;
  exchange.answered = true;
  const head = readHead(upstream, exchange, headers[':status'] ?? 0, raw);
  if (!head) return;
  if (head.status < 200) {
    if (receiveInterim(exchange, upstream, head)) exchange.client.wire.flush(exchange.client);
    return;
  }
  const isWhole = hasNoBody(exchange, head.status) || (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
  head.body = isWhole ? responseBody.none : head.contentLength >= 0 ? responseBody.length : responseBody.chunked;
  if (!receiveFinal(exchange, head)) return;
  if (isWhole) receiveEnd(exchange, '');
  else passOn(exchange, upstream);
}

/** RFC 9110 section 6.4.1: nothing follows, though an empty DATA frame may say so. */
const hasNoBody = ({ isHead }: Exchange, status: number): boolean => isHead || status === 204 || status === 304;

/** The head as HTTP/1.1 would have it; undefined when the exchange has failed over it. */
function readHead(
  upstream: UpstreamStream,
  exchange: Exchange,
  status: number,
  raw: readonly string[],
): ResponseHead | undefined {
  const { responseHead: head, settings } = exchange.client.runtime;
  // RFC 8441 section 5: what HTTP/1.1 says with 101, HTTP/2 says with 200.
  const isSwitch = exchange.upgrade !== undefined && status === 200;
  const first = isSwitch
    ? `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${upstream.accept}\r\n`
    : `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`;
  const bytes = Buffer.from(`${first}${linesOf(raw)}\r\n`, 'latin1');
  const outcome = parseResponseHead(bytes, bytes.length, head, exchange.isHead, settings.upstream.maxHeadBytes);
  if (outcome === 'complete') return head;
  fail(exchange, 502, 'upstream_protocol', outcome === 'incomplete' ? 'the head is malformed' : outcome.reason);
  return undefined;
}

const run = [0, 0];

function receive(upstream: UpstreamStream, bytes: Buffer): void {
  const { exchange } = upstream;
  if (!exchange) return;
  exchange.moved = exchange.client.runtime.now;
  run[1] = bytes.length;
  receiveData(exchange, bytes, run, bytes.length, true);
  if (!exchange.over) passOn(exchange, upstream);
}

function ended(upstream: UpstreamStream, trailers: string): void {
  const { exchange, complete } = upstream;
  // What the reset means is said by the close that follows it.
  if (!exchange || !complete) return;
  if (exchange.tunnel) endTunnel(exchange);
  else if (exchange.status !== 0) receiveTrailers(exchange, trailers);
}

function receiveTrailers(exchange: Exchange, lines: string): void {
  const isLong = lines.length > exchange.client.runtime.settings.relay.maxTrailerBytes;
  const trailers = isLong ? undefined : filterTrailers(`${lines}\r\n`);
  if (trailers !== undefined) receiveEnd(exchange, trailers);
  else {
    exchange.client.wire.flush(exchange.client);
    cut(exchange, 'upstream_protocol', 'the trailers of the response are malformed or too many');
  }
}

/** After the end of a response nobody listens any more; before it, it was lost. */
function closed(upstream: UpstreamStream, stream: ClientHttp2Stream): void {
  const { owner, exchange } = upstream;
  streamOver(owner, upstream);
  if (!exchange) return;
  upstream.unprocessed ||= isUnprocessed(stream.rstCode ?? 0);
  upstream.error ??= owner.error;
  if (!upstream.complete) upstream.error ??= 'the backend reset the stream';
  // A stream that the backend has reset did not meet with the closing of an idle connection.
  if (!owner.draining && !owner.session.destroyed) upstream.reused = false;
  lost(upstream, false);
}

function lost(upstream: UpstreamStream, timedOut: boolean): void {
  const exchange = upstream.exchange!;
  if (exchange.tunnel) tunnelLost(exchange, upstream);
  else if (exchange.status !== 0) receiveCut(exchange);
  else retryOrFail(exchange, upstream, timedOut);
}
