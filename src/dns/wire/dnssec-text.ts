/** Text forms of the records of DNSSEC (RFC 4034), which stay bytes. */

import type { RecordData } from './message.ts';
import { typeNumber } from './numbers.ts';
import { type Fields, opaque, uint, Wrong } from './text-fields.ts';

/** RFC 4034 section 5.3. */
export const readDs = (f: Fields): RecordData =>
  opaque(uint(2, f.number(0, 0xffff)), uint(1, f.number(1, 255), f.number(2, 255)), f.bytes(3, 'hex'));

/** RFC 4034 section 2.2. */
export const readDnskey = (f: Fields): RecordData =>
  opaque(uint(2, f.number(0, 0xffff)), uint(1, f.number(1, 255), f.number(2, 255)), f.bytes(3, 'base64'));

/** RFC 4034 section 3.2. */
export const readRrsig = (f: Fields): RecordData =>
  opaque(
    uint(2, typeOf(f, 0)),
    uint(1, f.number(1, 255), f.number(2, 255)),
    uint(4, f.seconds(3), timeOf(f, 4), timeOf(f, 5)),
    uint(2, f.number(6, 0xffff)),
    f.nameBytes(7),
    f.bytes(8, 'base64'),
  );

/** RFC 4034 section 4.2. */
export const readNsec = (f: Fields): RecordData =>
  opaque(f.nameBytes(0), typeBitmap(f.words.slice(1).map((_, i) => typeOf(f, i + 1))));

function typeOf(f: Fields, i: number): number {
  const type = typeNumber(f.words[i]!.text) ?? otherTypes.get(f.words[i]!.text.toUpperCase());
  if (type === undefined) throw new Wrong(`not a record type: ${f.words[i]!.text}`);
  return type;
}

/** Types that lists may name though their data has no text form here. */
const otherTypes: ReadonlyMap<string, number> = new Map(
  Object.entries({
    RP: 17,
    AFSDB: 18,
    LOC: 29,
    CERT: 37,
    SMIMEA: 53,
    HIP: 55,
    OPENPGPKEY: 61,
    CSYNC: 62,
    ZONEMD: 63,
  }).concat(Object.entries({ SPF: 99, URI: 256 })),
);

/** `YYYYMMDDHHmmSS` in UTC, or seconds since the epoch; times are compared in 32 bits (RFC 4034 section 3.2). */
function timeOf(f: Fields, i: number): number {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(f.words[i]!.text)?.slice(1).map(Number);
  if (!parts) return f.number(i, 0xffffffff);
  const [year, month, day, hour, minute, second] = parts as [number, number, number, number, number, number];
  return (Date.UTC(year, month - 1, day, hour, minute, second) / 1000) >>> 0;
}

/** Windows of 256 types, each with the bytes up to its last bit (RFC 4034 section 4.1.2). */
function typeBitmap(types: readonly number[]): Buffer {
  const windows = new Map<number, Buffer>();
  for (const type of types) {
    const bits = windows.get(type >> 8) ?? Buffer.alloc(32);
    bits[(type & 0xff) >> 3]! |= 0x80 >> (type & 7);
    windows.set(type >> 8, bits);
  }
  const parts = [...windows].sort(([a], [b]) => a - b);
  return Buffer.concat(
    parts.map(([window, bits]) => {
      const length = bits.findLastIndex((byte) => byte !== 0) + 1;
      return Buffer.concat([uint(1, window, length), bits.subarray(0, length)]);
    }),
  );
}
