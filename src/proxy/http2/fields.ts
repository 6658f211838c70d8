/**
 * Field lines between the two forms that they have here: lines of text, as everything but HTTP/2 works on them, and the
 * objects of node:http2.
 */
import type { OutgoingHttpHeaders } from 'node:http2';
import { trimSpace } from '../http1/characters.ts';

/** Fields that node:http2 takes once only; of those that are lists, several become one. */
const single = new Set([
  'access-control-allow-credentials',
  'access-control-max-age',
  'access-control-request-method',
  'age',
  'authorization',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-md5',
  'content-range',
  'content-type',
  'date',
  'dnt',
  'etag',
  'expires',
  'from',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'range',
  'referer',
  'retry-after',
  'tk',
  'upgrade-insecure-requests',
  'user-agent',
  'x-content-type-options',
]);
const lists = new Set(['content-encoding', 'content-language', 'if-match', 'if-none-match']);

/** Without names of its own: a client may call a field `constructor`. */
export const noHeaders = (): OutgoingHttpHeaders => Object.create(null) as OutgoingHttpHeaders;

/** Puts field lines, each with its CRLF, into `headers`; names in lower case (RFC 9113 section 8.2). */
export function putLines(headers: OutgoingHttpHeaders, lines: string, start = 0): void {
  for (let at = start; at < lines.length; ) {
    const colon = lines.indexOf(':', at);
    const end = lines.indexOf('\r\n', colon);
    putField(headers, lines.slice(at, colon).toLowerCase(), trimSpace(lines, colon + 1, end));
    at = end + 2;
  }
}

function putField(headers: OutgoingHttpHeaders, name: string, value: string): void {
  const present = headers[name];
  if (present === undefined) headers[name] = value;
  else if (lists.has(name)) headers[name] = `${present}, ${value}`;
  else if (Array.isArray(present)) present.push(value);
  // Two values of a field that has one: which of them is meant is anyone's guess, and most take the first.
  else if (!single.has(name)) headers[name] = [String(present), value];
}

/** Field lines, each with its CRLF, of names and values in turn; pseudo-header fields are left out. */
export function linesOf(raw: readonly string[]): string {
  let lines = '';
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]!.charCodeAt(0) !== COLON) lines += `${raw[i]!}: ${raw[i + 1]!}\r\n`;
  }
  return lines;
}

const COLON = 58;
