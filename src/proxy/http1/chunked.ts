/**
 * Chunked bodies (RFC 9112 section 7.1), decoded as they arrive in pieces of any size. Strict: CRLF only, sizes of at
 * most 12 hexadecimal digits, extensions bounded and thrown away, trailers bounded.
 */
import { CR, LF, SPACE, TAB, valueBytes } from './characters.ts';

const phase = {
  size: 0,
  extension: 1,
  sizeLf: 2,
  data: 3,
  dataCr: 4,
  dataLf: 5,
  trailer: 6,
  done: 7,
  failed: 8,
} as const;

export interface ChunkLimits {
  /** Bytes of extensions per chunk. Those of a whole body may outweigh its data by 64 times as much. */
  readonly maxChunkExtensionBytes: number;
  readonly maxTrailerBytes: number;
}

export interface ChunkDecoder {
  phase: (typeof phase)[keyof typeof phase];
  /** Bytes left of the chunk, or its size while it is read. */
  left: number;
  digits: number;
  extensionBytes: number;
  /** By how much extensions have outweighed data so far; never negative. */
  excess: number;
  /** Trailer section as it came, with its empty line once done. */
  trailer: string;
  readonly limits: ChunkLimits;
}

export function createChunkDecoder(limits: ChunkLimits): ChunkDecoder {
  return { phase: phase.size, left: 0, digits: 0, extensionBytes: 0, excess: 0, trailer: '', limits };
}

export function isDone(decoder: ChunkDecoder): boolean {
  return decoder.phase === phase.done;
}

export function hasFailed(decoder: ChunkDecoder): boolean {
  return decoder.phase === phase.failed;
}

/** 12 digits are 2^48 bytes. */
const MAX_SIZE_DIGITS = 12;

/**
 * Decodes `bytes[start, end)`. Appends from and to of every run of data to `runs` and returns the position after what
 * was consumed: `end`, or less when the body is done or has failed.
 */
export function decodeChunks(
  decoder: ChunkDecoder,
  bytes: Uint8Array,
  start: number,
  end: number,
  runs: number[],
): number {
  let at = start;
  while (at < end) {
    if (decoder.phase === phase.data) {
      const to = Math.min(end, at + decoder.left);
      runs.push(at, to);
      decoder.left -= to - at;
      at = to;
      if (decoder.left === 0) decoder.phase = phase.dataCr;
    } else if (decoder.phase === phase.trailer) {
      return readTrailer(decoder, bytes, at, end);
    } else {
      step(decoder, bytes[at]!);
      if (decoder.phase === phase.failed) return at;
      at++;
    }
  }
  return at;
}

/** One byte between runs of data. */
function step(decoder: ChunkDecoder, byte: number): void {
  if (decoder.phase === phase.size) readSize(decoder, byte);
  else if (decoder.phase === phase.extension) readExtension(decoder, byte);
  else if (decoder.phase === phase.sizeLf) endSizeLine(decoder, byte);
  else if (decoder.phase === phase.dataCr) decoder.phase = byte === CR ? phase.dataLf : phase.failed;
  else if (decoder.phase === phase.dataLf) startChunk(decoder, byte);
}

function readSize(decoder: ChunkDecoder, byte: number): void {
  const digit = hexDigit(byte);
  if (digit >= 0) {
    decoder.left = decoder.left * 16 + digit;
    if (++decoder.digits > MAX_SIZE_DIGITS) decoder.phase = phase.failed;
    return;
  }
  if (decoder.digits === 0) decoder.phase = phase.failed;
  else if (byte === CR) decoder.phase = phase.sizeLf;
  // Space alone after a size is refused: some take it for part of the number.
  else decoder.phase = byte === 59 ? phase.extension : phase.failed;
}

function readExtension(decoder: ChunkDecoder, byte: number): void {
  if (byte === CR) decoder.phase = phase.sizeLf;
  else if (valueBytes[byte] !== 1 || ++decoder.extensionBytes > decoder.limits.maxChunkExtensionBytes) {
    decoder.phase = phase.failed;
  }
}

/** Chunks of one byte with extensions as long as they may be cost the reader more than the sender. */
const MAX_EXCESS = 64;

function endSizeLine(decoder: ChunkDecoder, byte: number): void {
  const { extensionBytes, left, limits } = decoder;
  if (extensionBytes > 0) decoder.excess = Math.max(0, decoder.excess + extensionBytes - left);
  if (byte !== LF || decoder.excess > MAX_EXCESS * limits.maxChunkExtensionBytes) decoder.phase = phase.failed;
  else decoder.phase = left === 0 ? phase.trailer : phase.data;
}

function startChunk(decoder: ChunkDecoder, byte: number): void {
  decoder.left = 0;
  decoder.digits = 0;
  decoder.extensionBytes = 0;
  decoder.phase = byte === LF ? phase.size : phase.failed;
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** Collects the trailer section up to its empty line; what the lines say is for the caller to check. */
function readTrailer(decoder: ChunkDecoder, bytes: Uint8Array, start: number, end: number): number {
  const { trailer } = decoder;
  const at = scanTrailer(decoder, bytes, start, end);
  decoder.trailer = trailer + textOf(bytes, start, at);
  return at;
}

/** Returns the position after what belongs to the section, or of what does not belong into one. */
function scanTrailer(decoder: ChunkDecoder, bytes: Uint8Array, start: number, end: number): number {
  const { trailer, limits } = decoder;
  const most = start + limits.maxTrailerBytes - trailer.length;
  let afterCr = trailer.charCodeAt(trailer.length - 1) === CR;
  /** Bytes of the line so far. */
  let length = trailer.length - 1 - trailer.lastIndexOf('\n');
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    const legal = afterCr ? byte === LF : byte === CR || byte === TAB || (byte >= SPACE && byte !== 127);
    if (!legal || at >= most) {
      decoder.phase = phase.failed;
      return at;
    }
    if (byte === LF && length === 1) {
      decoder.phase = phase.done;
      return at + 1;
    }
    length = byte === LF ? 0 : length + 1;
    afterCr = byte === CR;
  }
  return end;
}

/** One character per byte. */
function textOf({ buffer, byteOffset }: Uint8Array, start: number, end: number): string {
  return Buffer.from(buffer, byteOffset + start, end - start).toString('latin1');
}
