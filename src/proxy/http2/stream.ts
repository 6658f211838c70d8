/** One stream of an HTTP/2 connection: a request, its response, and nothing after that. */
import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { createExchange, type Exchange } from '../exchange/exchange.ts';
import { finish } from '../exchange/finish.ts';
import { reply } from '../exchange/reply.ts';
import { endBody, sendBody } from '../exchange/request-body.ts';
import { beginExchange } from '../exchange/route.ts';
import { tunnelToBackend } from '../exchange/tunnel.ts';
import type { Client } from '../exchange/wire.ts';
import { filterTrailers } from '../http1/trailers.ts';
import { linesOf } from './fields.ts';
import { readRequestHead } from './request-head.ts';
import { type ClientSession, streamClosed } from './session.ts';
import { http2Wire } from './wire.ts';

export interface ClientStream extends Client {
  readonly session: ClientSession;
  readonly stream: ServerHttp2Stream;
  /** What of the response waits for the end of the event that it came with: head, text, then bytes. */
  head: OutgoingHttpHeaders | undefined;
  text: string;
  held: Buffer | undefined;
  /** The body is whole; trailers to send after it. */
  whole: boolean;
  trailers: string;
  /** Trailers of the request, once all of it has come and until that is passed on. */
  received: string | undefined;
  /** Somebody listens for the client to take what waits for it. */
  drains: boolean;
  /** Bytes the client had not taken at the last tick, and since when it has taken none. */
  queued: number;
  stalledSince: number;
}

function createStream(session: ClientSession, stream: ServerHttp2Stream): ClientStream {
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
    head: undefined,
    text: '',
    held: undefined,
    whole: false,
    trailers: '',
    received: undefined,
    drains: false,
    queued: 0,
    stalledSince: 0,
  };
}

/** Begins the exchange of a stream whose head was read. */
export function serveStream(
  session: ClientSession,
  stream: ServerHttp2Stream,
  flags: number,
  raw: readonly string[],
): void {
  const client = createStream(session, stream);
  const { requestHead: head, settings } = client.runtime;
  if (session.streams.size === 0) session.aliveAt = client.runtime.now;
  session.streams.add(client);
  // What an error means is said by the close that follows it.
  stream.on('error', () => {});
  stream.on('close', () => onClose(client));
  const refusal = readRequestHead(head, raw, (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0, settings.client);
  if (refusal) {
    const exchange = createExchange(client, head);
    client.exchange = exchange;
    reply(exchange, { status: refusal.status, flag: 'bad_request', reason: refusal.reason });
    finish(exchange);
    return;
  }
  beginExchange(client, head);
  if (client.exchange && (!client.exchange.requestDone || client.exchange.upgrade !== undefined)) awaitBody(client);
}

/** Body and trailers are read once there is somewhere to pass them on to. */
function awaitBody(client: ClientStream): void {
  const { stream } = client;
  let trailers = '';
  stream.pause();
  stream.on('data', (bytes: Buffer) => onData(client, bytes));
  stream.on('trailers', (_headers: IncomingHttpHeaders, _flags: number, raw?: string[]) => {
    trailers = linesOf(raw ?? []);
  });
  stream.on('end', () => onEnd(client, trailers));
  client.wire.refreshReading(client);
}

const run = [0, 0];

function onData(client: ClientStream, bytes: Buffer): void {
  const { exchange } = client;
  // After an early response what still comes is thrown away.
  if (!exchange) return;
  run[1] = bytes.length;
  if (exchange.tunnel) {
    tunnelToBackend(exchange, bytes, run);
    return;
  }
  if (!sendBody(exchange, bytes, run)) return;
  const { upstream } = exchange;
  upstream!.wire.flush(upstream!);
  client.wire.refreshReading(client);
}

function onEnd(client: ClientStream, trailers: string): void {
  // node:http2 also ends what the client has broken off.
  if (client.stream.aborted) return;
  client.received = filterTrailers(`${trailers}\r\n`) ?? '';
  const upstream = client.exchange?.upstream;
  if (!upstream?.connected) return;
  endReceived(client);
  upstream.wire.flush(upstream);
}

/** Passes on the end of what the client sends; it may come before there is anywhere to pass it on to. */
export function endReceived(client: ClientStream): void {
  const { exchange, received } = client;
  const upstream = exchange?.upstream;
  if (!exchange || !upstream || received === undefined) return;
  client.received = undefined;
  client.ended = exchange.tunnel;
  if (exchange.tunnel) upstream.wire.end(upstream, exchange, '');
  else if (!exchange.requestDone) endBody(exchange, received);
}

/** The stream is done with, or the client has reset it or closed its connection. */
function onClose(client: ClientStream): void {
  client.gone = true;
  const { session, exchange, stream } = client;
  session.streams.delete(client);
  if (exchange) abandon(exchange);
  streamClosed(session, stream.rstCode ?? 0, exchange !== undefined);
}

/** The client will not hear of the rest. */
function abandon(exchange: Exchange): void {
  if (!exchange.tunnel) {
    exchange.flag ??= 'client_closed';
    exchange.reason ??= 'the client closed before the response was complete';
  }
  finish(exchange);
}
