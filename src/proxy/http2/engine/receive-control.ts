/** Frames that carry nothing of a message: SETTINGS, PING, GOAWAY, WINDOW_UPDATE, RST_STREAM, PRIORITY. */

import { rememberReset } from './closed-streams.ts';
import { type Connection, put, type Stream } from './connection.ts';
import { countIdle } from './counts.ts';
import { beginEnd, closeStream, END_PING, fail, resetStream } from './ends.ts';
import { frameHead } from './frames.ts';
import { setTableSize } from './hpack/encoder.ts';
import { errorCode, flag, frameType, MAX_31_BITS, MAX_FRAME_BYTES, setting } from './protocol.ts';
import { pump } from './send.ts';

/** The stream has never been opened (section 5.1); those of the server never are. */
export const isIdle = ({ lastStream }: Connection, id: number): boolean => id > lastStream || (id & 1) === 0;

const read32 = (bytes: Buffer, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;

/** Section 6.5. */
export function receiveSettings(
  connection: Connection,
  flags: number,
  id: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  const length = end - start;
  if (id !== 0) fail(connection, errorCode.protocol);
  else if (length % 6 !== 0 || (flags & flag.ack && length > 0)) fail(connection, errorCode.frameSize);
  else if (flags & flag.ack) connection.acknowledged = true;
  else if (countIdle(connection)) applySettings(connection, bytes, start, end);
}

function applySettings(connection: Connection, bytes: Buffer, start: number, end: number): void {
  connection.begun = true;
  let window = connection.peerWindow;
  for (let at = start; at < end; at += 6) {
    const id = (bytes[at]! << 8) | bytes[at + 1]!;
    const value = read32(bytes, at + 2);
    const problem = checkSetting(id, value);
    if (problem !== errorCode.none) {
      fail(connection, problem);
      return;
    }
    if (id === setting.initialWindowSize) window = value;
    else if (id === setting.maxFrameSize) connection.peerFrameBytes = Math.min(value, MAX_SENT_FRAME_BYTES);
    else if (id === setting.headerTableSize) setTableSize(connection.encoder, value);
  }
  put(connection, frameHead(0, frameType.settings, flag.ack, 0));
  if (window !== connection.peerWindow) moveWindows(connection, window);
}

/** Larger ones would keep other streams waiting. */
const MAX_SENT_FRAME_BYTES = 65_536;

/** Section 6.5.2. */
function checkSetting(id: number, value: number) {
  if (id === setting.initialWindowSize) return value > MAX_31_BITS ? errorCode.flowControl : errorCode.none;
  if (id === setting.maxFrameSize)
    return value < MAX_FRAME_BYTES || value > 0xff_ffff ? errorCode.protocol : errorCode.none;
  const isSwitch = id === setting.enablePush || id === setting.enableConnectProtocol;
  return isSwitch && value > 1 ? errorCode.protocol : errorCode.none;
}

/** Section 6.9.2. */
function moveWindows(connection: Connection, window: number): void {
  const change = window - connection.peerWindow;
  connection.peerWindow = window;
  for (const stream of connection.streams.values()) {
    stream.sendWindow += change;
    if (stream.sendWindow > MAX_31_BITS) {
      fail(connection, errorCode.flowControl);
      return;
    }
  }
  pump(connection);
}

/** Section 6.7. */
export function receivePing(
  connection: Connection,
  flags: number,
  id: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  if (id !== 0) fail(connection, errorCode.protocol);
  else if (end - start !== 8) fail(connection, errorCode.frameSize);
  else if (flags & flag.ack) receivePong(connection, bytes.toString('latin1', start, end));
  else if (countIdle(connection))
    put(connection, frameHead(8, frameType.ping, flag.ack, 0) + bytes.toString('latin1', start, end));
}

function receivePong(connection: Connection, payload: string): void {
  if (!countIdle(connection)) return;
  // The client has read that the connection will end, and with it what it has sent before.
  if (connection.announced && payload === END_PING) beginEnd(connection);
}

/** Section 6.8. */
export function receiveGoaway(
  connection: Connection,
  _flags: number,
  id: number,
  _bytes: Buffer,
  start: number,
  end: number,
): void {
  if (id !== 0) fail(connection, errorCode.protocol);
  else if (end - start < 8) fail(connection, errorCode.frameSize);
  else if (countIdle(connection)) connection.peerGoing = true;
}

/** Section 6.9. */
export function receiveWindowUpdate(
  connection: Connection,
  _flags: number,
  id: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  if (end - start !== 4) {
    fail(connection, errorCode.frameSize);
    return;
  }
  if (!countIdle(connection)) return;
  const increment = read32(bytes, start) & MAX_31_BITS;
  if (id === 0) widenConnection(connection, increment);
  else {
    const stream = connection.streams.get(id);
    if (stream) widenStream(stream, increment);
    else if (isIdle(connection, id)) fail(connection, errorCode.protocol);
  }
}

function widenConnection(connection: Connection, increment: number): void {
  connection.sendWindow += increment;
  if (increment === 0) fail(connection, errorCode.protocol);
  else if (connection.sendWindow > MAX_31_BITS) fail(connection, errorCode.flowControl);
  else if (connection.waiting.size > 0) pump(connection);
}

function widenStream(stream: Stream, increment: number): void {
  stream.sendWindow += increment;
  if (increment === 0) resetStream(stream, errorCode.protocol);
  else if (stream.sendWindow > MAX_31_BITS) resetStream(stream, errorCode.flowControl);
  else if (stream.queued > 0) pump(stream.connection);
}

/** Section 6.4. */
export function receiveReset(
  connection: Connection,
  _flags: number,
  id: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  if (end - start !== 4) {
    fail(connection, errorCode.frameSize);
    return;
  }
  const stream = connection.streams.get(id);
  if (stream) {
    rememberReset(connection.resetStreams, id);
    closeStream(stream, read32(bytes, start));
  } else if (isIdle(connection, id)) fail(connection, errorCode.protocol);
  else countIdle(connection);
}

/** Section 5.3.2: priorities of this kind are no longer in use. */
export function receivePriority(
  connection: Connection,
  _flags: number,
  id: number,
  _bytes: Buffer,
  start: number,
  end: number,
): void {
  if (id === 0) {
    fail(connection, errorCode.protocol);
    return;
  }
  const stream = connection.streams.get(id);
  if (!countIdle(connection) || end - start === 5) return;
  if (stream) resetStream(stream, errorCode.frameSize);
  else fail(connection, errorCode.frameSize);
}
