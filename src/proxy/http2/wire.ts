/** Responses to clients that speak HTTP/2, one per stream. */
import { constants, type OutgoingHttpHeaders } from 'node:http2';
import { totalOf } from '../exchange/chunks.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { clientDrained } from '../exchange/response.ts';
import type { Client, ClientWire } from '../exchange/wire.ts';
import { dropKnown, writeFields } from '../http1/fields.ts';
import { known } from '../http1/known-fields.ts';
import { type ResponseHead, responseBody } from '../http1/response.ts';
import { putLines } from './fields.ts';
import { type ClientStream, endReceived } from './stream.ts';

/** Clients that have this table are streams. */
const streamOf = ({ client }: Exchange) => client as ClientStream;

export const http2Wire: ClientWire = {
  protocol: () => 'HTTP/2.0',
  borrows: false,
  interim(exchange, head) {
    const { stream } = streamOf(exchange);
    dropKnown(head.fields, known.contentLength);
    if (!stream.destroyed && !stream.headersSent) stream.additionalHeaders(headersOf(head.status, head));
  },
  head(exchange, head) {
    frame(head);
    const client = streamOf(exchange);
    client.head = headersOf(head.status, head);
    client.whole = head.body === responseBody.none;
  },
  switched(exchange, head) {
    // RFC 8441 section 5: what HTTP/1.1 says with 101 and Sec-WebSocket-Accept, HTTP/2 says with 200.
    dropKnown(head.fields, known.contentLength);
    const headers = headersOf(200, head);
    delete headers['sec-websocket-accept'];
    streamOf(exchange).head = headers;
  },
  text(exchange, text) {
    streamOf(exchange).text += text;
  },
  data(exchange, bytes, runs, owned) {
    const client = streamOf(exchange);
    push(client);
    client.held = pieceOf(bytes, runs, owned);
  },
  end(exchange, trailers) {
    const client = streamOf(exchange);
    client.whole = true;
    client.trailers = trailers;
  },
  answer(exchange, { status, lines, body }) {
    const client = streamOf(exchange);
    const headers: OutgoingHttpHeaders = { ':status': status };
    putLines(headers, lines);
    client.head = headers;
    client.text = body;
    client.whole = true;
  },
  flush: (client) => flush(client as ClientStream),
  isBlocked: (client) => (client as ClientStream).stream.writableLength > client.runtime.settings.relay.bufferBytes,
  refreshReading,
  // Data is not read before there is somewhere to pass it on to; its end may come all the same.
  relayPending({ client }) {
    endReceived(client as ClientStream);
    return true;
  },
  cut(exchange) {
    const { stream } = streamOf(exchange);
    if (!stream.destroyed) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  },
  done(exchange) {
    const client = streamOf(exchange);
    const { stream } = client;
    if (stream.destroyed) return;
    if (exchange.tunnel) {
      client.whole = true;
      flush(client);
    }
    // RFC 9113 section 8.1: the client may stop sending; what it has sent still counts against its windows.
    else if (!exchange.requestDone) {
      stream.resume();
      stream.close(constants.NGHTTP2_NO_ERROR);
    }
  },
};

function frame(head: ResponseHead): void {
  const { fields } = head;
  if (head.plainLength && head.status !== 204) return;
  dropKnown(fields, known.contentLength);
  if (head.status !== 204) fields.added += `content-length: ${head.contentLength}\r\n`;
}

function headersOf(status: number, head: ResponseHead): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { ':status': status };
  putLines(headers, writeFields(head.fields));
  return headers;
}

/**
 * One piece of what the runs hold, which lasts. Bytes are not lent to streams (read-buffers.ts): of one that is reset,
 * node:http2 calls back while it may still be writing.
 */
function pieceOf(bytes: Buffer, runs: readonly number[], owned: boolean): Buffer {
  if (owned && runs.length === 2) return bytes.subarray(runs[0]!, runs[1]!);
  const piece = Buffer.allocUnsafe(totalOf(runs));
  let at = 0;
  for (let i = 0; i < runs.length; i += 2) at += bytes.copy(piece, at, runs[i]!, runs[i + 1]!);
  return piece;
}

/** Hands over what waits, as something that more follows. */
function push(client: ClientStream): void {
  const { stream, head } = client;
  if (stream.destroyed) return;
  if (head) {
    client.head = undefined;
    respondFirst(client, head);
  }
  if (client.text !== '') {
    const { text } = client;
    client.text = '';
    write(client, text);
  }
  const { held } = client;
  client.held = undefined;
  if (held) write(client, held);
}

/** Hands over what waits; the last piece of a body together with its end, which saves a frame. */
function flush(client: ClientStream): void {
  if (!client.whole) {
    push(client);
    return;
  }
  const { stream, head, text, held } = client;
  // node:http2 ends streams of HEAD requests by itself.
  if (stream.destroyed || (stream.writableEnded && !head)) return;
  client.head = undefined;
  client.text = '';
  client.held = undefined;
  if (head) {
    const endStream = text === '' && !held && client.trailers === '';
    if (client.trailers !== '') respondFirst(client, head);
    else stream.respond(head, { endStream });
    if (endStream) return;
  }
  if (text !== '' && held) stream.write(text, 'latin1');
  if (held) stream.end(held);
  else if (text !== '') stream.end(text, 'latin1');
  else stream.end();
}

/**
 * Sends a head that more follows. Were the stream to end its own body, one that was broken off would end like one that
 * is whole: node:http2 closes the writable side before it resets a stream.
 */
function respondFirst(client: ClientStream, headers: OutgoingHttpHeaders): void {
  const { stream } = client;
  stream.on('wantTrailers', () => {
    if (!client.whole) return;
    const trailers: OutgoingHttpHeaders = {};
    putLines(trailers, client.trailers);
    stream.sendTrailers(trailers);
  });
  stream.respond(headers, { waitForTrailers: true });
}

function write(client: ClientStream, piece: string | Buffer): void {
  const { stream } = client;
  const goesOn = typeof piece === 'string' ? stream.write(piece, 'latin1') : stream.write(piece);
  if (goesOn || client.drains) return;
  client.drains = true;
  stream.on('drain', () => onDrain(client));
}

function onDrain(client: ClientStream): void {
  const { exchange } = client;
  if (exchange) clientDrained(exchange);
}

/** A stream is read while what it carries has somewhere to go; what is not read fills its window. */
function refreshReading(client: Client): void {
  const { stream, exchange } = client as ClientStream;
  if (stream.destroyed || !exchange) return;
  const wants = wantsBytes(exchange, client);
  if (wants === stream.isPaused()) {
    if (wants) stream.resume();
    else stream.pause();
  }
}

function wantsBytes(exchange: Exchange, { runtime }: Client): boolean {
  const { upstream } = exchange;
  const carriesBody = exchange.tunnel || !exchange.requestDone;
  if (!carriesBody || !upstream?.connected) return false;
  return !upstream.wire.isBlocked(upstream, runtime.settings.relay.bufferBytes);
}
