/** Connections that speak HTTP/1.1: reading heads, one exchange at a time, in the order in which the requests came. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { createExchange } from '../exchange/exchange.ts';
import { cut, finish } from '../exchange/finish.ts';
import { reply } from '../exchange/reply.ts';
import { clientDrained } from '../exchange/response.ts';
import { beginExchange } from '../exchange/route.ts';
import { CR, LF } from '../http1/characters.ts';
import { bodyKind, INCOMPLETE, parseRequestHead, type Refusal } from '../http1/request.ts';
import { takeOver } from '../http2/session.ts';
import { beginNotes } from '../log/line/notes.ts';
import { isBlocked } from '../outbox.ts';
import { createReader, lasting, type Reader, SHARED_BYTES } from '../read-buffers.ts';
import { readInto, withOnread } from './accepted.ts';
import { onChunk } from './chunks.ts';
import { type Arrival, type ClientConnection, closeClient, createClient } from './client.ts';
import { createHttp1Wire } from './http1-wire.ts';
import { refreshReading } from './reading.ts';
import { relayRequestBody, relayTunnel } from './request-body.ts';
import { http1Conduct } from './sweep.ts';

const wire = createHttp1Wire(nextRequest);

/** Takes a connection into service. */
export function serveHttp1(arrival: Arrival): void {
  const reader = createReader(
    arrival.runtime.readBuffers,
    (bytes, length) => pass(client, bytes.subarray(0, length)),
    (length) => isBulk(client, length),
  );
  const { socket, isRead } = readBy(reader, arrival);
  const client = begin(isRead ? { ...arrival, socket } : arrival);
  if (isRead) {
    socket.on('close', reader.close);
    return;
  }
  onChunk(socket, (chunk) => pass(client, chunk));
  if (arrival.untouched) socket.resume();
}

/** The connection's socket, and whether it is read into memory of ours: not where node:net does not let us. */
function readBy(
  { onread }: Reader,
  { socket, untouched }: Arrival,
): { readonly socket: Socket; readonly isRead: boolean } {
  const other = untouched ? withOnread(socket, onread) : undefined;
  if (other) return { socket: other, isRead: true };
  return { socket, isRead: !untouched && socket instanceof TLSSocket && readInto(socket, onread) };
}

function begin(arrival: Arrival): ClientConnection {
  const { socket } = arrival;
  const client = createClient(arrival, wire, http1Conduct);
  arrival.runtime.connections.add(client);
  socket.on('end', () => onEnd(client));
  socket.on('drain', () => onDrain(client));
  // What an error means is said by the close that follows it.
  socket.on('error', () => {});
  socket.on('close', () => onClose(client));
  return client;
}

/** What was read, perhaps into memory that the next event writes over. */
function pass(client: ClientConnection, chunk: Buffer): void {
  if (client.heir) {
    client.heir(chunk);
    return;
  }
  onData(client, chunk);
  if (client.pending) client.pending = lasting(client.pending);
}

/** Whether much of a request's body is still to come, as far as that can be told; what was read last has `length` bytes. */
function isBulk({ exchange }: ClientConnection, length: number): boolean {
  if (!exchange?.upstream?.connected || !exchange.upstream.wire.borrows) return false;
  if (!exchange.tunnel && exchange.requestDone) return false;
  const known = exchange.requestBody === bodyKind.length && !exchange.tunnel;
  return known ? exchange.requestLeft >= SHARED_BYTES : length >= SHARED_BYTES / 2;
}

function onData(client: ClientConnection, chunk: Buffer): void {
  if (client.lingering || client.gone) return;
  const { exchange } = client;
  if (!exchange) receiveHead(client, chunk);
  else if (exchange.tunnel) relayTunnel(exchange, chunk);
  else receiveMore(client, chunk);
}

/** Bytes of a head, with which a request may begin. */
function receiveHead(client: ClientConnection, chunk: Buffer): void {
  const { runtime, pending } = client;
  if (!pending) {
    client.pending = chunk;
    client.deadline = runtime.now + runtime.settings.client.headTimeoutMs;
  } else {
    client.pending = Buffer.concat([pending, chunk]);
    if (!mayComplete(client, chunk)) return;
  }
  serve(client);
}

/** Whether reading a half head again could tell more than last time; a head that drips in is not scanned at every drop. */
function mayComplete(client: ClientConnection, chunk: Buffer): boolean {
  const { maxHeadBytes, maxTargetBytes } = client.runtime.settings.client;
  const { length } = client.pending!;
  if (chunk.includes(10) || length >= maxHeadBytes) return true;
  return length > maxTargetBytes && !client.pending!.includes(10);
}

/** Bytes while an exchange is on: of its body, or of requests to come. */
function receiveMore(client: ClientConnection, chunk: Buffer): void {
  const exchange = client.exchange!;
  const { upstream } = exchange;
  if (exchange.requestDone || !upstream?.connected || client.pending) {
    client.pending = client.pending ? Buffer.concat([client.pending, chunk]) : chunk;
    refreshReading(client);
    return;
  }
  const at = relayRequestBody(exchange, chunk, 0);
  if (at < 0) return;
  if (at < chunk.length) client.pending = chunk.subarray(at);
  upstream.wire.flush(upstream);
  refreshReading(client);
}

/** Serves what is there, request by request, until one takes time. */
export function serve(client: ClientConnection): void {
  if (client.serving || client.gone) return;
  const { runtime, socket } = client;
  const { bufferBytes } = runtime.settings.relay;
  client.serving = true;
  let burst = 0;
  let waiting = false;
  while (!client.exchange && client.pending && !client.lingering && !waiting) {
    if (isBlocked(socket, bufferBytes)) waiting = true;
    else if (burst++ >= runtime.settings.client.maxPipelinedBurst) {
      waiting = true;
      setImmediate(serve, client);
    } else if (!readRequest(client)) break;
  }
  client.serving = false;
  if (client.ended && !client.exchange && !waiting) closeClient(client);
  refreshReading(client);
}

/** False when the head is not complete yet. */
function readRequest(client: ClientConnection): boolean {
  const { runtime } = client;
  const { requestHead: head, settings } = runtime;
  const bytes = client.pending!;
  if (client.fresh && !isHttp1(client, bytes)) return false;
  const outcome = parseRequestHead(bytes, head, settings.client);
  if (outcome === INCOMPLETE) {
    // A line end after a body is no beginning of a request (RFC 9112 section 2.2).
    if (bytes.length === 2 && bytes[0] === CR && bytes[1] === LF) {
      client.pending = undefined;
      client.deadline = client.idleUntil;
    }
    return false;
  }
  if (outcome) {
    refuse(client, outcome);
    return true;
  }
  client.pending = head.length < bytes.length ? bytes.subarray(head.length) : undefined;
  beginExchange(client, head);
  return true;
}

/** False when the connection begins with the preface of HTTP/2 (RFC 9113 section 3.4), or with a part of it so far. */
function isHttp1(client: ClientConnection, bytes: Buffer): boolean {
  const { length } = bytes;
  if (length < preface.length ? preface.startsWith(bytes.toString('latin1')) : bytes[0] === preface.charCodeAt(0)) {
    if (length < preface.length) return false;
    if (bytes.toString('latin1', 0, preface.length) === preface) {
      becomeHttp2(client, bytes);
      return false;
    }
  }
  client.fresh = false;
  return true;
}

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** Takes the connection out of our hands, with what was read of it. */
function becomeHttp2(client: ClientConnection, bytes: Buffer): void {
  client.gone = true;
  client.pending = undefined;
  client.runtime.connections.delete(client);
  client.heir = takeOver(client);
  client.heir(bytes);
}

/** Answers what is no request, and closes: where the next one would begin is anyone's guess. */
export function refuse(client: ClientConnection, refusal: Refusal): void {
  const exchange = createExchange(client, client.runtime.requestHead);
  exchange.requestDone = true;
  exchange.close = true;
  client.exchange = exchange;
  client.pending = undefined;
  beginNotes(exchange);
  reply(exchange, { status: refusal.status, flag: 'bad_request', reason: refusal.reason });
  finish(exchange);
}

/** Goes on with a connection whose exchange is over. */
function nextRequest(client: ClientConnection): void {
  const { now, settings } = client.runtime;
  client.idleUntil = now + settings.client.keepAliveTimeoutMs;
  client.deadline = client.pending ? now + settings.client.headTimeoutMs : client.idleUntil;
  if (client.pending) serve(client);
  else if (client.paused) refreshReading(client);
}

/** The client has closed its sending side; it may still wait for responses. */
function onEnd(client: ClientConnection): void {
  client.ended = true;
  const { exchange, runtime } = client;
  if (!exchange) {
    serve(client);
    return;
  }
  const { upstream } = exchange;
  if (exchange.tunnel) upstream?.wire.end(upstream, exchange, '');
  else if (!exchange.requestDone && upstream?.connected) {
    cut(exchange, 'client_closed', 'the client closed before its request was complete');
  } else client.deadline = runtime.now + runtime.settings.client.halfCloseGraceMs;
}

function onDrain(client: ClientConnection): void {
  // It may hold as much again at the next look.
  client.queued = 0;
  const { exchange } = client;
  if (!exchange) {
    if (!client.lingering) serve(client);
    return;
  }
  clientDrained(exchange);
}

function onClose(client: ClientConnection): void {
  client.gone = true;
  client.pending = undefined;
  client.runtime.connections.delete(client);
  const { exchange } = client;
  if (!exchange) return;
  if (!exchange.tunnel) {
    exchange.flag ??= 'client_closed';
    exchange.reason ??= 'the client closed before the response was complete';
  }
  finish(exchange);
}
