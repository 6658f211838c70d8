/** The little of the wire format of Protocol Buffers that a few messages need (protobuf.dev/programming-guides/encoding). */

/** How a value is written. Groups (3 and 4) have been out of use since before proto3. */
const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** One field of a message that was received. */
export interface ProtoField {
  readonly number: number;
  /** Of a varint as int32 has it; 0 for other types. */
  readonly int32: number;
  /** A string, bytes or a message; empty for other types. */
  readonly bytes: Buffer;
}

/** A number from 0 to 2^53 - 1. Zero, the default, is not written. */
export function numberField(number: number, value: number): Buffer {
  return value === 0 ? nothing : Buffer.concat([tag(number, wire.varint), varint(value)]);
}

/** Bytes as they are, or text as UTF-8. What is empty, the default, is not written. */
export function bytesField(number: number, value: Buffer | string): Buffer {
  return value.length === 0 ? nothing : lengthDelimited(number, typeof value === 'string' ? Buffer.from(value) : value);
}

/** A message, which is written though it may be empty. */
export function messageField(number: number, fields: readonly Buffer[]): Buffer {
  return lengthDelimited(number, Buffer.concat(fields));
}

const nothing = Buffer.alloc(0);

function lengthDelimited(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([tag(number, wire.bytes), varint(bytes.length), bytes]);
}

function tag(number: number, type: number): Buffer {
  return varint(number * 8 + type);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left > 0x7f; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
  bytes.push(left);
  return Buffer.from(bytes);
}

/** The fields of a message in their order; undefined when it is malformed. Never throws. */
export function readFields(message: Buffer): readonly ProtoField[] | undefined {
  const fields: ProtoField[] = [];
  for (let at = 0; at < message.length; ) {
    const key = readVarint(message, at);
    if (!key || key.value > maxKey) return undefined;
    const [number, type] = [Number(key.value >> 3n), Number(key.value & 7n)];
    const read = number > 0 ? readers.get(type)?.(message, key.end) : undefined;
    if (!read) return undefined;
    fields.push({ number, int32: read.int32, bytes: read.bytes });
    at = read.end;
  }
  return fields;
}

const maxKey = 0xffff_ffffn;

type Read = { readonly int32: number; readonly bytes: Buffer; readonly end: number };
type Reader = (message: Buffer, at: number) => Read | undefined;

const readers: ReadonlyMap<number, Reader> = new Map<number, Reader>([
  [wire.varint, readNumber],
  [wire.bytes, readBytes],
  [wire.fixed64, (message, at) => skip(message, at + 8)],
  [wire.fixed32, (message, at) => skip(message, at + 4)],
]);

function readNumber(message: Buffer, at: number): Read | undefined {
  const read = readVarint(message, at);
  return read && { int32: Number(BigInt.asIntN(32, read.value)), bytes: nothing, end: read.end };
}

function readBytes(message: Buffer, at: number): Read | undefined {
  const length = readVarint(message, at);
  if (!length || length.value > BigInt(message.length - length.end)) return undefined;
  const end = length.end + Number(length.value);
  return { int32: 0, bytes: message.subarray(length.end, end), end };
}

function skip(message: Buffer, end: number): Read | undefined {
  return end > message.length ? undefined : { int32: 0, bytes: nothing, end };
}

/** At most 64 bits, in ten bytes. */
function readVarint(message: Buffer, start: number): { readonly value: bigint; readonly end: number } | undefined {
  let value = 0n;
  for (let i = 0; i < 10 && start + i < message.length; i++) {
    const byte = message[start + i]!;
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), end: start + i + 1 };
  }
  return undefined;
}
