/** Field blocks (RFC 9113 sections 4.3, 6.2 and 6.10): heads of requests, and trailers. */

import { wasReset } from './closed-streams.ts';
import { type Connection, memoryOf, type Stream } from './connection.ts';
import { countIdle, countReset, countUseful } from './counts.ts';
import { fail, putReset, resetStream } from './ends.ts';
import { type Decoder, decodeBlock, forgetFields } from './hpack/decoder.ts';
import { fieldKind } from './hpack/field.ts';
import { type ErrorCode, errorCode, flag } from './protocol.ts';

const PRIORITY_BYTES = 5;

export function receiveHeaders(
  connection: Connection,
  flags: number,
  id: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  const isPadded = (flags & flag.padded) !== 0;
  const from = start + (isPadded ? 1 : 0) + (flags & flag.priority ? PRIORITY_BYTES : 0);
  const to = isPadded && start < end ? end - bytes[start]! : end;
  if ((id & 1) === 0 || from > to) {
    fail(connection, errorCode.protocol);
    return;
  }
  const endStream = (flags & flag.endStream) !== 0;
  if (flags & flag.endHeaders) {
    receiveBlock(connection, id, endStream, bytes, from, to);
    return;
  }
  // A copy: the chunk that it came in may be much larger.
  connection.block = { stream: id, endStream, parts: [Buffer.from(bytes.subarray(from, to))], bytes: to - from };
}

export function receiveContinuation(
  connection: Connection,
  flags: number,
  id: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  const { block } = connection;
  if (!block || id !== block.stream) {
    fail(connection, errorCode.protocol);
    return;
  }
  const { client, http2 } = connection.settings;
  block.bytes += end - start;
  if (block.parts.length > http2.maxContinuations || block.bytes > 2 * client.maxHeadBytes) {
    fail(connection, errorCode.enhanceYourCalm);
    return;
  }
  block.parts.push(Buffer.from(bytes.subarray(start, end)));
  if ((flags & flag.endHeaders) === 0) return;
  connection.block = undefined;
  const whole = Buffer.concat(block.parts);
  receiveBlock(connection, id, block.endStream, whole, 0, whole.length);
}

/** A whole block. It is decoded whatever becomes of it, so that the tables of both sides stay equal. */
function receiveBlock(
  connection: Connection,
  id: number,
  endStream: boolean,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  if (!decodeBlock(connection.decoder, bytes, start, end)) {
    fail(connection, errorCode.compression);
    return;
  }
  takeBlock(connection, id, endStream);
  forgetFields(connection.decoder);
}

function takeBlock(connection: Connection, id: number, endStream: boolean): void {
  const stream = connection.streams.get(id);
  if (stream) receiveTrailers(stream, endStream);
  else if (id > connection.lastStream) open(connection, id, endStream);
  // What was on its way when the stream was reset.
  else if (wasReset(connection.resetStreams, id)) countIdle(connection);
  else fail(connection, errorCode.streamClosed);
}

function open(connection: Connection, id: number, endStream: boolean): void {
  connection.lastStream = id;
  connection.burst--;
  const refusal = refusalOf(connection);
  if (refusal === errorCode.none) {
    countUseful(connection);
    connection.handlers.opened(connection, id, endStream);
    return;
  }
  putReset(connection, id, refusal);
  // A client that does not know the bound yet may go beyond it.
  if (connection.acknowledged) countReset(connection);
}

/** Sections 5.1.2 and 6.8: streams that were not touched, so that the client may send them again. */
function refusalOf(connection: Connection): ErrorCode {
  const { http2 } = connection.settings;
  if (connection.going || connection.streams.size >= http2.maxConcurrentStreams) return errorCode.refusedStream;
  return memoryOf(connection) > http2.maxSessionBytes ? errorCode.enhanceYourCalm : errorCode.none;
}

/** Section 8.1: a second head ends the request. */
function receiveTrailers(stream: Stream, endStream: boolean): void {
  const { connection } = stream;
  if (stream.remoteClosed) {
    resetStream(stream, errorCode.streamClosed);
    return;
  }
  const lines = endStream && stream.expected <= 0 ? trailerLines(connection.decoder) : undefined;
  if (lines === undefined || lines.length > connection.settings.relay.maxTrailerBytes) {
    resetStream(stream, errorCode.protocol);
    return;
  }
  stream.requestTrailers = lines;
  stream.remoteClosed = true;
  connection.handlers.ended(stream);
}

/** Lines, each with its CRLF; undefined when they are malformed. */
function trailerLines({ fields, count, overflow }: Decoder): string | undefined {
  if (overflow) return undefined;
  let lines = '';
  for (let i = 0; i < count; i++) {
    const { name, value, isValid } = fields[i]!;
    const isField =
      name.kind === fieldKind.regular || name.kind === fieldKind.cookie || name.kind >= fieldKind.contentType;
    if (!isValid || !isField || name.kind === fieldKind.connection || name.text === 'content-length') return undefined;
    lines += `${name.text}: ${value}\r\n`;
  }
  return lines;
}
