/** One request to a backend over HTTP/2, and its response. */
import { createHash } from 'node:crypto';
import { type ClientHttp2Stream, constants, type OutgoingHttpHeaders } from 'node:http2';
import type { Exchange } from '../exchange/exchange.ts';
import type { UpstreamLink, UpstreamWire } from '../exchange/wire.ts';
import { bodyKind } from '../http1/request.ts';
import { noHeaders, putLines } from '../http2/fields.ts';
import { lasting } from '../read-buffers.ts';
import { CANCEL, streamOver, type UpstreamSession } from './http2-session.ts';

export interface UpstreamStream extends UpstreamLink {
  owner: UpstreamSession;
  /** Undefined until the request is sent. */
  stream: ClientHttp2Stream | undefined;
  /** What a WebSocket's response must say to have understood (RFC 6455 section 4.2.2). */
  accept: string;
  /** The backend has sent END_STREAM. */
  complete: boolean;
  /** The request's body is whole. */
  whole: boolean;
  trailers: string;
}

export function createStream(owner: UpstreamSession): UpstreamStream {
  return {
    wire: http2Upstream,
    owner,
    pool: owner.pool,
    exchange: undefined,
    connected: owner.ready,
    negotiating: false,
    reused: owner.carried++ > 0,
    paused: false,
    unprocessed: false,
    error: undefined,
    stream: undefined,
    accept: '',
    complete: false,
    whole: false,
    trailers: '',
  };
}

const NO_UPGRADE = 'the backend speaks HTTP/2 and does not take this protocol over it (RFC 8441)';

/** Links that have this table are streams. */
const streamOf = (link: UpstreamLink) => link as UpstreamStream;

const http2Upstream: UpstreamWire = {
  borrows: false,
  begin(link, exchange) {
    const upstream = streamOf(link);
    const { owner } = upstream;
    const headers = headersOf(exchange, owner);
    if (exchange.upgrade !== undefined) {
      if (exchange.upgrade.toLowerCase() !== 'websocket' || !owner.takesWebSockets) return NO_UPGRADE;
      askForWebSocket(upstream, headers);
    }
    const endStream = exchange.requestBody === bodyKind.none && exchange.upgrade === undefined;
    upstream.whole = endStream;
    // Were the stream to end its own body, one that was broken off would end like one that is whole.
    upstream.stream = owner.session.request(headers, { endStream, waitForTrailers: !endStream });
    if (!endStream) upstream.stream.on('wantTrailers', () => endWhole(upstream));
    owner.runtime.streamHandlers.sent(upstream, upstream.stream);
    return undefined;
  },
  data(link, _exchange, bytes, runs) {
    const { stream } = streamOf(link);
    if (!stream || stream.destroyed || stream.writableEnded) return;
    for (let i = 0; i < runs.length; i += 2) stream.write(lasting(bytes.subarray(runs[i]!, runs[i + 1]!)));
  },
  end(link, _exchange, trailers) {
    const upstream = streamOf(link);
    const { stream } = upstream;
    upstream.whole = true;
    upstream.trailers = trailers;
    if (stream && !stream.destroyed && !stream.writableEnded) stream.end();
  },
  flush() {},
  isBlocked(link, bufferBytes) {
    const { stream } = streamOf(link);
    return stream !== undefined && stream.writableLength > bufferBytes;
  },
  setReading(link, reading) {
    if (link.paused !== reading) return;
    link.paused = !reading;
    const { stream } = streamOf(link);
    if (reading) stream?.resume();
    else stream?.pause();
  },
  release(link, exchange) {
    const { stream } = streamOf(link);
    link.exchange = undefined;
    // The response came before the request was whole: nobody needs the rest.
    if (!exchange.requestDone) stream?.close(CANCEL);
    else stream?.resume();
  },
  discard(link) {
    const upstream = streamOf(link);
    link.exchange = undefined;
    if (upstream.stream) upstream.stream.close(CANCEL);
    else streamOver(upstream.owner, upstream);
  },
};

/** The request's fields, and the pseudo-header fields that its line becomes (RFC 9113 section 8.3.1). */
function headersOf({ requestText }: Exchange, { pool }: UpstreamSession): OutgoingHttpHeaders {
  const lineEnd = requestText.indexOf('\r\n');
  const [method = '', path = ''] = requestText.slice(0, lineEnd).split(' ');
  const headers = noHeaders();
  headers[':method'] = method;
  headers[':scheme'] = pool.identity ? 'https' : 'http';
  headers[':authority'] = '';
  headers[':path'] = path;
  putLines(headers, requestText.slice(lineEnd + 2, -2));
  headers[':authority'] = headers['host'] as string;
  for (const name of ['host', 'connection', 'upgrade', 'transfer-encoding']) delete headers[name];
  return headers;
}

/** RFC 8441 section 5: the GET of HTTP/1.1 as a CONNECT. */
function askForWebSocket(upstream: UpstreamStream, headers: OutgoingHttpHeaders): void {
  const key = String(headers['sec-websocket-key'] ?? '');
  upstream.accept = createHash('sha1').update(`${key}${WEBSOCKET_ID}`).digest('base64');
  delete headers['sec-websocket-key'];
  headers[':method'] = 'CONNECT';
  headers[':protocol'] = 'websocket';
}

/** RFC 6455 section 1.3. */
const WEBSOCKET_ID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

function endWhole(upstream: UpstreamStream): void {
  if (!upstream.whole) return;
  const trailers = noHeaders();
  putLines(trailers, upstream.trailers);
  upstream.stream!.sendTrailers(trailers);
}

/** REFUSED_STREAM, also for streams beyond the one that GOAWAY names: nothing was done for the request (section 8.7). */
export const isUnprocessed = (code: number): boolean => code === constants.NGHTTP2_REFUSED_STREAM;
