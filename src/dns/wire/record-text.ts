/** One resource record in the form of a zone file (RFC 1035 section 5.1), for templates and zones. */
import { err, ok, type Result } from '../../base/result.ts';
import { addressBytes } from './address.ts';
import type { RecordData, ResourceRecord } from './message.ts';
import { parseName } from './name.ts';
import { recordClass, recordType, typeNumber } from './numbers.ts';

export interface TextDefaults {
  /** What relative names end with; absolute. Default the root. */
  readonly origin?: string;
  /** Seconds. Default 3,600. */
  readonly ttl?: number;
  /** For records that name none; undefined: they must. */
  readonly owner?: string;
}

/** A word; strings in quotes keep their spaces and may be empty. */
export interface Word {
  readonly text: string;
  readonly quoted: boolean;
}

/** Words of a line. Escapes are kept but for `\"` in strings; a comment ends the line. */
export function wordsOf(line: string): Word[] {
  const words: Word[] = [];
  for (const [, string, plain, comment] of line.matchAll(/"((?:[^"\\]|\\.)*)"|((?:[^\s";\\]|\\.)+)|(;.*)/gs)) {
    if (comment !== undefined) break;
    words.push(string === undefined ? { text: plain!, quoted: false } : { text: string, quoted: true });
  }
  return words;
}

/** `3600`, `1h30m`, `2d`; undefined for other words. */
export function parseTtl(text: string): number | undefined {
  if (!/^(\d+[smhdw]?)+$/i.test(text)) return undefined;
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, '': 1 };
  let total = 0;
  for (const [, number, unit] of text.matchAll(/(\d+)([smhdw]?)/gi))
    total += Number(number) * units[unit!.toLowerCase()]!;
  return total <= 0x7fffffff ? total : undefined;
}

const classes: ReadonlySet<string> = new Set(Object.keys(recordClass));

interface Fields {
  readonly words: readonly Word[];
  name(i: number): string;
  number(i: number, most: number): number;
}

/** What ends the reading of a record; never leaves this file. */
class Wrong extends Error {}

function absolute(text: string, origin: string): string {
  if (text === '@') return origin;
  const name = text.endsWith('.') && !text.endsWith('\\.') ? text : origin === '.' ? `${text}.` : `${text}.${origin}`;
  if (!parseName(name)) throw new Wrong(`not a domain name: ${text}`);
  return name;
}

/** Bytes of a character string, with `\"` and `\123` (RFC 1035 section 5.1). */
function stringBytes(text: string): string {
  const plain = Buffer.from(text, 'utf8').toString('latin1');
  return plain.replace(/\\(?:(\d{3})|(.))/gs, (_, digits?: string, char?: string) =>
    digits ? String.fromCharCode(Number(digits) & 0xff) : char!,
  );
}

function address(bytes: number): (fields: Fields) => RecordData {
  return ({ words }) => {
    const text = words[0]?.text ?? '';
    if (addressBytes(text)?.length !== bytes) throw new Wrong(`not an IPv${bytes === 4 ? 4 : 6} address: ${text}`);
    return { kind: 'address', address: text };
  };
}

const target = (fields: Fields): RecordData => ({ kind: 'name', target: fields.name(0) });

function strings(words: readonly Word[]): Buffer {
  return Buffer.concat(
    words.map(({ text }) => {
      const bytes = Buffer.from(stringBytes(text), 'latin1');
      if (bytes.length > 255) throw new Wrong('a character string is longer than 255 bytes');
      return Buffer.concat([Buffer.from([bytes.length]), bytes]);
    }),
  );
}

const readers: ReadonlyMap<number, { words: number; read: (fields: Fields) => RecordData }> = new Map([
  [recordType.A, { words: 1, read: address(4) }],
  [recordType.AAAA, { words: 1, read: address(16) }],
  [recordType.CNAME, { words: 1, read: target }],
  [recordType.NS, { words: 1, read: target }],
  [recordType.PTR, { words: 1, read: target }],
  [
    recordType.MX,
    {
      words: 2,
      read: (f: Fields): RecordData => ({ kind: 'mx', preference: f.number(0, 0xffff), exchange: f.name(1) }),
    },
  ],
  [
    recordType.SRV,
    {
      words: 4,
      read: (f: Fields): RecordData => ({
        ...{ kind: 'srv', priority: f.number(0, 0xffff), weight: f.number(1, 0xffff) },
        ...{ port: f.number(2, 0xffff), target: f.name(3) },
      }),
    },
  ],
  [
    recordType.SOA,
    {
      words: 7,
      read: (f: Fields): RecordData => ({
        ...{ kind: 'soa', primary: f.name(0), mailbox: f.name(1), serial: f.number(2, 0xffffffff) },
        ...{ refresh: f.number(3, 0xffffffff), retry: f.number(4, 0xffffffff) },
        ...{ expire: f.number(5, 0xffffffff), minimum: f.number(6, 0xffffffff) },
      }),
    },
  ],
  [
    recordType.TXT,
    {
      words: -1,
      read: ({ words }: Fields): RecordData => ({ kind: 'txt', strings: words.map((w) => stringBytes(w.text)) }),
    },
  ],
  [
    recordType.HINFO,
    { words: 2, read: ({ words }: Fields): RecordData => ({ kind: 'opaque', bytes: strings(words) }) },
  ],
  [
    recordType.CAA,
    {
      words: 3,
      read(f: Fields): RecordData {
        const value = Buffer.from(stringBytes(f.words[2]!.text), 'latin1');
        return {
          kind: 'opaque',
          bytes: Buffer.concat([Buffer.from([f.number(0, 255)]), strings([f.words[1]!]), value]),
        };
      },
    },
  ],
]);

/** `\# LENGTH HEX...` for types without a form of their own here (RFC 3597 section 5). */
function generic(words: readonly Word[]): RecordData | undefined {
  if (words[0]?.text !== '\\#') return undefined;
  const bytes = Buffer.from(
    words
      .slice(2)
      .map(({ text }) => text)
      .join(''),
    'hex',
  );
  if (bytes.length !== Number(words[1]?.text)) throw new Wrong('the length does not fit the data');
  return { kind: 'opaque', bytes };
}

function readData(type: number, typeText: string, words: readonly Word[], origin: string): RecordData {
  const opaque = generic(words);
  if (opaque) return opaque;
  const reader = readers.get(type);
  if (!reader) throw new Wrong(`the type ${typeText} has no text form here; write \\# LENGTH HEX`);
  if (reader.words >= 0 ? words.length !== reader.words : words.length === 0)
    throw new Wrong(
      `${typeText} takes ${reader.words < 0 ? 'strings' : `${reader.words} fields`}, not ${words.length}`,
    );
  return reader.read({
    words,
    name: (i) => absolute(words[i]!.text, origin),
    number(i, most) {
      const value = parseTtl(words[i]!.text) ?? Number(words[i]!.text);
      if (!/^\d/.test(words[i]!.text) || !(value <= most))
        throw new Wrong(`not a number up to ${most}: ${words[i]!.text}`);
      return value;
    },
  });
}

function readRecord(words: readonly Word[], { origin = '.', ttl = 3600, owner }: TextDefaults): ResourceRecord {
  let at = 0;
  const name = owner ?? absolute(words[at++]?.text ?? '', origin);
  let seconds = ttl;
  let rclass: number = recordClass.IN;
  for (; at < words.length; at++) {
    const { text } = words[at]!;
    const number = parseTtl(text);
    if (number !== undefined) seconds = number;
    else if (classes.has(text.toUpperCase())) rclass = recordClass[text.toUpperCase() as keyof typeof recordClass];
    else break;
  }
  const typeText = words[at]?.text ?? '';
  const type = typeNumber(typeText);
  if (type === undefined) throw new Wrong(`not a record type: '${typeText}'`);
  return { name, type, class: rclass, ttl: seconds, data: readData(type, typeText, words.slice(at + 1), origin) };
}

/** Reads words as a record: `[owner] [ttl] [class] type data`. The error says what is wrong. */
export function recordOfWords(words: readonly Word[], defaults: TextDefaults = {}): Result<ResourceRecord, string> {
  try {
    return ok(readRecord(words, defaults));
  } catch (error) {
    if (error instanceof Wrong) return err(error.message);
    throw error;
  }
}

export function parseRecord(text: string, defaults: TextDefaults = {}): Result<ResourceRecord, string> {
  return recordOfWords(wordsOf(text), defaults);
}
