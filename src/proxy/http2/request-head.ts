/** Heads of HTTP/2 requests (RFC 9113 section 8.3.1, RFC 8441), in the form that all heads have here. */
import { randomBytes } from 'node:crypto';
import { isGrpc } from '../exchange/grpc.ts';
import { isAuthority } from '../http1/authority.ts';
import { isToken, targetBytes } from '../http1/characters.ts';
import { bit, clearFields, knownValue, takeLine } from '../http1/fields.ts';
import { known } from '../http1/known-fields.ts';
import { parseContentLength } from '../http1/length.ts';
import { bodyKind, type Refusal, type RequestHead, type RequestLimits } from '../http1/request.ts';
import type { Decoder } from './engine/hpack/decoder.ts';
import { type Field, fieldKind } from './engine/hpack/field.ts';

/** Pseudo-header fields of one request; '' for those it does not have. */
interface Pseudo {
  method: string;
  scheme: string;
  path: string;
  authority: string;
  protocol: string;
  /** Which of them have come: bit by kind of field. */
  seen: number;
}

const refuse = (status: number, reason: string): Refusal => ({ status, reason });

/** Read and acted on in one step, as the heads themselves. */
const pseudo: Pseudo = { method: '', scheme: '', path: '', authority: '', protocol: '', seen: 0 };

/**
 * Fills `head` with the request that a decoder holds. `whole` says that no body follows. Returns why the request is
 * refused.
 */
export function readRequestHead(
  head: RequestHead,
  decoder: Decoder,
  whole: boolean,
  limits: RequestLimits,
): Refusal | undefined {
  const wrong = readFields(head, decoder);
  head.method = pseudo.method;
  head.target = pseudo.path;
  head.host = pseudo.authority;
  head.minor = 1;
  head.plainLine = false;
  head.keepAlive = true;
  head.upgrade = undefined;
  head.connectionNames = noNames;
  head.hostReplaced = true;
  head.body = bodyKind.none;
  head.contentLength = -1;
  head.plainLength = true;
  if (pseudo.path.length > limits.maxTargetBytes) return refuse(414, 'the request target is too long');
  if (decoder.overflow || head.fields.end + pseudo.path.length > limits.maxHeadBytes)
    return refuse(431, 'the request head is too large');
  return (
    wrong ??
    checkPseudo() ??
    readHost(head) ??
    readTarget(head) ??
    readMethod(head) ??
    readFraming(head, whole) ??
    readExpectations(head)
  );
}

const noNames: readonly string[] = [];
const malformed = refuse(400, 'a field is malformed');
const misplaced = refuse(400, 'a pseudo-header field is repeated, unknown or in the wrong place');
const hopField = refuse(400, 'a field belongs to connections of HTTP/1.1');
const tooMany = refuse(431, 'the request has too many header lines');

/** Sorts the fields: pseudo-header fields, the crumbs of Cookie, which are put together (section 8.2.3), and the others as lines. */
function readFields(head: RequestHead, { fields, count }: Decoder): Refusal | undefined {
  pseudo.method = pseudo.scheme = pseudo.path = pseudo.authority = pseudo.protocol = '';
  pseudo.seen = 0;
  head.grpc = false;
  clearFields(head.fields, 0);
  let text = '';
  let cookie = '';
  let wrong: Refusal | undefined;
  let isGrpcType = false;
  for (let i = 0; i < count; i++) {
    const field = fields[i]!;
    const { kind } = field.name;
    if (!field.isValid) wrong ??= malformed;
    else if (field.line !== '') {
      if (kind === fieldKind.connection || (kind === fieldKind.te && field.value !== 'trailers')) wrong ??= hopField;
      if (kind === fieldKind.contentType) isGrpcType = field.value.startsWith('application/grpc');
      if (!takeLine(head.fields, text.length, field.line.length, field.name.text.length, field.name.known))
        wrong ??= tooMany;
      text += field.line;
    } else if (kind === fieldKind.cookie) cookie = cookie === '' ? field.value : `${cookie}; ${field.value}`;
    else if (text !== '' || cookie !== '' || !readPseudo(field)) wrong ??= misplaced;
  }
  if (cookie !== '') {
    const line = `cookie: ${cookie}\r\n`;
    if (!takeLine(head.fields, text.length, line.length, COOKIE_LENGTH, known.other)) wrong ??= tooMany;
    text += line;
  }
  head.fields.text = text;
  head.fields.end = text.length;
  head.length = text.length;
  head.grpc = isGrpcType && isGrpc(head);
  return wrong;
}

const COOKIE_LENGTH = 'cookie'.length;

/** False for those that requests do not have, and for the second of a kind. */
function readPseudo({ name: { kind }, value }: Field): boolean {
  if (kind === fieldKind.badPseudo || pseudo.seen & (1 << kind)) return false;
  pseudo.seen |= 1 << kind;
  if (kind === fieldKind.method) pseudo.method = value;
  else if (kind === fieldKind.path) pseudo.path = value;
  else if (kind === fieldKind.authority) pseudo.authority = value;
  else if (kind === fieldKind.scheme) pseudo.scheme = value;
  else pseudo.protocol = value;
  return true;
}

const has = (kind: number): boolean => (pseudo.seen & (1 << kind)) !== 0;

/** Sections 8.3.1 and 8.5: what must be there, and what must not. */
function checkPseudo(): Refusal | undefined {
  const { method, scheme } = pseudo;
  if (method !== 'GET' && !isToken(method)) return refuse(400, 'the method is malformed');
  if (method.length > MAX_METHOD_BYTES) return refuse(501, 'the method is too long');
  if (method === 'CONNECT' && !has(fieldKind.protocol)) return refuse(501, 'CONNECT is not supported here');
  if (method !== 'CONNECT' && has(fieldKind.protocol)) return refuse(400, 'only CONNECT has a protocol');
  if (scheme !== 'http' && scheme !== 'https' && !/^[a-z][a-z0-9+.-]*$/i.test(scheme))
    return refuse(400, 'the scheme is missing or malformed');
  return pseudo.path === '' ? refuse(400, 'the request names no path') : undefined;
}

/** As over HTTP/1.1. */
const MAX_METHOD_BYTES = 64;

/** Section 8.3.1: a Host field must not name another one than `:authority`. */
function readHost(head: RequestHead): Refusal | undefined {
  const { fields } = head;
  if (fields.seen & bit(known.host)) {
    if (fields.repeated & bit(known.host)) return refuse(400, 'the Host header is repeated');
    const host = knownValue(fields, known.host)!;
    if (head.host !== '' && host.toLowerCase() !== head.host.toLowerCase())
      return refuse(400, 'the Host header differs from the authority');
    if (!has(fieldKind.authority)) head.host = host;
  }
  if (head.host === '') return refuse(400, 'the request names no authority');
  if (head.host === head.checkedHost) {
    // The same string saves comparing it further on.
    head.host = head.checkedHost;
    return undefined;
  }
  if (!isAuthority(head.host)) return refuse(400, 'the host is not valid');
  head.checkedHost = head.host;
  return undefined;
}

function readTarget(head: RequestHead): Refusal | undefined {
  const { target } = head;
  if (target === '*' ? head.method !== 'OPTIONS' : target.charCodeAt(0) !== SLASH && head.method !== 'CONNECT')
    return refuse(400, 'the request target is malformed');
  for (let i = 0; i < target.length; i++)
    if (targetBytes[target.charCodeAt(i)] !== 1) return refuse(400, 'the request target is malformed');
  const mark = target.indexOf('?');
  head.path = mark < 0 ? target : target.slice(0, mark);
  head.query = mark < 0 ? '' : target.slice(mark + 1);
  return undefined;
}

const SLASH = 47;

/** RFC 8441: CONNECT with a protocol is a WebSocket, which goes on as the GET that HTTP/1.1 has for it (RFC 6455 section 4.1). */
function readMethod(head: RequestHead): Refusal | undefined {
  if (head.method !== 'CONNECT') return undefined;
  if (pseudo.protocol !== 'websocket') return refuse(501, 'CONNECT is not supported here');
  if (head.target.charCodeAt(0) !== SLASH) return refuse(400, 'the request target is malformed');
  head.method = 'GET';
  head.upgrade = 'websocket';
  head.fields.added += `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n`;
  return undefined;
}

/** How the body would be framed in HTTP/1.1; the engine sees to it that it is as long as it says. */
function readFraming(head: RequestHead, whole: boolean): Refusal | undefined {
  const value = head.fields.seen & bit(known.contentLength) ? knownValue(head.fields, known.contentLength)! : undefined;
  if (value !== undefined) {
    head.contentLength = parseContentLength(value);
    // A list of equal ones would not go through other proxies.
    head.plainLength = (head.fields.repeated & bit(known.contentLength)) === 0 && !value.includes(',');
    if (head.contentLength < 0) return refuse(400, 'the Content-Length is not valid');
    if (whole && head.contentLength > 0) return refuse(400, 'the body is shorter than its Content-Length');
  }
  if (head.upgrade !== undefined) return undefined;
  if (!whole) {
    head.body = head.contentLength >= 0 ? bodyKind.length : bodyKind.chunked;
  } else if (head.contentLength < 0 && expectsBody.has(head.method)) {
    // RFC 9110 section 8.6: it says that there is none.
    head.contentLength = 0;
    head.plainLength = false;
  }
  return undefined;
}

const expectsBody = new Set(['POST', 'PUT', 'PATCH']);

function readExpectations(head: RequestHead): Refusal | undefined {
  const { fields } = head;
  // Anything else than `trailers` was refused above.
  head.acceptsTrailers = (fields.seen & bit(known.te)) !== 0;
  head.expectContinue = false;
  if ((fields.seen & bit(known.expect)) === 0) return undefined;
  if (knownValue(fields, known.expect)!.toLowerCase() !== '100-continue')
    return refuse(417, 'the expectation is not known');
  head.expectContinue = true;
  return undefined;
}
