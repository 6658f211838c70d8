/** DER (ITU-T X.690), as far as certificate requests and the fields of certificates that ACME looks at need it. */

/** Tags of universal types. */
export const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Tag of a constructed `[number]` of its context. */
export const contextTag = (number: number): number => 0xa0 | number;

/** One value: its tag, its length, its content. */
export function encode(type: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([type, ...lengthOf(body.length)]), body]);
}

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

export const sequence = (...content: readonly Uint8Array[]): Buffer => encode(tag.sequence, ...content);

/** `1.2.840.10045.2.1`. */
export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  return encode(tag.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(number: number): number[] {
  const bytes = [number % 128];
  for (let rest = Math.floor(number / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift(128 | (rest % 128));
  return bytes;
}

/** A number of at least 0, given in big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? Buffer.from([0]) : bytes.subarray(start);
  return digits[0]! >= 0x80 ? encode(tag.integer, Buffer.from([0]), digits) : encode(tag.integer, digits);
}

export const bitString = (bytes: Uint8Array): Buffer => encode(tag.bitString, Buffer.from([0]), bytes);

export const octetString = (...content: readonly Uint8Array[]): Buffer => encode(tag.octetString, ...content);

/** RFC 5280 section 4.1.2.5: two digits for the year until 2049. */
export function time(milliseconds: number): Buffer {
  const digits = new Date(milliseconds).toISOString().replace(/[-:T]|\.\d+/g, '');
  const isShort = Number(digits.slice(0, 4)) < 2050;
  return encode(isShort ? tag.utcTime : tag.generalizedTime, Buffer.from(isShort ? digits.slice(2) : digits));
}

export function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

export interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

/** Values that stand one after the other; undefined when the bytes are not that. */
export function elementsOf(bytes: Buffer): Element[] | undefined {
  const found: Element[] = [];
  let at = 0;
  while (at < bytes.length) {
    const head = readHead(bytes, at);
    if (!head || head.end > bytes.length) return undefined;
    found.push({ tag: bytes[at]!, content: bytes.subarray(head.start, head.end) });
    at = head.end;
  }
  return found;
}

/** Lengths of at most four bytes: nothing that is read here is larger. */
function readHead(bytes: Buffer, at: number): { readonly start: number; readonly end: number } | undefined {
  const first = bytes[at + 1];
  if (first === undefined) return undefined;
  if (first < 0x80) return { start: at + 2, end: at + 2 + first };
  const count = first & 0x7f;
  if (count === 0 || count > 4 || at + 2 + count > bytes.length) return undefined;
  const start = at + 2 + count;
  return { start, end: start + bytes.readUIntBE(at + 2, count) };
}
