/** Frames (RFC 9113 section 4.1): cut out of what a socket reads, and their heads written. */
import { FRAME_HEAD_BYTES, MAX_FRAME_BYTES, PREFACE } from './protocol.ts';

export interface FrameReader {
  /** Bytes of the preface that are still to come. */
  prefaceLeft: number;
  /** Head of a frame that the end of a chunk has cut, and how much of it is there. */
  readonly head: Buffer;
  headFilled: number;
  /** Payload of such a frame; undefined while its head is not whole. */
  payload: Buffer | undefined;
  payloadFilled: number;
  /** The taker of the last frame wants no more for now. */
  halted: boolean;
}

export function createFrameReader(): FrameReader {
  return {
    prefaceLeft: PREFACE.length,
    head: Buffer.alloc(FRAME_HEAD_BYTES),
    headFilled: 0,
    payload: undefined,
    payloadFilled: 0,
    halted: false,
  };
}

/**
 * Takes one frame: its payload is `bytes[start, end)`, which the next event may write over. Returns whether to go on. A frame that
 * is too large comes with an empty payload.
 */
export type TakeFrame = (
  type: number,
  flags: number,
  stream: number,
  bytes: Buffer,
  start: number,
  end: number,
) => boolean;

/** What reading a chunk came to when it is no position. */
export const outcome = { badPreface: -1, tooLarge: -2 } as const;

/**
 * Reads the frames in `chunk` from `from` on. Returns where it has stopped: at the end of the chunk, behind a frame whose
 * taker wants no more for now, or with an outcome that ends the connection.
 */
export function readFrames(reader: FrameReader, chunk: Buffer, from: number, take: TakeFrame): number {
  let at = from;
  const { length } = chunk;
  reader.halted = false;
  if (reader.prefaceLeft > 0) at = readPreface(reader, chunk, at);
  if (reader.headFilled > 0 && at < length) at = readCutFrame(reader, chunk, at, take);
  if (at < 0 || reader.headFilled > 0) return at;
  while (!reader.halted && at + FRAME_HEAD_BYTES <= length) {
    const size = (chunk[at]! << 16) | (chunk[at + 1]! << 8) | chunk[at + 2]!;
    if (size > MAX_FRAME_BYTES) return outcome.tooLarge;
    const start = at + FRAME_HEAD_BYTES;
    const end = start + size;
    if (end > length) break;
    reader.halted = !take(chunk[at + 3]!, chunk[at + 4]!, streamOf(chunk, at), chunk, start, end);
    at = end;
  }
  return reader.halted || at === length ? at : keepRest(reader, chunk, at);
}

const streamOf = (bytes: Buffer, at: number): number =>
  ((bytes[at + 5]! & 0x7f) << 24) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 8) | bytes[at + 8]!;

function readPreface(reader: FrameReader, chunk: Buffer, from: number): number {
  let at = from;
  while (reader.prefaceLeft > 0 && at < chunk.length) {
    if (chunk[at++] !== PREFACE.charCodeAt(PREFACE.length - reader.prefaceLeft)) return outcome.badPreface;
    reader.prefaceLeft--;
  }
  return at;
}

/** Goes on with a frame that began in an earlier chunk. Returns a position or an outcome. */
function readCutFrame(reader: FrameReader, chunk: Buffer, from: number, take: TakeFrame): number {
  const { head } = reader;
  const at = fillHead(reader, chunk, from);
  if (reader.headFilled < FRAME_HEAD_BYTES) return at;
  if (!reader.payload) {
    const size = (head[0]! << 16) | (head[1]! << 8) | head[2]!;
    if (size > MAX_FRAME_BYTES) return outcome.tooLarge;
    reader.payload = Buffer.allocUnsafe(size);
    reader.payloadFilled = 0;
  }
  const { payload } = reader;
  const copied = chunk.copy(payload, reader.payloadFilled, at);
  reader.payloadFilled += copied;
  if (reader.payloadFilled < payload.length) return at + copied;
  reader.headFilled = 0;
  reader.payload = undefined;
  reader.halted = !take(head[3]!, head[4]!, streamOf(head, 0), payload, 0, payload.length);
  return at + copied;
}

function fillHead(reader: FrameReader, chunk: Buffer, from: number): number {
  const copied = chunk.copy(reader.head, reader.headFilled, from, from + FRAME_HEAD_BYTES - reader.headFilled);
  reader.headFilled += copied;
  return from + copied;
}

/** Keeps the beginning of a frame. */
function keepRest(reader: FrameReader, chunk: Buffer, from: number): number {
  const at = fillHead(reader, chunk, from);
  if (reader.headFilled < FRAME_HEAD_BYTES) return at;
  const { head } = reader;
  const payload = Buffer.allocUnsafe((head[0]! << 16) | (head[1]! << 8) | head[2]!);
  reader.payloadFilled = chunk.copy(payload, 0, at);
  reader.payload = payload;
  return chunk.length;
}

const char = String.fromCharCode;

/** The head of a frame as text, one character per byte. */
export function frameHead(length: number, type: number, flags: number, stream: number): string {
  return char(
    length >> 16,
    (length >> 8) & 255,
    length & 255,
    type,
    flags,
    (stream >> 24) & 127,
    (stream >> 16) & 255,
    (stream >> 8) & 255,
    stream & 255,
  );
}

/** 32 bits as text. */
export const uint32 = (value: number): string =>
  char((value >>> 24) & 255, (value >> 16) & 255, (value >> 8) & 255, value & 255);
