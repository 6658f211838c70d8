/** Values as they stand in a line of the access log that somebody else has laid out: see compile.ts. */
import { isUtf8 } from 'node:buffer';
import type { LogEscape } from '../../../routing/plan/log-format.ts';
import { byteEscape } from '../format.ts';

/** Text of one character per byte in, printable ASCII out. */
export type Escaped = (text: string) => string;

/** What stands for a value that there is not (ngx_http_log_module `escape`). */
export const absent: Readonly<Record<LogEscape, string>> = { default: '-', json: '', none: '' };

/**
 * `next` is what follows the value in the line: its first character is escaped as well unless it is a letter or a digit,
 * so that a value can never end its field.
 */
export function escapedFor(escaping: LogEscape, next = ''): Escaped {
  const [end = ''] = next;
  const more = /[a-z0-9]/i.test(end) ? '' : end.replace(/[\\\]^-]/, '\\$&');
  const hostile = new RegExp(`[^\\x20-\\x7e]|["\\\\${more}]`);
  const all = new RegExp(hostile.source, 'g');
  if (escaping !== 'json') return (text) => (hostile.test(text) ? text.replace(all, byteEscape) : text);
  return (text) => (hostile.test(text) ? characters(text).replace(all, jsonEscape) : text);
}

const beyondAscii = /[^\0-\x7f]/;

/** Who reads the JSON is to find the characters that nginx would have written as they came; other bytes one by one. */
function characters(text: string): string {
  if (!beyondAscii.test(text)) return text;
  const bytes = Buffer.from(text, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : text;
}

const short: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

const jsonEscape = (character: string): string =>
  short[character] ?? `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
