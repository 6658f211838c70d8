/** One resource record in the form of a zone file (RFC 1035 section 5.1), for templates and zones. */
import { err, ok, type Result } from '../../base/result.ts';
import { readData } from './data-text.ts';
import { decodeMessage } from './decode.ts';
import { encodeMessage } from './encode.ts';
import type { RecordData, ResourceRecord } from './message.ts';
import { recordClass, typeNumber } from './numbers.ts';
import { absoluteName, parseTtl, type Word, Wrong } from './text-fields.ts';

export { parseTtl, type Word };

export interface TextDefaults {
  /** What relative names end with; absolute. Default the root. */
  readonly origin?: string;
  /** Seconds. Default 3,600. */
  readonly ttl?: number;
  /** For records that name none; undefined: they must. */
  readonly owner?: string;
}

/** A record, and whether it says its own TTL. */
export interface RecordLine {
  readonly record: ResourceRecord;
  readonly ownTtl: boolean;
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

/** `IN`, or `CLASS1` (RFC 3597 section 5). */
function classNumber(text: string): number | undefined {
  const upper = text.toUpperCase();
  if (Object.hasOwn(recordClass, upper)) return recordClass[upper as keyof typeof recordClass];
  const generic = /^CLASS(\d{1,5})$/.exec(upper);
  return generic && Number(generic[1]) <= 0xffff ? Number(generic[1]) : undefined;
}

/** TTL and class in either order, each at most once. */
function readHead(words: readonly Word[], start: number): { ttl?: number; class?: number; end: number } {
  const head: { ttl?: number; class?: number; end: number } = { end: start };
  for (; head.end < words.length; head.end++) {
    const { text, quoted } = words[head.end]!;
    const ttl = quoted || head.ttl !== undefined ? undefined : parseTtl(text);
    const rclass = quoted || head.class !== undefined ? undefined : classNumber(text);
    if (ttl !== undefined) head.ttl = ttl;
    else if (rclass !== undefined) head.class = rclass;
    else break;
  }
  return head;
}

/** Data that came as bytes, in the shape of its type: so that it can be looked into, and is well formed. */
function shaped(record: ResourceRecord): RecordData {
  if (record.data.kind !== 'opaque') return record.data;
  const none = { questions: [], authority: [], additional: [] } as const;
  const flags = { authoritative: false, truncated: false, recursionDesired: false, recursionAvailable: false } as const;
  const more = { id: 0, response: true, opcode: 0, rcode: 0, authenticData: false, checkingDisabled: false } as const;
  const decoded = decodeMessage(encodeMessage({ ...none, ...flags, ...more, answers: [{ ...record, name: '.' }] }));
  if (!decoded.ok) throw new Wrong(`the data is not that of such a record: ${decoded.error}`);
  return decoded.value.answers[0]?.data ?? record.data;
}

function readRecord(words: readonly Word[], { origin = '.', ttl = 3600, owner }: TextDefaults): RecordLine {
  const name = owner ?? absoluteName(words[0]?.text ?? '', origin);
  const head = readHead(words, owner === undefined ? 1 : 0);
  const typeText = words[head.end]?.text ?? '';
  const type = typeNumber(typeText);
  if (type === undefined) throw new Wrong(`not a record type: '${typeText}'`);
  const data = readData(type, typeText.toUpperCase(), words.slice(head.end + 1), origin);
  const record = { name, type, class: head.class ?? recordClass.IN, ttl: head.ttl ?? ttl, data };
  const bare = words[head.end + 1]?.text === '\\#';
  return { record: bare ? { ...record, data: shaped(record) } : record, ownTtl: head.ttl !== undefined };
}

/** What `read` makes; the error says what is wrong. */
export function orWrong<T>(read: () => T): Result<T, string> {
  try {
    return ok(read());
  } catch (error) {
    if (error instanceof Wrong) return err(error.message);
    throw error;
  }
}

/** Reads words as a record: `[owner] [ttl] [class] type data`. The error says what is wrong. */
export function recordOfWords(words: readonly Word[], defaults: TextDefaults = {}): Result<RecordLine, string> {
  return orWrong(() => readRecord(words, defaults));
}

export function parseRecord(text: string, defaults: TextDefaults = {}): Result<ResourceRecord, string> {
  const line = recordOfWords(wordsOf(text), defaults);
  return line.ok ? ok(line.value.record) : line;
}
