/** One stream of an HTTP/2 connection: a request, its response, and nothing after that. */
import { createExchange, type Exchange } from '../exchange/exchange.ts';
import { fail, finish } from '../exchange/finish.ts';
import { reply } from '../exchange/reply.ts';
import { endBody, sendBody } from '../exchange/request-body.ts';
import { beginExchange } from '../exchange/route.ts';
import { tunnelToBackend } from '../exchange/tunnel.ts';
import type { Client } from '../exchange/wire.ts';
import type { RequestHead } from '../http1/request.ts';
import { filterTrailers } from '../http1/trailers.ts';
import { beginNotes } from '../log/line/notes.ts';
import { createStream, type Stream } from './engine/connection.ts';
import { passHeld } from './engine/receive-data.ts';
import { readRequestHead } from './request-head.ts';
import type { ClientSession } from './session.ts';
import { http2Wire } from './wire.ts';

export interface ClientStream extends Client {
  readonly session: ClientSession;
  readonly stream: Stream;
  /** What of the response waits for the end of the event that it came with: status (0 for none), lines, text. */
  status: number;
  lines: string;
  text: string;
  /** The body is whole; trailers to send after it. */
  whole: boolean;
  trailers: string;
  /** The backend is not read because of the client. */
  blocked: boolean;
  /** Bytes of the response that the client had been sent at the last tick, and since when there were no more. */
  sentBefore: number;
  stalledSince: number;
}

/** Streams of connections to clients have clients as their owners. */
export const clientOf = (stream: Stream): ClientStream => stream.owner as ClientStream;

function createClientStream(session: ClientSession, stream: Stream): ClientStream {
  const { runtime, door, socket, address, trusted, said, serverName } = session;
  return {
    wire: http2Wire,
    runtime,
    door,
    socket,
    address,
    trusted,
    said,
    serverName,
    exchange: undefined,
    ended: false,
    gone: false,
    session,
    stream,
    status: 0,
    lines: '',
    text: '',
    whole: false,
    trailers: '',
    blocked: false,
    sentBefore: 0,
    stalledSince: runtime.now,
  };
}

/** Begins the exchange of a stream whose head was decoded. `whole`: no body follows. */
export function serveStream(session: ClientSession, id: number, whole: boolean): void {
  const { connection } = session;
  const stream = createStream(connection, id);
  const client = createClientStream(session, stream);
  const { requestHead: head, settings } = client.runtime;
  stream.owner = client;
  stream.remoteClosed = whole;
  connection.streams.set(id, stream);
  const refusal = readRequestHead(head, connection.decoder, whole, settings.client);
  if (refusal) {
    refuse(client, head, refusal.status, refusal.reason);
    return;
  }
  if (!whole && head.upgrade === undefined) stream.expected = head.contentLength;
  beginExchange(client, head);
}

function refuse(client: ClientStream, head: RequestHead, status: number, reason: string): void {
  const exchange = createExchange(client, head);
  client.exchange = exchange;
  beginNotes(exchange);
  reply(exchange, { status, flag: 'bad_request', reason });
  finish(exchange);
}

const run = [0, 0];

/** Takes bytes of a request to its backend; false while there is nowhere to pass them on to. See Handlers.takes. */
export function takeBody(stream: Stream, bytes: Buffer, start: number, end: number, last: boolean): boolean {
  const client = clientOf(stream);
  const { exchange } = client;
  // After an early response what still comes is thrown away.
  if (!exchange) return true;
  if (!wantsBytes(exchange, client)) return false;
  run[0] = start;
  run[1] = end;
  if (exchange.tunnel) {
    tunnelToBackend(exchange, bytes, run);
    return true;
  }
  sendBody(exchange, bytes, run);
  const { upstream } = exchange;
  if (!last && !exchange.over) upstream!.wire.flush(upstream!);
  return true;
}

function wantsBytes(exchange: Exchange, { runtime }: Client): boolean {
  const { upstream } = exchange;
  const carriesBody = exchange.tunnel || !exchange.requestDone;
  if (!carriesBody || !upstream?.connected) return false;
  return !upstream.wire.isBlocked(upstream, runtime.settings.relay.bufferBytes);
}

/** Passes on what is held of a body, and its end. */
export function relayHeld(client: ClientStream): void {
  const { stream, exchange } = client;
  if (stream.held && !passHeld(stream)) return;
  if (stream.remoteClosed && !client.ended && exchange) relayEnd(client, exchange);
}

/** The end of a body goes to its backend, once that is there. */
function relayEnd(client: ClientStream, exchange: Exchange): void {
  const { upstream } = exchange;
  const carriesBody = exchange.tunnel || !exchange.requestDone;
  if (!carriesBody || !upstream?.connected) return;
  const trailers = exchange.tunnel ? '' : filterTrailers(`${client.stream.requestTrailers}\r\n`);
  if (trailers === undefined) {
    fail(exchange, 400, 'bad_request', 'the trailers are malformed or too many');
    return;
  }
  client.ended = true;
  if (exchange.tunnel) upstream.wire.end(upstream, exchange, '');
  else endBody(exchange, trailers);
  upstream.wire.flush(upstream);
}

/** The client will not hear of the rest. */
export function abandon(exchange: Exchange): void {
  if (!exchange.tunnel) {
    exchange.flag ??= 'client_closed';
    exchange.reason ??= 'the client closed before the response was complete';
  }
  finish(exchange);
}
