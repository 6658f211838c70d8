/** What a client sends, frame by frame (RFC 9113 section 6): to each type its handler, and what holds for all of them. */
import type { Connection } from './connection.ts';
import { countIdle } from './counts.ts';
import { fail } from './ends.ts';
import { outcome, readFrames, type TakeFrame } from './frames.ts';
import { errorCode, flag, frameType } from './protocol.ts';
import {
  receiveGoaway,
  receivePing,
  receivePriority,
  receiveReset,
  receiveSettings,
  receiveWindowUpdate,
} from './receive-control.ts';
import { receiveData } from './receive-data.ts';
import { receiveContinuation, receiveHeaders } from './receive-headers.ts';

/** A frame's payload is `bytes[start, end)`. */
export type FrameHandler = (
  connection: Connection,
  flags: number,
  stream: number,
  bytes: Buffer,
  start: number,
  end: number,
) => void;

const handlers: readonly FrameHandler[] = (() => {
  const table: FrameHandler[] = [];
  table[frameType.data] = receiveData;
  table[frameType.headers] = receiveHeaders;
  table[frameType.priority] = receivePriority;
  table[frameType.rstStream] = receiveReset;
  table[frameType.settings] = receiveSettings;
  // Section 8.4: clients do not push.
  table[frameType.pushPromise] = (connection) => fail(connection, errorCode.protocol);
  table[frameType.ping] = receivePing;
  table[frameType.goaway] = receiveGoaway;
  table[frameType.windowUpdate] = receiveWindowUpdate;
  table[frameType.continuation] = receiveContinuation;
  return table;
})();

/** Reads bytes, which the next event may write over. False when some of them wait for another turn: see `goOn`. */
export function receive(connection: Connection, chunk: Buffer): boolean {
  if (connection.failed) return true;
  connection.burst = connection.settings.client.maxPipelinedBurst;
  const take: TakeFrame = (type, flags, stream, bytes, start, end) =>
    takeFrame(connection, type, flags, stream, bytes, start, end);
  const at = readFrames(connection.reader, chunk, 0, take);
  if (at === outcome.badPreface) fail(connection, errorCode.protocol);
  else if (at === outcome.tooLarge) fail(connection, errorCode.frameSize);
  if (connection.failed || at === chunk.length) return true;
  connection.rest = Buffer.from(chunk.subarray(at));
  return false;
}

/** Reads what has waited for its turn. */
export function goOn(connection: Connection): boolean {
  const { rest } = connection;
  connection.rest = undefined;
  return !rest || receive(connection, rest);
}

function takeFrame(
  connection: Connection,
  type: number,
  flags: number,
  stream: number,
  bytes: Buffer,
  start: number,
  end: number,
): boolean {
  if (!mayCome(connection, type, flags)) {
    fail(connection, errorCode.protocol);
    return false;
  }
  // Section 5.5: unknown frames are ignored.
  if (type < handlers.length) handlers[type]!(connection, flags, stream, bytes, start, end);
  else countIdle(connection);
  return !connection.failed && connection.burst > 0;
}

/** Section 3.4: SETTINGS come first. Section 4.3: a field block ends before anything else comes. */
function mayCome({ begun, block }: Connection, type: number, flags: number): boolean {
  if (block) return type === frameType.continuation;
  return begun || (type === frameType.settings && (flags & flag.ack) === 0);
}
