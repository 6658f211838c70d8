/** The wire format of protocol buffers, as much as this server needs: varints and length-delimited fields. */

/** One field of a message: its number and its value, bytes for strings, messages and numbers of fixed width. */
export type ProtoField = readonly [number: number, value: bigint | Buffer];

/** Reads the fields of one message; undefined when the bytes are no message. */
export function readMessage(bytes: Buffer): ProtoField[] | undefined {
  const fields: ProtoField[] = [];
  let at = 0;
  function varint(): bigint | undefined {
    let value = 0n;
    for (let shift = 0n; shift < 70n && at < bytes.length; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return undefined;
  }
  while (at < bytes.length) {
    const tag = varint();
    if (tag === undefined) return undefined;
    const number = Number(tag >> 3n);
    const wire = Number(tag & 7n);
    if (wire === 0) {
      const value = varint();
      if (value === undefined) return undefined;
      fields.push([number, value]);
    } else if (wire === 2) {
      const length = Number(varint() ?? -1n);
      if (length < 0 || at + length > bytes.length) return undefined;
      fields.push([number, bytes.subarray(at, at + length)]);
      at += length;
    } else if (wire === 1 || wire === 5) {
      const end = at + (wire === 1 ? 8 : 4);
      if (end > bytes.length) return undefined;
      fields.push([number, bytes.subarray(at, end)]);
      at = end;
    } else return undefined;
  }
  return fields;
}

function varintBytes(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
}

/** A length-delimited field: a string, bytes, or a message. */
export function lengthField(number: number, value: string | Buffer): Buffer {
  const body = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([varintBytes(number * 8 + 2), varintBytes(body.length), body]);
}
