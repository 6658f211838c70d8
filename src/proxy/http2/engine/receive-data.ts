/** Bodies of requests (RFC 9113 section 6.1), within their windows and as long as they said they would be. */

import { wasReset } from './closed-streams.ts';
import type { Connection, Stream } from './connection.ts';
import { countIdle, countReset, countUseful } from './counts.ts';
import { fail, putReset, resetStream } from './ends.ts';
import { createHeldBytes, type HeldBytes, hold, release, unrelease } from './held-bytes.ts';
import { type ErrorCode, errorCode, flag } from './protocol.ts';
import { isIdle } from './receive-control.ts';
import { consume, giveBack } from './windows.ts';

export function receiveData(
  connection: Connection,
  flags: number,
  id: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  const total = end - start;
  const padding = paddingOf(flags, bytes, start, end);
  if (id === 0 || padding < 0) {
    fail(connection, errorCode.protocol);
    return;
  }
  connection.receiveWindow -= total;
  if (connection.receiveWindow < 0) {
    fail(connection, errorCode.flowControl);
    return;
  }
  const stream = connection.streams.get(id);
  if (!stream) {
    receiveForClosed(connection, id, total);
    return;
  }
  const from = padding > 0 ? start + 1 : start;
  const to = from + total - padding;
  const endStream = (flags & flag.endStream) !== 0;
  const problem = check(stream, total, to - from, endStream);
  if (problem === errorCode.none) receiveBody(stream, bytes, from, to, padding, endStream);
  else {
    giveBack(connection, total);
    resetStream(stream, problem);
  }
}

/** Bytes of padding and its length field; negative when there are not as many. */
function paddingOf(flags: number, bytes: Buffer, start: number, end: number): number {
  if ((flags & flag.padded) === 0) return 0;
  if (start === end) return -1;
  const padding = bytes[start]! + 1;
  return start + padding > end ? -1 : padding;
}

/** What is wrong with a frame: `total` bytes, of which `length` are of the body. */
function check(stream: Stream, total: number, length: number, endStream: boolean): ErrorCode {
  if (stream.remoteClosed) return errorCode.streamClosed;
  stream.receiveWindow -= total;
  if (stream.receiveWindow < 0) return errorCode.flowControl;
  if (stream.expected < 0) return errorCode.none;
  stream.expected -= length;
  // Section 8.1.1.
  return stream.expected < 0 || (endStream && stream.expected > 0) ? errorCode.protocol : errorCode.none;
}

function receiveBody(
  stream: Stream,
  bytes: Buffer,
  from: number,
  to: number,
  padding: number,
  endStream: boolean,
): void {
  const { connection } = stream;
  if (to > from) countUseful(connection);
  else if (!endStream && !countIdle(connection)) return;
  if (endStream) stream.remoteClosed = true;
  if (padding > 0) consume(stream, padding);
  if (to > from) pass(stream, bytes, from, to, endStream);
  if (endStream && !stream.closed) connection.handlers.ended(stream);
}

/** Body bytes go on at once, or are held behind those that could not. */
function pass(stream: Stream, bytes: Buffer, from: number, to: number, last: boolean): void {
  const { connection } = stream;
  if (!stream.held && connection.handlers.takes(stream, bytes, from, to, last)) {
    consume(stream, to - from);
    return;
  }
  if (stream.closed) {
    giveBack(connection, to - from);
    return;
  }
  stream.held ??= createHeldBytes();
  hold(stream.held, bytes, from, to);
  connection.heldBytes += to - from;
}

/** Offers what is held again; true when nothing is left of it. */
export function passHeld(stream: Stream): boolean {
  const { connection } = stream;
  for (let { held } = stream; held; held = stream.held) {
    const bytes = release(held);
    if (!bytes) {
      stream.held = undefined;
      return true;
    }
    if (!connection.handlers.takes(stream, bytes, 0, bytes.length, false)) {
      putBack(stream, held, bytes);
      return false;
    }
    connection.heldBytes -= bytes.length;
    consume(stream, bytes.length);
  }
  return true;
}

function putBack({ connection, closed }: Stream, held: HeldBytes, bytes: Buffer): void {
  if (closed) {
    connection.heldBytes -= bytes.length;
    giveBack(connection, bytes.length);
  } else unrelease(held, bytes);
}

/** What was on its way when the stream was reset; otherwise section 5.1 calls it an error. */
function receiveForClosed(connection: Connection, id: number, total: number): void {
  if (isIdle(connection, id)) {
    fail(connection, errorCode.protocol);
    return;
  }
  giveBack(connection, total);
  if (wasReset(connection.resetStreams, id)) {
    if (total === 0) countIdle(connection);
    return;
  }
  putReset(connection, id, errorCode.streamClosed);
  countReset(connection);
}
