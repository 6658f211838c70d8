/** Request heads (RFC 9112 sections 2, 3 and 6): what the parser accepts and what it says of the rest. */

import { isAuthority, splitAbsoluteTarget } from './authority.ts';
import { CR, LF, QUESTION_MARK, SPACE, targetBytes, tokenBytes, trimSpace } from './characters.ts';
import { bit, createFields, type Fields, fault, fieldValue, knownValue, listMembers, scanFields } from './fields.ts';
import { known } from './known-fields.ts';
import { isPlainLength, parseContentLength } from './length.ts';

/** How the body that follows a request head is delimited. */
export const bodyKind = { none: 0, length: 1, chunked: 2 } as const;
export type BodyKind = (typeof bodyKind)[keyof typeof bodyKind];

/**
 * One parsed head, used again for every request of a proxy: copy what must outlive the call that parsed it. Of a head
 * that was refused, method, target and host hold what could be read.
 */
export interface RequestHead {
  readonly fields: Fields;
  /** Bytes of the head; where the body begins. */
  length: number;
  /** Positions in the request line. */
  lineStart: number;
  methodEnd: number;
  targetEnd: number;
  /** Place of the first `?` in the target; negative without one. */
  queryMark: number;
  /** The request line can be forwarded as it came, as far as the proxy changes nothing of it. */
  plainLine: boolean;
  method: string;
  /** Request target in origin-form (or `*`), byte for byte as it came. */
  target: string;
  /** Without the query. */
  path: string;
  /** What `path` is for hosts whose paths are compared in their normal form (VirtualHost.paths); '' for others. */
  normalPath: string;
  /** Without its `?`; '' when there is none. */
  query: string;
  /** Host field, or the authority of an absolute-form target, which outranks it; '' when an HTTP/1.0 client sent none. */
  host: string;
  /** A host that was found valid. */
  checkedHost: string;
  /** `host` comes from the target and not from the Host field. */
  hostReplaced: boolean;
  /** 0 for HTTP/1.0, 1 for HTTP/1.1 and later 1.x. */
  minor: 0 | 1;
  body: BodyKind;
  /** -1 when the request does not say. */
  contentLength: number;
  /** One Content-Length line of plain digits, which can be forwarded as it is. */
  plainLength: boolean;
  /** The client does not ask for the connection to be closed. */
  keepAlive: boolean;
  /** Protocols asked for in Upgrade when Connection names it; h2c is never among them. */
  upgrade: string | undefined;
  expectContinue: boolean;
  /** Names that Connection lists beyond the ones every hop removes; empty for most requests. */
  connectionNames: readonly string[];
  acceptsTrailers: boolean;
  /** A gRPC call; never over HTTP/1.1. */
  grpc: boolean;
  /** Value of a field by its lower-case name: what makes a head a request to match. */
  readonly headers: (lowerName: string) => string | undefined;
}

export interface RequestLimits {
  readonly maxHeadBytes: number;
  readonly maxHeaders: number;
  readonly maxTargetBytes: number;
}

/** A refusal: the status to answer and, for people, why. The connection closes after it. */
export interface Refusal {
  readonly status: number;
  readonly reason: string;
}

export const INCOMPLETE = 'incomplete';

export function createRequestHead(maxHeaders: number): RequestHead {
  const fields = createFields(maxHeaders);
  return {
    fields,
    headers: (lowerName) => fieldValue(fields, lowerName),
    length: 0,
    lineStart: 0,
    methodEnd: 0,
    targetEnd: 0,
    queryMark: -1,
    plainLine: true,
    method: '',
    target: '',
    path: '',
    normalPath: '',
    query: '',
    host: '',
    checkedHost: '',
    hostReplaced: false,
    minor: 1,
    body: bodyKind.none,
    contentLength: -1,
    plainLength: true,
    keepAlive: true,
    upgrade: undefined,
    expectContinue: false,
    connectionNames: [],
    acceptsTrailers: false,
    grpc: false,
  };
}

const refuse = (status: number, reason: string): Refusal => ({ status, reason });

/** No method that anyone registered is longer than 20 characters. */
const MAX_METHOD_BYTES = 64;

/**
 * Parses the head at the beginning of `bytes` into `head`. Returns undefined when it is complete and right,
 * `incomplete` when more bytes are needed, else why it is refused. Never throws.
 */
export function parseRequestHead(
  bytes: Buffer,
  head: RequestHead,
  limits: RequestLimits,
): undefined | typeof INCOMPLETE | Refusal {
  forgetRequest(head);
  const start = skipEmptyLines(bytes);
  // One byte more tells a head that is too large from one that just fits.
  const limit = Math.min(bytes.length, start + limits.maxHeadBytes + 1);
  const line = scanRequestLine(bytes, start, limit, head, limits);
  if (line === INCOMPLETE && limit - start > limits.maxHeadBytes) return refuse(431, 'the request head is too large');
  if (typeof line !== 'number') return line;
  const end = scanFields(head.fields, bytes, line, limit, false);
  if (end === fault.incomplete && limit - start < limits.maxHeadBytes) return INCOMPLETE;
  readLine(head, bytes.toString('latin1', 0, end < 0 ? line : end));
  if (end === fault.malformed) return refuse(400, 'a header line is malformed');
  if (end === fault.tooManyFields) return refuse(431, 'the request has too many header lines');
  if (end < 0 || end - start > limits.maxHeadBytes) return refuse(431, 'the request head is too large');
  head.length = end;
  return interpret(head, bytes);
}

/** Takes out what of an earlier request would be told of one that cannot be read. */
export function forgetRequest(head: RequestHead): void {
  head.method = '';
  head.target = '';
  head.host = '';
  head.minor = 1;
  head.grpc = false;
}

/** RFC 9112 section 2.2: empty lines before a request line are ignored; a few of them. */
function skipEmptyLines(bytes: Buffer): number {
  let at = 0;
  while (at < 8 && bytes[at] === CR && bytes[at + 1] === LF) at += 2;
  return at;
}

/** Scans `method SP target SP HTTP/1.x CRLF`; returns the position of the first field line. */
function scanRequestLine(
  bytes: Buffer,
  start: number,
  end: number,
  head: RequestHead,
  limits: RequestLimits,
): number | typeof INCOMPLETE | Refusal {
  let at = start;
  while (at < end && tokenBytes[bytes[at]!] === 1) at++;
  if (at - start > MAX_METHOD_BYTES) return refuse(501, 'the method is too long');
  if (at === end || (at === end - 1 && at === start && bytes[at] === CR)) return INCOMPLETE;
  if (at === start || bytes[at] !== SPACE) return refuse(400, 'the request line is malformed');
  head.lineStart = start;
  head.methodEnd = at;
  head.queryMark = -1;
  const targetStart = at + 1;
  at = targetStart;
  for (; at < end && targetBytes[bytes[at]!] === 1; at++) {
    if (bytes[at] === QUESTION_MARK && head.queryMark < 0) head.queryMark = at - targetStart;
  }
  if (at - targetStart > limits.maxTargetBytes) return refuse(414, 'the request target is too long');
  if (at === end) return INCOMPLETE;
  if (at === targetStart || bytes[at] !== SPACE) {
    return refuse(400, 'the request target has a byte that must be percent-encoded, or the request line is malformed');
  }
  head.targetEnd = at;
  return scanVersion(bytes, at + 1, end, head);
}

const usualVersion = Buffer.from('HTTP/1.1\r\n', 'latin1');
const versionShape = 'HTTP/d.d\r\n';

/** RFC 9112 section 2.3: `HTTP/` DIGIT `.` DIGIT. */
function scanVersion(
  bytes: Buffer,
  start: number,
  end: number,
  head: RequestHead,
): number | typeof INCOMPLETE | Refusal {
  head.plainLine = hasUsualVersion(bytes, start, end);
  if (head.plainLine) return start + usualVersion.length;
  const version = bytes.toString('latin1', start, Math.min(end, start + versionShape.length));
  for (let i = 0; i < version.length; i++) {
    const wanted = versionShape[i];
    const fits = wanted === 'd' ? /[0-9]/.test(version[i]!) : version[i] === wanted;
    if (!fits) return refuse(400, 'the request line is malformed');
  }
  if (version.length < versionShape.length) return INCOMPLETE;
  if (version[5] !== '1') return refuse(505, 'this HTTP version is not supported');
  head.minor = version[7] === '0' ? 0 : 1;
  return start + versionShape.length;
}

function hasUsualVersion(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < usualVersion.length) return false;
  for (let i = 0; i < usualVersion.length; i++) if (bytes[start + i] !== usualVersion[i]) return false;
  return true;
}

/** Makes strings of the request line that was scanned; `text` holds at least that. */
function readLine(head: RequestHead, text: string): void {
  const { lineStart, methodEnd, targetEnd } = head;
  head.fields.text = text;
  // A constant compares and hashes faster than a string that was just made.
  head.method = text.startsWith('GET ', lineStart) ? 'GET' : text.slice(lineStart, methodEnd);
  head.target = text.slice(methodEnd + 1, targetEnd);
}

/** What the fields mean for this hop. */
function interpret(head: RequestHead, bytes: Buffer): undefined | Refusal {
  head.body = bodyKind.none;
  head.contentLength = -1;
  head.plainLength = true;
  head.keepAlive = head.minor === 1;
  head.upgrade = undefined;
  head.expectContinue = false;
  head.acceptsTrailers = false;
  head.grpc = false;
  head.hostReplaced = false;
  head.connectionNames = noNames;
  const { seen } = head.fields;
  return (
    checkHost(head, bytes) ??
    resolveTarget(head) ??
    resolveFraming(head, seen) ??
    (seen & bit(known.connection) ? readConnection(head) : undefined) ??
    (seen & bit(known.expect) ? readExpect(head) : undefined)
  );
}

const noNames: readonly string[] = [];

/** RFC 9112 section 3.2: exactly one Host in HTTP/1.1, at most one in HTTP/1.0. */
function checkHost(head: RequestHead, bytes: Buffer): undefined | Refusal {
  const { fields } = head;
  if (!(fields.seen & bit(known.host))) return head.minor === 1 ? refuse(400, 'the Host header is missing') : undefined;
  let index = fields.count - 1;
  while (fields.known[index] !== known.host) index--;
  const start = fields.at[4 * index + 2]!;
  const end = fields.at[4 * index + 3]!;
  // Most requests name the host that the one before them named; the same string then saves comparing it further on.
  const isChecked = equalsText(bytes, start, end, head.checkedHost);
  head.host = isChecked ? head.checkedHost : bytes.toString('latin1', start, end);
  if (fields.repeated & bit(known.host)) return refuse(400, 'the Host header is repeated');
  if (isChecked) return undefined;
  if (!isAuthority(head.host)) return refuse(400, 'the host is not valid');
  head.checkedHost = head.host;
  return undefined;
}

function equalsText(bytes: Buffer, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** RFC 9112 section 3.2: origin-form, absolute-form, asterisk-form. Authority-form belongs to CONNECT. */
function resolveTarget(head: RequestHead): undefined | Refusal {
  if (head.method === 'CONNECT') return refuse(501, 'CONNECT is not supported here');
  if (head.target.charCodeAt(0) !== SLASH) {
    const wrong = head.target === '*' ? checkAsterisk(head) : readAbsoluteForm(head);
    if (wrong) return wrong;
    head.queryMark = head.target.indexOf('?');
  }
  const { target, queryMark } = head;
  head.path = queryMark < 0 ? target : target.slice(0, queryMark);
  head.query = queryMark < 0 ? '' : target.slice(queryMark + 1);
  return undefined;
}

const SLASH = 47;

function checkAsterisk(head: RequestHead): undefined | Refusal {
  return head.method === 'OPTIONS' ? undefined : refuse(400, 'the target * is for OPTIONS only');
}

/** RFC 9112 section 3.2.2: the target's authority is used and the Host field ignored. */
function readAbsoluteForm(head: RequestHead): undefined | Refusal {
  const parts = splitAbsoluteTarget(head.target);
  if (!parts) return refuse(400, 'the request target is malformed');
  if (parts.authority === '' || !isAuthority(parts.authority)) return refuse(400, 'the host is not valid');
  head.host = parts.authority;
  head.hostReplaced = true;
  head.plainLine = false;
  head.target = parts.target;
  if (head.method === 'OPTIONS' && parts.bare) head.target = '*';
  return undefined;
}

/** RFC 9112 section 6.3. Anything that two parties could read differently is refused. */
function resolveFraming(head: RequestHead, seen: number): undefined | Refusal {
  const hasLength = (seen & bit(known.contentLength)) !== 0;
  if (seen & bit(known.transferEncoding)) {
    if (hasLength) return refuse(400, 'the request has both Content-Length and Transfer-Encoding');
    if (head.minor === 0) return refuse(400, 'HTTP/1.0 has no Transfer-Encoding');
    if (knownValue(head.fields, known.transferEncoding)!.toLowerCase() !== 'chunked') {
      return refuse(400, 'the only transfer coding understood is chunked');
    }
    head.body = bodyKind.chunked;
    return undefined;
  }
  if (!hasLength) return undefined;
  const value = knownValue(head.fields, known.contentLength)!;
  const length = parseContentLength(value);
  if (length < 0) return refuse(400, 'the Content-Length is not valid');
  head.contentLength = length;
  head.plainLength = isPlainLength(value);
  head.body = length > 0 ? bodyKind.length : bodyKind.none;
  return undefined;
}

/** More options than anyone sends in earnest; each costs a walk over the fields. */
const MAX_CONNECTION_OPTIONS = 32;

/** RFC 9110 section 7.6.1. */
function readConnection(head: RequestHead): undefined | Refusal {
  const value = knownValue(head.fields, known.connection)!;
  if (value === 'close' || value === 'keep-alive') {
    head.keepAlive = value === 'keep-alive';
    return undefined;
  }
  const names = listMembers(value);
  if (names.length > MAX_CONNECTION_OPTIONS) return refuse(400, 'the Connection header lists too many names');
  if (names.includes('close')) head.keepAlive = false;
  else if (names.includes('keep-alive')) head.keepAlive = true;
  if (names.includes('upgrade') && head.minor === 1) head.upgrade = readUpgrade(head);
  if (names.includes('te'))
    head.acceptsTrailers = listMembers(fieldValue(head.fields, 'te') ?? '').includes('trailers');
  head.connectionNames = names.filter((name) => !hopNames.has(name));
  return undefined;
}

const hopNames = new Set(['close', 'keep-alive', 'upgrade', 'te', 'host', 'content-length', 'transfer-encoding']);

/** Upgrade without h2c, which would let a client talk past the routes (RFC 9113 section 3.1 has retired it). */
function readUpgrade(head: RequestHead): string | undefined {
  const members = (knownValue(head.fields, known.upgrade) ?? '').split(',').map((member) => trimSpace(member));
  const wanted = members.filter((member) => member !== '' && member.toLowerCase() !== 'h2c');
  return wanted.length > 0 ? wanted.join(', ') : undefined;
}

/** RFC 9110 section 10.1.1: ignored from HTTP/1.0; anything but 100-continue is an expectation nobody meets. */
function readExpect(head: RequestHead): undefined | Refusal {
  if (head.minor === 0) return undefined;
  if (knownValue(head.fields, known.expect)!.toLowerCase() !== '100-continue') {
    return refuse(417, 'the expectation is not known');
  }
  head.expectContinue = true;
  return undefined;
}
