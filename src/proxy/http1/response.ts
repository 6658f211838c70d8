/** Response heads from backends (RFC 9112 sections 4 and 6), as strict as requests where framing is concerned. */
import { CR, LF, SPACE, valueBytes } from './characters.ts';
import { bit, createFields, type Fields, fault, knownValue, listMembers, scanFields } from './fields.ts';
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
  /** Where the reason begins and ends in the text of the fields; empty when there is none. */
  reasonStart: number;
  reasonEnd: number;
  /** The status line can be forwarded as it came. */
  plainLine: boolean;
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
    reasonStart: 0,
    reasonEnd: 0,
    plainLine: true,
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

/** Up to this size, making text of all bytes costs less than making it of the head and of the body. */
const WHOLE_BYTES = 4_096;

/**
 * Parses the head at the beginning of `bytes[0, end)` into `head`. `toHead` says that it answers a HEAD request, which
 * decides whether a body follows. Never throws.
 */
export function parseResponseHead(
  bytes: Buffer,
  end: number,
  head: ResponseHead,
  toHead: boolean,
  maxHeadBytes: number,
): ResponseOutcome {
  // One byte more tells a head that is too large from one that just fits.
  const limit = Math.min(end, maxHeadBytes + 1);
  const line = scanStatusLine(bytes, limit, head);
  if (typeof line !== 'number') return line === 'incomplete' && limit > maxHeadBytes ? tooLarge : line;
  const headEnd = scanFields(head.fields, bytes, line, limit, true);
  if (headEnd === fault.incomplete) {
    return limit >= maxHeadBytes ? tooLarge : 'incomplete';
  }
  if (headEnd === fault.malformed) return wrong('a header line of the response is malformed');
  if (headEnd === fault.tooManyFields) return wrong('the response has too many header lines');
  if (headEnd > maxHeadBytes) return tooLarge;
  head.length = headEnd;
  head.fields.text = bytes.toString('latin1', 0, end <= WHOLE_BYTES ? end : headEnd);
  return interpret(head, toHead);
}

/** `HTTP/1.x SP 3DIGIT [SP reason] CRLF`: the last SP is often missing, which misleads nobody. */
function scanStatusLine(bytes: Buffer, end: number, head: ResponseHead): number | ResponseOutcome {
  if (!hasShape(bytes, end)) return wrong('the backend does not speak HTTP/1.1');
  if (end < 13) return 'incomplete';
  head.status = (bytes[9]! - ZERO) * 100 + (bytes[10]! - ZERO) * 10 + bytes[11]! - ZERO;
  if (head.status < 100) return malformedLine;
  const reasonStart = bytes[12] === SPACE ? 13 : 12;
  let at = reasonStart;
  while (reasonStart === 13 && at < end && valueBytes[bytes[at]!] === 1) at++;
  if (at + 1 >= end) return at < end && bytes[at] !== CR ? malformedLine : 'incomplete';
  if (bytes[at] !== CR || bytes[at + 1] !== LF) return malformedLine;
  head.minor = bytes[7] === ZERO ? 0 : 1;
  head.plainLine = reasonStart === 13 && bytes[7] === ZERO + 1;
  head.reasonStart = reasonStart;
  head.reasonEnd = at;
  return at + 2;
}

/** The status line for the client, with its CRLF. */
export function statusLine({ status, fields, reasonStart, reasonEnd }: ResponseHead): string {
  return `HTTP/1.1 ${status} ${fields.text.slice(reasonStart, reasonEnd)}\r\n`;
}

const ZERO = 48;
const malformedLine = wrong('the status line is malformed');
const tooLarge = wrong('the response head is too large');
const shape = 'HTTP/1.d ddd';

/** True while what is there of the first 12 bytes fits. */
function hasShape(bytes: Buffer, end: number): boolean {
  for (let i = 0; i < shape.length && i < end; i++) {
    const wanted = shape.charCodeAt(i);
    const byte = bytes[i]!;
    if (wanted === 100 ? !isDigit(byte) : byte !== wanted) return false;
  }
  return true;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= ZERO + 9;
}

const noNames: readonly string[] = [];

function interpret(head: ResponseHead, toHead: boolean): ResponseOutcome {
  const { seen } = head.fields;
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
