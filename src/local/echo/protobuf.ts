/** The little of Protocol Buffers that the echo services write: fields that are strings, messages or small numbers. */

/** One encoded field; empty for proto3 default values, which are not written. */
export type Field = Uint8Array;

const lengthDelimited = 2;
const varint = 0;

function varintBytes(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}

export function numberField(number: number, value: number): Field {
  return value === 0 ? new Uint8Array() : Uint8Array.from([...varintBytes(number * 8 + varint), ...varintBytes(value)]);
}

export function stringField(number: number, value: string): Field {
  return value ? bytesField(number, Buffer.from(value)) : new Uint8Array();
}

/** A message is written even when it is empty: its presence counts. */
export function messageField(number: number, fields: readonly Field[]): Field {
  return bytesField(number, Buffer.concat(fields));
}

function bytesField(number: number, bytes: Uint8Array): Field {
  const head = [...varintBytes(number * 8 + lengthDelimited), ...varintBytes(bytes.length)];
  return Buffer.concat([Uint8Array.from(head), bytes]);
}

/** A message as gRPC frames it: uncompressed flag, length, bytes. */
export function grpcFrame(fields: readonly Field[]): Buffer {
  const message = Buffer.concat(fields);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
