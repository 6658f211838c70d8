/** Responses to clients that speak HTTP/2, one per stream. */
import type { Exchange } from '../exchange/exchange.ts';
import { clientDrained } from '../exchange/response.ts';
import type { Client, ClientWire } from '../exchange/wire.ts';
import { dropKnown, removeField, writeFields } from '../http1/fields.ts';
import { known } from '../http1/known-fields.ts';
import { type ResponseHead, responseBody } from '../http1/response.ts';
import { noteSent } from '../log/line/notes.ts';
import { resetStream } from './engine/ends.ts';
import { errorCode } from './engine/protocol.ts';
import { abandonRequest, isFull, sendBytes, sendEnd, sendHead, sendText } from './engine/send.ts';
import { type ClientStream, relayHeld } from './stream.ts';

/** Clients that have this table are streams. */
const streamOf = ({ client }: Exchange) => client as ClientStream;

export const http2Wire: ClientWire = {
  protocol: () => 'HTTP/2.0',
  borrows: true,
  interim(exchange, head) {
    const { stream } = streamOf(exchange);
    dropKnown(head.fields, known.contentLength);
    if (!stream.closed) sendHead(stream, head.status, writeFields(head.fields), false);
  },
  head(exchange, head) {
    frame(head);
    const client = streamOf(exchange);
    if (exchange.upgrade !== undefined && head.status < 300) denyTunnel(exchange, head);
    client.status = head.status;
    putHead(exchange, writeFields(head.fields));
    client.whole = head.body === responseBody.none;
  },
  switched(exchange, head) {
    // RFC 8441 section 5: what HTTP/1.1 says with 101 and Sec-WebSocket-Accept, HTTP/2 says with 200.
    dropKnown(head.fields, known.contentLength);
    removeField(head.fields, 'sec-websocket-accept');
    const client = streamOf(exchange);
    client.stream.tunnel = true;
    client.status = 200;
    putHead(exchange, writeFields(head.fields));
  },
  text(exchange, text) {
    streamOf(exchange).text += text;
  },
  data(exchange, bytes, runs, owned) {
    const client = streamOf(exchange);
    push(client);
    for (let i = 0; i < runs.length; i += 2) sendBytes(client.stream, bytes, runs[i]!, runs[i + 1]!, owned);
  },
  end(exchange, trailers) {
    const client = streamOf(exchange);
    client.whole = true;
    client.trailers = trailers;
  },
  answer(exchange, { status, lines, body }) {
    const client = streamOf(exchange);
    client.status = status;
    putHead(exchange, lines);
    client.text = body;
    client.whole = true;
  },
  flush: (client) => flush(client as ClientStream),
  isBlocked: (client) => isBlocked(client as ClientStream),
  refreshReading: (client: Client) => relayHeld(client as ClientStream),
  relayPending(exchange) {
    relayHeld(streamOf(exchange));
    return !exchange.over;
  },
  cut(exchange) {
    resetStream(streamOf(exchange).stream, errorCode.internal);
  },
  done(exchange) {
    const client = streamOf(exchange);
    if (exchange.tunnel) {
      client.whole = true;
      flush(client);
    }
    abandonRequest(client.stream);
  },
};

/** Of the final response. */
function putHead(exchange: Exchange, lines: string): void {
  streamOf(exchange).lines = lines;
  if (exchange.notes) noteSent(exchange.notes, lines);
}

/** Its windows are closed, or the connection that it shares with others is full; `clientDrained` follows. */
function isBlocked(client: ClientStream): boolean {
  const { stream, runtime } = client;
  client.blocked = stream.queued > runtime.settings.relay.bufferBytes || isFull(stream.connection);
  return client.blocked;
}

/** To be called when something has left. */
export function unblock(client: ClientStream): void {
  const { exchange } = client;
  if (exchange && client.blocked && !isBlocked(client)) clientDrained(exchange);
}

/** RFC 8441 section 5: any 2xx would tell the client that its tunnel is open, which over HTTP/1.1 only 101 does. */
function denyTunnel(exchange: Exchange, head: ResponseHead): void {
  head.status = exchange.status = 502;
  exchange.flag ??= 'upstream_protocol';
  exchange.reason ??= 'the backend did not switch protocols';
}

function frame(head: ResponseHead): void {
  const { fields } = head;
  if (head.plainLength && head.status !== 204) return;
  dropKnown(fields, known.contentLength);
  if (head.status !== 204) fields.added += `content-length: ${head.contentLength}\r\n`;
}

/** Hands over what waits, as something that more follows. */
function push(client: ClientStream): void {
  const { stream, status, text } = client;
  if (stream.closed) return;
  if (status !== 0) {
    client.status = 0;
    sendHead(stream, status, client.lines, false);
  }
  if (text !== '') {
    client.text = '';
    sendText(stream, text, false);
  }
}

/** Hands over what waits; the last piece of a message together with its end, which saves a frame. */
function flush(client: ClientStream): void {
  const { stream, status, text, trailers } = client;
  if (!client.whole) {
    push(client);
    return;
  }
  if (stream.closed || stream.localClosed || stream.ending) return;
  client.status = 0;
  client.text = '';
  const isLast = trailers === '';
  if (status !== 0) sendHead(stream, status, client.lines, isLast && text === '');
  if (text !== '') sendText(stream, text, isLast);
  if (!isLast || (status === 0 && text === '')) sendEnd(stream, trailers);
}
