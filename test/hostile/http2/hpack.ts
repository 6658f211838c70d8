/** Header compression (RFC 7541): an encoder that can be told to do it wrong, and a decoder for responses. */
import { huffman, unhuffman } from './huffman.ts';

export type Field = readonly [name: string, value: string];

/** Appendix A; names that follow each other with different values stand once. */
const staticTable: readonly Field[] = [
  ':authority',
  ':method=GET=POST',
  ':path=/=/index.html',
  ':scheme=http=https',
  ':status=200=204=206=304=400=404=500',
  'accept-charset',
  'accept-encoding=gzip, deflate',
  ...'accept-language accept-ranges accept access-control-allow-origin age allow authorization'.split(' '),
  ...'cache-control content-disposition content-encoding content-language content-length'.split(' '),
  ...'content-location content-range content-type cookie date etag expect expires from host'.split(' '),
  ...'if-match if-modified-since if-none-match if-range if-unmodified-since last-modified link'.split(' '),
  ...'location max-forwards proxy-authenticate proxy-authorization range referer refresh'.split(' '),
  ...'retry-after server set-cookie strict-transport-security transfer-encoding user-agent'.split(' '),
  ...'vary via www-authenticate'.split(' '),
].flatMap((entry) => {
  const [name, ...values] = entry.split('=');
  return (values.length > 0 ? values : ['']).map((value): Field => [name!, value]);
});

/** The first index of the dynamic table. */
export const FIRST_DYNAMIC = staticTable.length + 1;

/** Section 5.1: an integer whose first byte shares its upper bits with `flags`. */
export function integer(value: number, prefixBits: number, flags = 0): Buffer {
  const most = 2 ** prefixBits - 1;
  if (value < most) return Buffer.from([flags | value]);
  const bytes = [flags | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

/** Section 5.2; one byte per character. */
export function string(text: string, how: 'plain' | 'huffman' = 'plain'): Buffer {
  const bytes = how === 'huffman' ? huffman(text) : Buffer.from(text, 'latin1');
  return Buffer.concat([integer(bytes.length, 7, how === 'huffman' ? 0x80 : 0), bytes]);
}

/** Section 6.1. */
export const indexed = (index: number) => integer(index, 7, 0x80);
/** Section 6.2.2. A name may be an index. */
export const literal = (name: string | number, value: string, how: 'plain' | 'huffman' = 'plain') =>
  entry(0x00, 4, name, value, how);
/** Section 6.2.1: the peer adds it to its dynamic table. */
export const remembered = (name: string | number, value: string) => entry(0x40, 6, name, value, 'plain');
/** Section 6.2.3. */
export const neverIndexed = (name: string | number, value: string) => entry(0x10, 4, name, value, 'plain');
/** Section 6.3. */
export const tableSize = (size: number) => integer(size, 5, 0x20);

function entry(flags: number, bits: number, name: string | number, value: string, how: 'plain' | 'huffman'): Buffer {
  const head = typeof name === 'number' ? [integer(name, bits, flags)] : [Buffer.from([flags]), string(name, how)];
  return Buffer.concat([...head, string(value, how)]);
}

/** A field block of literals, which leaves no trace in the tables. */
export const block = (fields: readonly Field[]) => Buffer.concat(fields.map(([name, value]) => literal(name, value)));

/** Bytes being taken apart. */
interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

function takeByte(cursor: Cursor): number {
  const byte = cursor.bytes[cursor.at++];
  if (byte === undefined) throw new Error('a field block ends inside a field');
  return byte;
}

function takeInteger(cursor: Cursor, prefixBits: number): number {
  const most = 2 ** prefixBits - 1;
  const first = takeByte(cursor) & most;
  if (first < most) return first;
  for (let value = first, scale = 1; ; scale *= 128) {
    const byte = takeByte(cursor);
    value += (byte & 127) * scale;
    if (byte < 128) return value;
  }
}

function takeString(cursor: Cursor): string {
  const isHuffman = cursor.bytes[cursor.at]! >= 128;
  const length = takeInteger(cursor, 7);
  const bytes = cursor.bytes.subarray(cursor.at, cursor.at + length);
  if (bytes.length < length) throw new Error('a field block ends inside a string');
  cursor.at += length;
  return isHuffman ? unhuffman(bytes) : bytes.toString('latin1');
}

export type Decoder = (fieldBlock: Buffer) => readonly Field[];

/** Reads the field blocks of one direction of a connection, in order. Throws where they cannot be read. */
export function createDecoder(tableBytes = 4_096): Decoder {
  const dynamic: Field[] = [];
  let limit = tableBytes;
  const sizeOf = ([name, value]: Field) => name.length + value.length + 32;
  const evict = () => {
    let size = dynamic.reduce((sum, field) => sum + sizeOf(field), 0);
    while (size > limit) size -= sizeOf(dynamic.pop()!);
  };
  const look = (index: number): Field => {
    const field = index < FIRST_DYNAMIC ? staticTable[index - 1] : dynamic[index - FIRST_DYNAMIC];
    if (!field) throw new Error(`no field has index ${index}`);
    return field;
  };
  const takeLiteral = (cursor: Cursor, bits: number): Field => {
    const index = takeInteger(cursor, bits);
    const name = index === 0 ? takeString(cursor) : look(index)[0];
    return [name, takeString(cursor)];
  };
  const resize = (size: number) => {
    if (size > tableBytes) throw new Error(`a dynamic table of ${size} bytes`);
    limit = size;
    evict();
  };
  const take = (cursor: Cursor): readonly Field[] => {
    const first = cursor.bytes[cursor.at]!;
    if (first >= 0x80) return [look(takeInteger(cursor, 7))];
    if (first >= 0x40) {
      const field = takeLiteral(cursor, 6);
      dynamic.unshift(field);
      evict();
      return [field];
    }
    if (first < 0x20) return [takeLiteral(cursor, 4)];
    resize(takeInteger(cursor, 5));
    return [];
  };
  return (bytes) => {
    const cursor = { bytes, at: 0 };
    const fields: Field[] = [];
    while (cursor.at < bytes.length) fields.push(...take(cursor));
    return fields;
  };
}
