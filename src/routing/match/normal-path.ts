/**
 * Paths in the form that nginx compares them in: decoded once, dot segments resolved, slashes merged; and written for a
 * request line again (ngx_http_parse_complex_uri, ngx_escape_uri with NGX_ESCAPE_URI). One character per byte: a
 * decoded path is no text yet.
 */

import type { MatchRequest } from './request.ts';

const SLASH = 47;
const DOT = 46;
const PERCENT = 37;

/** The path asked about last: matching, filters and redirects of one request follow each other. */
let lastPath = '/';
let lastNormal: string | undefined = '/';

/**
 * The normal form of a path without its query; undefined for one that leaves the root, holds `%00`, or an escape that is
 * none. A path that is normal already is returned as it is, after one look at it. What does not begin with a slash (`*`)
 * has no normal form but itself.
 */
export function normalPath(path: string): string | undefined {
  if (path === lastPath) return lastNormal;
  lastNormal = isPlain(path) ? path : resolve(path);
  lastPath = path;
  return lastNormal;
}

/** The request with its path in the normal form; the same request when it has that already. Undefined without one. */
export function normalRequest(request: MatchRequest): MatchRequest | undefined {
  const path = normalPath(request.path);
  if (path === undefined || path === request.path) return path === undefined ? undefined : request;
  const { host, query, method, grpc = false, headers } = request;
  return { host, path, query, method, grpc, headers };
}

/** Neither escapes, nor a slash with a slash or dot behind it. */
function isPlain(path: string): boolean {
  if (path.charCodeAt(0) !== SLASH) return true;
  let before = 0;
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code === PERCENT) return false;
    if (before === SLASH && (code === SLASH || code === DOT)) return false;
    before = code;
  }
  return true;
}

/** Escapes take part as what they stand for, `%2F` as a slash. */
function resolve(path: string): string | undefined {
  const decoded = decodeOnce(path);
  if (decoded === undefined) return undefined;
  const segments: string[] = [];
  const given = decoded.split('/');
  const last = given.length - 1;
  for (let i = 1; i <= last; i++) {
    const segment = given[i]!;
    if (segment === '..') {
      if (segments.length === 0) return undefined;
      segments.pop();
    } else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  const end = given[last]!;
  const isFolder = end === '' || end === '.' || end === '..';
  return `/${segments.join('/')}${isFolder && segments.length > 0 ? '/' : ''}`;
}

/** Undefined for `%00` and for escapes without two hexadecimal digits. */
function decodeOnce(path: string): string | undefined {
  let decoded = '';
  let from = 0;
  for (let at = path.indexOf('%'); at >= 0; at = path.indexOf('%', from)) {
    const code = hexAt(path, at + 1) * 16 + hexAt(path, at + 2);
    // NaN where a digit is missing.
    if (!(code > 0)) return undefined;
    decoded += path.slice(from, at) + String.fromCharCode(code);
    from = at + 3;
  }
  return decoded + path.slice(from);
}

function hexAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : Number.NaN;
}

/** Text as one character per byte of its UTF-8 form: what paths in their normal form are compared with. */
export function toBytes(text: string): string {
  return /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** A path in its normal form for people: what was decoded is bytes, and may be no text. */
export function decodedText(path: string): string {
  if (!/[\x80-\xff]/.test(path) || /[^\0-\xff]/.test(path)) return path;
  const text = Buffer.from(path, 'latin1').toString('utf8');
  return text.includes('\ufffd') ? path : text;
}

/** The path itself, for what has no normal form. */
export function decodedPath(path: string): string {
  return decodeOnce(path) ?? path;
}

/** A decoded path as it can stand in a request line. */
export function escapePath(path: string): string {
  return path.replace(/[^!$&'()*+,\-./0-9:;=@A-Z[\]_a-z~]/g, percentEncoded);
}

/** The same within a query, where what separates parameters is escaped too (NGX_ESCAPE_ARGS). */
export function escapeArgument(text: string): string {
  return text.replace(/[^!$'()*,\-./0-9:=@A-Z[\]_a-z~]/g, percentEncoded);
}

/** What may stand in no request line, bytes beyond ASCII among it, percent-encoded; escapes and the rest as they are. */
export function escapeUnsafe(text: string): string {
  return text.replace(/[^!\x22$-~]/g, percentEncoded);
}

function percentEncoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
