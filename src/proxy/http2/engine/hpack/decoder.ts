/** Field blocks of requests (RFC 7541): decoded with a bound on everything, and the dynamic table kept in step. */
import { createField, ENTRY_OVERHEAD, type Field, type FieldName, fieldName } from './field.ts';
import { decodeHuffman } from './huffman.ts';
import { FIRST_DYNAMIC, staticTable } from './static-table.ts';

export interface DecoderLimits {
  /** Of the dynamic table: SETTINGS_HEADER_TABLE_SIZE. Bytes. */
  readonly maxTableBytes: number;
  /** Fields of one block, and their bytes as SETTINGS_MAX_HEADER_LIST_SIZE counts them. */
  readonly maxFields: number;
  readonly maxListBytes: number;
}

export interface Decoder {
  readonly limits: DecoderLimits;
  /** The fields of the block decoded last: the first `count`. */
  readonly fields: Field[];
  count: number;
  /** That block had more than the limits let in; it was decoded to its end all the same. */
  overflow: boolean;
  listBytes: number;
  /** The dynamic table: `length` entries, the newest at `newest`. */
  readonly ring: (Field | undefined)[];
  newest: number;
  length: number;
  size: number;
  tableBytes: number;
  /** Position in the block being decoded; negative after an error. */
  at: number;
}

export function createDecoder(limits: DecoderLimits): Decoder {
  return {
    limits,
    fields: [],
    count: 0,
    overflow: false,
    listBytes: 0,
    ring: new Array<Field | undefined>(Math.floor(limits.maxTableBytes / ENTRY_OVERHEAD) + 1).fill(undefined),
    newest: 0,
    length: 0,
    size: 0,
    tableBytes: limits.maxTableBytes,
    at: 0,
  };
}

/** A large head must not stay in memory for as long as its connection is idle. Bytes of the list. */
const MAX_KEPT_BYTES = 4_096;

/** To be called when nobody needs the fields of a block any more. */
export function forgetFields(decoder: Decoder): void {
  if (decoder.listBytes > MAX_KEPT_BYTES) decoder.fields.length = 0;
}

const FAILED = -1;
/** Stands for the text of a string that nobody will read. */
const SKIPPED = '';
const staticFields: readonly Field[] = staticTable.map(([name, value]) => createField(fieldName(name), value));

/** Decodes `bytes[start, end)` into `fields`; false on an error, after which no other block can be decoded. */
export function decodeBlock(decoder: Decoder, bytes: Buffer, start: number, end: number): boolean {
  decoder.at = start;
  decoder.count = 0;
  decoder.overflow = false;
  decoder.listBytes = 0;
  let updates = true;
  while (decoder.at >= 0 && decoder.at < end) {
    const byte = bytes[decoder.at]!;
    if (byte >= 0x80) readIndexed(decoder, bytes, end);
    else if (byte >= 0x40) readLiteral(decoder, bytes, end, 6, true);
    // Section 4.2: changes of size come first.
    else if (byte >= 0x20) resize(decoder, updates ? readInteger(decoder, bytes, end, 5) : FAILED);
    else readLiteral(decoder, bytes, end, 4, false);
    if (byte < 0x20 || byte >= 0x40) updates = false;
  }
  return decoder.at >= 0;
}

function readIndexed(decoder: Decoder, bytes: Buffer, end: number): void {
  const field = fieldAt(decoder, readInteger(decoder, bytes, end, 7));
  if (field) put(decoder, field);
  else decoder.at = FAILED;
}

/** Section 2.3.3; undefined beyond the tables. */
function fieldAt(decoder: Decoder, index: number): Field | undefined {
  if (index < FIRST_DYNAMIC) return staticFields[index - 1];
  const age = index - FIRST_DYNAMIC;
  if (age >= decoder.length) return undefined;
  const { ring, newest } = decoder;
  return ring[newest >= age ? newest - age : newest - age + ring.length];
}

function readLiteral(decoder: Decoder, bytes: Buffer, end: number, prefixBits: number, remember: boolean): void {
  const skips = decoder.overflow && !remember;
  const index = readInteger(decoder, bytes, end, prefixBits);
  if (decoder.at < 0) return;
  const name = index === 0 ? readName(decoder, bytes, end, skips) : fieldAt(decoder, index)?.name;
  const value = decoder.at < 0 ? undefined : readString(decoder, bytes, end, skips);
  if (value === undefined || name === undefined) {
    decoder.at = FAILED;
    return;
  }
  if (skips) return;
  const field = createField(name, value);
  if (remember) insert(decoder, field);
  put(decoder, field);
}

function readName(decoder: Decoder, bytes: Buffer, end: number, skips: boolean): FieldName | undefined {
  const text = readString(decoder, bytes, end, skips);
  return text === undefined ? undefined : fieldName(text);
}

/** Section 5.1. Values that no index and no string of a block can have are errors. */
function readInteger(decoder: Decoder, bytes: Buffer, end: number, prefixBits: number): number {
  const most = (1 << prefixBits) - 1;
  let value = bytes[decoder.at++]! & most;
  if (value < most) return value;
  for (let shift = 0; shift <= MAX_SHIFT && decoder.at < end; shift += 7) {
    const byte = bytes[decoder.at++]!;
    value += (byte & 127) << shift;
    if (byte < 128) return value;
  }
  decoder.at = FAILED;
  return FAILED;
}

/** Four bytes, 28 bits. */
const MAX_SHIFT = 21;

/** Section 5.2; undefined on an error. */
function readString(decoder: Decoder, bytes: Buffer, end: number, skips: boolean): string | undefined {
  if (decoder.at >= end) return undefined;
  const isHuffman = bytes[decoder.at]! >= 128;
  const length = readInteger(decoder, bytes, end, 7);
  const start = decoder.at;
  if (length < 0 || length > end - start) return undefined;
  decoder.at = start + length;
  // Padding is checked all the same: whether a block can be decoded must not depend on our limits.
  if (isHuffman) return decodeHuffman(bytes, start, decoder.at);
  return skips ? SKIPPED : bytes.toString('latin1', start, decoder.at);
}

function put(decoder: Decoder, field: Field): void {
  decoder.listBytes += field.size;
  const { limits } = decoder;
  if (decoder.count >= limits.maxFields || decoder.listBytes > limits.maxListBytes) decoder.overflow = true;
  else decoder.fields[decoder.count++] = field;
}

/** Section 4.4: what is larger than the table empties it. */
function insert(decoder: Decoder, field: Field): void {
  evict(decoder, decoder.tableBytes - field.size);
  if (field.size > decoder.tableBytes) return;
  const { ring } = decoder;
  decoder.newest = decoder.newest + 1 === ring.length ? 0 : decoder.newest + 1;
  ring[decoder.newest] = field;
  decoder.length++;
  decoder.size += field.size;
}

/** Drops the oldest entries until no more than `bytes` are left. */
function evict(decoder: Decoder, bytes: number): void {
  const { ring } = decoder;
  while (decoder.length > 0 && decoder.size > bytes) {
    const age = decoder.length - 1;
    const oldest = decoder.newest >= age ? decoder.newest - age : decoder.newest - age + ring.length;
    decoder.size -= ring[oldest]!.size;
    ring[oldest] = undefined;
    decoder.length--;
  }
}

function resize(decoder: Decoder, bytes: number): void {
  if (decoder.at < 0) return;
  if (bytes < 0 || bytes > decoder.limits.maxTableBytes) {
    decoder.at = FAILED;
    return;
  }
  decoder.tableBytes = bytes;
  evict(decoder, bytes);
}
