/** Responses to clients that speak HTTP/1.1: framed anew, and the connection kept or closed after them. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { putRuns } from '../exchange/chunks.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Client, ClientWire } from '../exchange/wire.ts';
import { dropKnown, writeFields } from '../http1/fields.ts';
import { known } from '../http1/known-fields.ts';
import { bodyKind } from '../http1/request.ts';
import { type ResponseHead, responseBody, statusLine } from '../http1/response.ts';
import { reasonPhrase } from '../http1/status.ts';
import { noteSent } from '../log/line/notes.ts';
import { flush, isBlocked } from '../outbox.ts';
import { type ClientConnection, closeClient } from './client.ts';
import { refreshReading } from './reading.ts';
import { relayPending } from './request-body.ts';

/** Clients that have this table are connections. */
const connectionOf = ({ client }: Exchange) => client as ClientConnection;

/** `nextRequest` goes on with a connection whose exchange is over. */
export function createHttp1Wire(nextRequest: (client: ClientConnection) => void): ClientWire {
  return {
    protocol: ({ minor }) => (minor === 0 ? 'HTTP/1.0' : 'HTTP/1.1'),
    borrows: true,
    interim(exchange, head) {
      // RFC 9110 section 15.2: an HTTP/1.0 client would take it for the final one.
      if (exchange.minor === 0) return;
      // RFC 9110 section 8.6: a 1xx has no Content-Length.
      dropKnown(head.fields, known.contentLength);
      connectionOf(exchange).out.text += writeHead(head);
    },
    head(exchange, head) {
      frame(exchange, head);
      head.fields.added += connectionLine(exchange);
      putHead(exchange, writeHead(head));
    },
    switched(exchange, head, protocol) {
      dropKnown(head.fields, known.contentLength);
      head.fields.added += `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n`;
      putHead(exchange, writeHead(head));
    },
    text(exchange, text) {
      connectionOf(exchange).out.text += text;
    },
    data(exchange, bytes, runs, owned) {
      putRuns(connectionOf(exchange).out, bytes, runs, exchange.chunkedOut, owned);
    },
    end(exchange, trailers) {
      const { out, socket } = connectionOf(exchange);
      if (exchange.tunnel) socket.end();
      else if (exchange.chunkedOut) out.text += `0\r\n${trailers}\r\n`;
    },
    answer(exchange, { status, lines, body }) {
      const client = connectionOf(exchange);
      absorbBody(exchange, client);
      decideClose(exchange);
      putHead(exchange, `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${lines}${connectionLine(exchange)}\r\n`);
      client.out.text += body;
    },
    flush: (client) => flush((client as ClientConnection).out),
    isBlocked: (client) => isBlocked((client as ClientConnection).socket, client.runtime.settings.relay.bufferBytes),
    refreshReading: refreshReading as (client: Client) => void,
    relayPending,
    cut(exchange) {
      const { socket } = connectionOf(exchange);
      // To a client that waits for the end of the connection, an orderly end would look like success.
      if (exchange.closeDelimited && canReset(socket)) socket.resetAndDestroy();
      else socket.destroy();
    },
    done(exchange) {
      const client = connectionOf(exchange);
      if (mustClose(exchange, client)) closeClient(client);
      else nextRequest(client);
    },
  };
}

/** Of the final response. */
function putHead(exchange: Exchange, head: string): void {
  connectionOf(exchange).out.text += head;
  if (exchange.notes) noteSent(exchange.notes, head);
}

/** Status line and fields, in one piece where the backend's own status line will do. */
function writeHead(head: ResponseHead): string {
  const { fields } = head;
  return head.plainLine ? `${writeFields(fields, 0)}\r\n` : `${statusLine(head)}${writeFields(fields)}\r\n`;
}

function frame(exchange: Exchange, head: ResponseHead): void {
  const { fields } = head;
  decideClose(exchange);
  if (head.body === responseBody.chunked || head.body === responseBody.untilClose) {
    if (exchange.minor === 1) {
      exchange.chunkedOut = true;
      fields.added += 'Transfer-Encoding: chunked\r\n';
    } else {
      exchange.close = true;
      exchange.closeDelimited = true;
    }
  }
  if (!exchange.chunkedOut || head.body !== responseBody.chunked) dropKnown(fields, known.trailer);
  // RFC 9110 section 8.6: a 204 has no Content-Length.
  if (head.plainLength && head.status !== 204) return;
  dropKnown(fields, known.contentLength);
  if (head.status !== 204) fields.added += `Content-Length: ${head.contentLength}\r\n`;
}

/** Whether the response is the last on its connection. */
function decideClose(exchange: Exchange): void {
  const { runtime, door } = exchange.client;
  if (!exchange.requestDone || runtime.closing || door.removed) exchange.close = true;
}

/** What the client needs to know about the connection; nothing for HTTP/1.1 that stays open. */
function connectionLine(exchange: Exchange): string {
  if (exchange.close) return 'Connection: close\r\n';
  return exchange.minor === 0 ? 'Connection: keep-alive\r\n' : '';
}

/** Takes a body that has arrived whole out of the way, so that the connection can go on. */
function absorbBody(exchange: Exchange, client: ClientConnection): void {
  const { pending } = client;
  if (exchange.requestDone || exchange.requestBody !== bodyKind.length || !pending) return;
  if (pending.length < exchange.requestLeft) return;
  client.pending = pending.length > exchange.requestLeft ? pending.subarray(exchange.requestLeft) : undefined;
  exchange.requestDone = true;
}

function mustClose(exchange: Exchange, client: ClientConnection): boolean {
  return (
    exchange.close ||
    !exchange.requestDone ||
    client.runtime.closing ||
    client.door.removed ||
    (client.ended && client.pending === undefined)
  );
}

function canReset(socket: Socket): boolean {
  return !(socket instanceof TLSSocket) && !socket.destroyed && !socket.connecting;
}
