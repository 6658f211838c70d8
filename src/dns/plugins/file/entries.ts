/** Text of a zone file as entries: the words between two ends of line, where parentheses join lines (RFC 1035 5.1). */
import type { Word } from '../../wire/text-fields.ts';

export interface Entry {
  readonly words: readonly Word[];
  /** Where it begins, from 1. */
  readonly line: number;
  /** Begins with a blank: the owner is that of the record before. */
  readonly indented: boolean;
}

/** Why a zone file cannot be read. */
export class ZoneFileError extends Error {
  constructor(file: string, line: number, message: string) {
    super(`${file}:${line}: ${message}`);
  }
}

/** Longest entry, characters: an open parenthesis must not swallow a whole file. */
const maxEntryLength = 1024 * 1024;

const [tab, newline, carriageReturn, space] = [9, 10, 13, 32];
const [quote, open, close, semicolon, backslash] = [34, 40, 41, 59, 92];
const ends: ReadonlySet<number> = new Set([tab, newline, carriageReturn, space, quote, open, close, semicolon]);

/** Splits the text of `file` (a name for errors). Throws `ZoneFileError`. */
export function* entriesOf(text: string, file: string): Generator<Entry> {
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  let line = 1;
  let words: Word[] = [];
  let [start, startLine, opened, depth] = [at, 1, 0, 0];
  const wrong = (message: string, where = line): never => {
    throw new ZoneFileError(file, where, message);
  };

  /** Behind the characters of a word or a string; `stops` says where it ends. */
  function scan(stops: (code: number) => boolean): string {
    const from = at;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (stops(code)) break;
      if (code !== backslash) continue;
      at++;
      if (at >= text.length || text.charCodeAt(at) === newline) wrong('nothing behind a backslash');
    }
    return text.slice(from, at);
  }

  function string(): void {
    at++;
    words.push({ text: scan((code) => code === quote || code === newline), quoted: true });
    if (text.charCodeAt(at) !== quote) wrong('a string without its closing quote');
    at++;
  }

  function parenthesis(code: number): void {
    at++;
    if (code === open && depth++ === 0) opened = line;
    if (code === close && --depth < 0) wrong('a parenthesis closes that was not opened');
  }

  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (at - start > maxEntryLength)
      wrong(depth > 0 ? 'this parenthesis is not closed' : 'the entry is too long', depth > 0 ? opened : line);
    if (code === newline) {
      at++;
      line++;
      if (depth > 0) continue;
      if (words.length > 0) yield { words, line: startLine, indented: isBlank(text, start) };
      words = [];
      [start, startLine] = [at, line];
    } else if (code === quote) string();
    else if (code === open || code === close) parenthesis(code);
    else if (code === semicolon) at = lineEnd(text, at);
    else if (ends.has(code)) at++;
    else words.push({ text: scan((next) => ends.has(next)), quoted: false });
  }
  if (depth > 0) wrong('this parenthesis is not closed', opened);
  if (words.length > 0) yield { words, line: startLine, indented: isBlank(text, start) };
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === space || code === tab;
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}
