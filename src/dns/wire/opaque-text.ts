/** Data that stays bytes, in the form of a zone file: what the readers of data-text.ts take back. */
import { addressText } from './address.ts';
import { labelText, readName } from './name.ts';
import { recordType, typeName } from './numbers.ts';

/** Reads data from its start; `Cut` when there is not enough. */
interface Cursor {
  number(bytes: 1 | 2 | 4): number;
  name(): string;
  string(): string;
  take(count: number): Buffer;
  rest(): Buffer;
  isAtEnd(): boolean;
}

/** What ends the reading of data that is not of its type; never leaves this file. */
class Cut extends Error {}

function cursorOf(bytes: Buffer): Cursor {
  let at = 0;
  const take = (count: number): Buffer => {
    if (at + count > bytes.length) throw new Cut();
    at += count;
    return bytes.subarray(at - count, at);
  };
  return {
    take,
    number: (size) => take(size).readUIntBE(0, size),
    string: () => quoted(take(take(1)[0]!).toString('latin1')),
    rest: () => take(bytes.length - at),
    isAtEnd: () => at === bytes.length,
    name() {
      const found = readName(bytes, at);
      if (!found) throw new Cut();
      at = found.end;
      return found.name;
    },
  };
}

/** A character string in quotes (RFC 1035 section 5.1); one character for each byte. */
export function quoted(text: string): string {
  const escaped = text.replace(/["\\]|[^ -~]/g, (char) =>
    char === '"' || char === '\\' ? `\\${char}` : `\\${String(char.charCodeAt(0)).padStart(3, '0')}`,
  );
  return `"${escaped}"`;
}

const hex = (bytes: Buffer): string => bytes.toString('hex').toUpperCase();

/** `20260820103000` (RFC 4034 section 3.2). */
const time = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(/\.000Z|[-T:]/g, '');

/** Types of a bitmap (RFC 4034 section 4.1.2). */
function typesIn(cursor: Cursor): string[] {
  const types: string[] = [];
  while (!cursor.isAtEnd()) {
    const window = cursor.number(1);
    for (const [i, byte] of cursor.take(cursor.number(1)).entries())
      for (let bit = 0; bit < 8; bit++) if (byte & (0x80 >> bit)) types.push(typeName(window * 256 + i * 8 + bit));
  }
  return types;
}

const ds = (c: Cursor) => [c.number(2), c.number(1), c.number(1), hex(c.rest())];
const dnskey = (c: Cursor) => [c.number(2), c.number(1), c.number(1), c.rest().toString('base64')];

function rrsig(c: Cursor): (string | number)[] {
  const head = [typeName(c.number(2)), c.number(1), c.number(1), c.number(4), time(c.number(4)), time(c.number(4))];
  return [...head, c.number(2), c.name(), c.rest().toString('base64')];
}

/** Salt and names of NSEC3 (RFC 5155 sections 3.3 and 4.3). */
const salt = (c: Cursor): string => hex(c.take(c.number(1))) || '-';

function base32hex(bytes: Buffer): string {
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  return (bits.match(/.{1,5}/g) ?? [])
    .map((five) => parseInt(five.padEnd(5, '0'), 2).toString(32))
    .join('')
    .toUpperCase();
}

const nsec3 = (c: Cursor) => [
  ...[c.number(1), c.number(1), c.number(2), salt(c)],
  ...[base32hex(c.take(c.number(1))), ...typesIn(c)],
];

/** In a list a comma is escaped, and then the string as a whole (RFC 9460 appendix A.1). */
const listed = (text: string): string => text.replace(/[\\,]/g, (char) => `\\${char}`);

function protocols(value: Buffer): string {
  const c = cursorOf(value);
  const ids: string[] = [];
  while (!c.isAtEnd()) ids.push(listed(c.take(c.number(1)).toString('latin1')));
  return quoted(ids.join(','));
}

function addresses(size: 4 | 16): (value: Buffer) => string {
  return (value) => {
    const c = cursorOf(value);
    const found: string[] = [];
    while (!c.isAtEnd()) found.push(addressText(c.take(size)));
    return found.join(',');
  };
}

function mandatory(value: Buffer): string {
  const c = cursorOf(value);
  const found: string[] = [];
  while (!c.isAtEnd()) found.push(parameterName(c.number(2)));
  return found.join(',');
}

/** In the order of their numbers (IANA "Service Parameter Keys"). */
const parameters: readonly (readonly [string, (value: Buffer) => string])[] = [
  ['mandatory', mandatory],
  ['alpn', protocols],
  ['no-default-alpn', () => ''],
  ['port', (value) => String(cursorOf(value).number(2))],
  ['ipv4hint', addresses(4)],
  ['ech', (value) => value.toString('base64')],
  ['ipv6hint', addresses(16)],
  ['dohpath', (value) => quoted(value.toString('latin1'))],
  ['ohttp', () => ''],
];

const parameterName = (key: number): string => parameters[key]?.[0] ?? `key${key}`;

function parameter(c: Cursor): string {
  const key = c.number(2);
  const value = c.take(c.number(2));
  if (value.length === 0) return parameterName(key);
  const text = parameters[key]?.[1](value) ?? quoted(value.toString('latin1'));
  return `${parameterName(key)}=${text}`;
}

function serviceBinding(c: Cursor): (string | number)[] {
  const words: (string | number)[] = [c.number(2), c.name()];
  while (!c.isAtEnd()) words.push(parameter(c));
  return words;
}

const writers: ReadonlyMap<number, (c: Cursor) => (string | number)[]> = new Map<
  number,
  (c: Cursor) => (string | number)[]
>([
  [recordType.HINFO, (c) => [c.string(), c.string()]],
  [recordType.NAPTR, (c) => [c.number(2), c.number(2), c.string(), c.string(), c.string(), c.name()]],
  [recordType.DNAME, (c) => [c.name()]],
  [recordType.DS, ds],
  [recordType.CDS, ds],
  [recordType.DNSKEY, dnskey],
  [recordType.CDNSKEY, dnskey],
  [recordType.SSHFP, (c) => [c.number(1), c.number(1), hex(c.rest())]],
  [recordType.TLSA, (c) => [c.number(1), c.number(1), c.number(1), hex(c.rest())]],
  [recordType.RRSIG, rrsig],
  [recordType.NSEC, (c) => [c.name(), ...typesIn(c)]],
  [recordType.NSEC3, nsec3],
  [recordType.NSEC3PARAM, (c) => [c.number(1), c.number(1), c.number(2), salt(c)]],
  [recordType.CAA, (c) => [c.number(1), tag(c), quoted(c.rest().toString('latin1'))]],
  [recordType.SVCB, serviceBinding],
  [recordType.HTTPS, serviceBinding],
]);

/** Letters and digits (RFC 8659 section 4.1). */
function tag(c: Cursor): string {
  const bytes = c.take(c.number(1));
  const text = labelText(bytes, 0, bytes.length);
  if (!/^[a-z0-9]+$/i.test(text)) throw new Cut();
  return text;
}

/** Of a type without a form here, and of data that is not of its type (RFC 3597 section 5). */
export function genericText(bytes: Uint8Array): string {
  return `\\# ${bytes.length} ${Buffer.from(bytes).toString('hex')}`.trimEnd();
}

export function opaqueText(type: number, bytes: Uint8Array): string {
  const write = writers.get(type);
  if (!write) return genericText(bytes);
  const cursor = cursorOf(Buffer.from(bytes));
  try {
    const words = write(cursor);
    return cursor.isAtEnd() ? words.join(' ').trimEnd() : genericText(bytes);
  } catch (error) {
    if (error instanceof Cut) return genericText(bytes);
    throw error;
  }
}
