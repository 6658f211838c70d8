/** Words of a zone file and what they can be: names, numbers, times, strings, bytes. */
import type { RecordData } from './message.ts';
import { parseName } from './name.ts';

/** A word; strings in quotes keep their spaces and may be empty. Escapes are still in it. */
export interface Word {
  readonly text: string;
  readonly quoted: boolean;
}

/** What ends the reading of a record; never leaves the parser. */
export class Wrong extends Error {}

/** The words behind the type, read by place. Each reader throws `Wrong`. */
export interface Fields {
  readonly words: readonly Word[];
  /** An absolute name. */
  name(i: number): string;
  /** A name on the wire, uncompressed: for data that stays bytes. */
  nameBytes(i: number): Buffer;
  number(i: number, most: number): number;
  /** A number, or a time such as `1h30m`, in seconds. */
  seconds(i: number): number;
  /** One character string with its length. */
  string(i: number): Buffer;
  /** All words from one on as hexadecimal digits, or as base64. */
  bytes(from: number, encoding: 'hex' | 'base64'): Buffer;
}

/** `3600`, `1h30m`, `2d`; undefined for other words, and for more than 31 bits (RFC 2181 section 8). */
export function parseTtl(text: string): number | undefined {
  if (text === '' || text.length > 40 || !/^(?:\d+[smhdw])*(?:\d+)?$/i.test(text)) return undefined;
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, '': 1 };
  let total = 0;
  for (const [, number, unit] of text.matchAll(/(\d+)([smhdw]?)/gi))
    total += Number(number) * units[unit!.toLowerCase()]!;
  return total <= 0x7fffffff ? total : undefined;
}

/** Bytes of a character string, with `\"` and `\123` (RFC 1035 section 5.1); one character for each. */
export function stringBytes(text: string): string {
  const plain = Buffer.from(text, 'utf8').toString('latin1');
  return plain.replace(/\\(?:(\d{3})|(.))/gs, (_, digits?: string, char?: string) =>
    digits ? String.fromCharCode(Number(digits) & 0xff) : char!,
  );
}

/** Whether an odd number of backslashes stands before a character. */
function isEscaped(text: string, at: number): boolean {
  let start = at;
  while (text[start - 1] === '\\') start--;
  return (at - start) % 2 === 1;
}

/** A name of a zone file as an absolute one; `@` is the origin. */
export function absoluteName(text: string, origin: string): string {
  if (text === '@') return origin;
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  const complete = bytes.endsWith('.') && !isEscaped(bytes, bytes.length - 1);
  const name = complete ? bytes : origin === '.' ? `${bytes}.` : `${bytes}.${origin}`;
  if (!parseName(name)) throw new Wrong(`not a domain name: ${text}`);
  return name;
}

function nameBytes(name: string): Buffer {
  const labels = parseName(name) ?? [];
  return Buffer.from(`${labels.map((label) => String.fromCharCode(label.length) + label).join('')}\0`, 'latin1');
}

export function uint(size: 1 | 2 | 4, ...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(size * values.length);
  for (const [i, value] of values.entries()) bytes.writeUIntBE(value, i * size, size);
  return bytes;
}

export const opaque = (...parts: readonly Uint8Array[]): RecordData => ({
  kind: 'opaque',
  bytes: Buffer.concat(parts),
});

/** `origin`: what relative names end with. */
export function fieldsOf(words: readonly Word[], origin: string): Fields {
  const text = (i: number) => words[i]?.text ?? '';
  return {
    words,
    name: (i) => absoluteName(text(i), origin),
    nameBytes: (i) => nameBytes(absoluteName(text(i), origin)),
    number(i, most) {
      const value = /^\d{1,10}$/.test(text(i)) ? Number(text(i)) : Number.NaN;
      if (!(value <= most)) throw new Wrong(`not a number up to ${most}: ${text(i)}`);
      return value;
    },
    seconds(i) {
      const value = parseTtl(text(i)) ?? (/^\d{1,10}$/.test(text(i)) ? Number(text(i)) : Number.NaN);
      if (!(value <= 0xffffffff)) throw new Wrong(`not a time in seconds: ${text(i)}`);
      return value;
    },
    string(i) {
      const bytes = Buffer.from(stringBytes(text(i)), 'latin1');
      if (bytes.length > 255) throw new Wrong('a character string is longer than 255 bytes');
      return Buffer.concat([uint(1, bytes.length), bytes]);
    },
    bytes(from, encoding) {
      const joined = words
        .slice(from)
        .map((word) => word.text)
        .join('');
      const good = encoding === 'hex' ? /^(?:[0-9a-f]{2})*$/i : /^[a-z0-9+/]*={0,2}$/i;
      if (!good.test(joined)) throw new Wrong(`not ${encoding === 'hex' ? 'hexadecimal' : 'base64'}: ${joined}`);
      return Buffer.from(joined, encoding);
    },
  };
}
