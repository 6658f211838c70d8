/** Response heads from backends (RFC 9112 sections 4 and 6), as strict as requests where framing is concerned. */
import { CR, LF, SPACE, valueBytes } from './characters.ts';
import { createFields, type Fields, fault, knownValue, listMembers, scanFields } from './fields.ts';
import { known } from './known-fields.ts';
import { isPlainLength, parseContentLength } from './length.ts';

/** How the body that follows a response head is delimited. */
export const responseBody = { none: 0, length: 1, chunked: 2, untilClose: 3 } as const;
export type ResponseBody = (typeof responseBody)[keyof typeof responseBody];

/** One parsed head, used again for every response of a proxy. */
export interface ResponseHead {
  readonly fields: Fields;
  length: number;
  minor: 0 | 1;
  status: number;
  /** Without status and SP; '' when there is none. */
  reason: string;
  body: ResponseBody;
  /** -1 when the response does not say. */
  contentLength: number;
  /** One Content-Length line of plain digits, which can be forwarded as it is. */
  plainLength: boolean;
  keepAlive: boolean;
  hasDate: boolean;
  connectionNames: readonly string[];
  /** Seconds of `Keep-Alive: timeout=N`; 0 when the backend does not say. */
  keepAliveSeconds: number;
}

export function createResponseHead(maxHeaders: number): ResponseHead {
  return {
    fields: createFields(maxHeaders),
    length: 0,
    minor: 1,
    status: 0,
    reason: '',
    body: responseBody.none,
    contentLength: -1,
    plainLength: true,
    keepAlive: true,
    hasDate: false,
    connectionNames: [],
    keepAliveSeconds: 0,
  };
}

export type ResponseOutcome = 'complete' | 'incomplete' | { readonly reason: string };

const wrong = (reason: string): ResponseOutcome => ({ reason });

/**
 * Parses the head at the beginning of `text` into `head`. `toHead` says that it answers a HEAD request, which decides
 * whether a body follows. Never throws.
 */
export function parseResponseHead(
  text: string,
  head: ResponseHead,
  toHead: boolean,
  maxHeadBytes: number,
): ResponseOutcome {
  const line = scanStatusLine(text, head);
  if (typeof line !== 'number') return line;
  const end = scanFields(head.fields, text, line, true);
  if (end === fault.incomplete)
    return text.length >= maxHeadBytes ? wrong('the response head is too large') : 'incomplete';
  if (end === fault.malformed) return wrong('a header line of the response is malformed');
  if (end === fault.tooManyFields) return wrong('the response has too many header lines');
  if (end > maxHeadBytes) return wrong('the response head is too large');
  head.length = end;
  return interpret(head, toHead);
}

/** `HTTP/1.x SP 3DIGIT [SP reason] CRLF`: the last SP is often missing, which misleads nobody. */
function scanStatusLine(text: string, head: ResponseHead): number | ResponseOutcome {
  if (!hasShape(text)) return wrong('the backend does not speak HTTP/1.1');
  if (text.length < 13) return 'incomplete';
  head.status = Number(text.slice(9, 12));
  if (head.status < 100) return malformedLine;
  const reasonStart = text.charCodeAt(12) === SPACE ? 13 : 12;
  let at = reasonStart;
  while (reasonStart === 13 && at < text.length && valueBytes[text.charCodeAt(at)] === 1) at++;
  if (at + 1 >= text.length) return at < text.length && text.charCodeAt(at) !== CR ? malformedLine : 'incomplete';
  if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF) return malformedLine;
  head.minor = text.charCodeAt(7) === 48 ? 0 : 1;
  head.reason = text.slice(reasonStart, at);
  return at + 2;
}

const malformedLine = wrong('the status line is malformed');
const shape = 'HTTP/1.d ddd';

/** True while what is there of the first 12 characters fits. */
function hasShape(text: string): boolean {
  for (let i = 0; i < shape.length && i < text.length; i++) {
    const wanted = shape.charCodeAt(i);
    const code = text.charCodeAt(i);
    if (wanted === 100 ? !isDigit(code) : code !== wanted) return false;
  }
  return true;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

const bit = (id: number): number => 1 << id;
const noNames: readonly string[] = [];

function interpret(head: ResponseHead, toHead: boolean): ResponseOutcome {
  const { fields } = head;
  let seen = 0;
  for (let i = 0; i < fields.count; i++) seen |= bit(fields.known[i]!);
  head.keepAlive = head.minor === 1;
  head.connectionNames = noNames;
  head.keepAliveSeconds = 0;
  head.hasDate = (seen & bit(known.date)) !== 0;
  if (seen & bit(known.connection)) readConnection(head);
  if (seen & bit(known.keepAlive)) readKeepAlive(head);
  return resolveBody(head, seen, toHead);
}

function readConnection(head: ResponseHead): void {
  const value = knownValue(head.fields, known.connection)!;
  if (value === 'close' || value === 'keep-alive') {
    head.keepAlive = value === 'keep-alive';
    return;
  }
  const names = listMembers(value);
  if (names.includes('close')) head.keepAlive = false;
  else if (names.includes('keep-alive')) head.keepAlive = true;
  const others = names.filter((name) => !hopNames.has(name));
  if (others.length > 0) head.connectionNames = others.slice(0, MAX_CONNECTION_OPTIONS);
}

const MAX_CONNECTION_OPTIONS = 32;
const hopNames = new Set(['close', 'keep-alive', 'upgrade', 'content-length', 'transfer-encoding']);

function readKeepAlive(head: ResponseHead): void {
  const timeout = /(?:^|[\s,;])timeout\s*=\s*"?([0-9]{1,6})/i.exec(knownValue(head.fields, known.keepAlive)!);
  if (timeout) head.keepAliveSeconds = Number(timeout[1]);
}

/** RFC 9112 section 6.3. */
function resolveBody(head: ResponseHead, seen: number, toHead: boolean): ResponseOutcome {
  const { fields, status } = head;
  head.body = responseBody.none;
  head.contentLength = -1;
  head.plainLength = true;
  const chunked = (seen & bit(known.transferEncoding)) !== 0;
  if (seen & bit(known.contentLength)) {
    if (chunked) return wrong('the response has both Content-Length and Transfer-Encoding');
    const value = knownValue(fields, known.contentLength)!;
    head.contentLength = parseContentLength(value);
    head.plainLength = isPlainLength(value);
    if (head.contentLength < 0) return wrong('the Content-Length of the response is not valid');
  }
  if (chunked && (head.minor === 0 || knownValue(fields, known.transferEncoding)!.toLowerCase() !== 'chunked')) {
    return wrong('the only transfer coding understood is chunked, in HTTP/1.1');
  }
  if (toHead || status < 200 || status === 204 || status === 304) return 'complete';
  if (chunked) head.body = responseBody.chunked;
  else if (head.contentLength > 0) head.body = responseBody.length;
  else if (head.contentLength < 0) head.body = responseBody.untilClose;
  return 'complete';
}
