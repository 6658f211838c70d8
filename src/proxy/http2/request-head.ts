/** Heads of HTTP/2 requests (RFC 9113 section 8.3.1, RFC 8441), in the form that all heads have here. */
import { randomBytes } from 'node:crypto';
import { isGrpc } from '../exchange/grpc.ts';
import { isAuthority } from '../http1/authority.ts';
import { targetBytes } from '../http1/characters.ts';
import { bit, fault, knownValue, listMembers, scanText } from '../http1/fields.ts';
import { known } from '../http1/known-fields.ts';
import { parseContentLength } from '../http1/length.ts';
import { bodyKind, type Refusal, type RequestHead, type RequestLimits } from '../http1/request.ts';

/** Pseudo-header fields of one request; '' for those it does not have. */
interface Pseudo {
  method: string;
  path: string;
  authority: string;
  protocol: string;
}

const refuse = (status: number, reason: string): Refusal => ({ status, reason });

/** Read and acted on in one step, as the heads themselves. */
const pseudo: Pseudo = { method: '', path: '', authority: '', protocol: '' };

/**
 * Fills `head` with a request whose fields are `raw`: names and values in turn, as node:http2 gives them after checking
 * what RFC 9113 asks of every request. `whole` says that no body follows. Returns why the request is refused.
 */
export function readRequestHead(
  head: RequestHead,
  raw: readonly string[],
  whole: boolean,
  limits: RequestLimits,
): Refusal | undefined {
  const lines = readLines(raw);
  head.method = pseudo.method;
  head.target = pseudo.path;
  head.host = pseudo.authority;
  head.minor = 1;
  head.grpc = false;
  head.plainLine = false;
  if (pseudo.path.length > limits.maxTargetBytes) return refuse(414, 'the request target is too long');
  if (lines.length + pseudo.path.length > limits.maxHeadBytes) return refuse(431, 'the request head is too large');
  const end = scanText(head.fields, `${lines}\r\n`);
  if (end === fault.tooManyFields) return refuse(431, 'the request has too many header lines');
  if (end < 0) return refuse(400, 'a header line is malformed');
  head.length = end;
  head.keepAlive = true;
  head.upgrade = undefined;
  head.connectionNames = noNames;
  head.hostReplaced = true;
  head.grpc = isGrpc(head);
  return readHost(head) ?? readTarget(head) ?? readMethod(head) ?? readFraming(head, whole) ?? readExpectations(head);
}

const noNames: readonly string[] = [];

/** Sorts out the pseudo-header fields; returns the lines of the others, with the crumbs of Cookie put together (section 8.2.3). */
function readLines(raw: readonly string[]): string {
  pseudo.method = '';
  pseudo.path = '';
  pseudo.authority = '';
  pseudo.protocol = '';
  let lines = '';
  let cookie = '';
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    const value = raw[i + 1]!;
    if (name.charCodeAt(0) === COLON) readPseudo(name, value);
    else if (name === 'cookie') cookie += cookie === '' ? value : `; ${value}`;
    else lines += `${name}: ${value}\r\n`;
  }
  return cookie === '' ? lines : `${lines}cookie: ${cookie}\r\n`;
}

const COLON = 58;

function readPseudo(name: string, value: string): void {
  if (name === ':method') pseudo.method = value;
  else if (name === ':path') pseudo.path = value;
  else if (name === ':authority') pseudo.authority = value;
  else if (name === ':protocol') pseudo.protocol = value;
}

/** Section 8.3.1: a Host field must not name another one than `:authority`. */
function readHost(head: RequestHead): Refusal | undefined {
  const { fields } = head;
  if (fields.repeated & bit(known.host)) return refuse(400, 'the Host header is repeated');
  const host = knownValue(fields, known.host);
  if (host !== undefined && head.host !== '' && host.toLowerCase() !== head.host.toLowerCase())
    return refuse(400, 'the Host header differs from the authority');
  if (head.host === '') head.host = host ?? '';
  if (head.host === '') return refuse(400, 'the request names no authority');
  if (head.host === head.checkedHost) {
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

/** How the body would be framed in HTTP/1.1; that it is as long as it says is seen to by node:http2. */
function readFraming(head: RequestHead, whole: boolean): Refusal | undefined {
  const value = knownValue(head.fields, known.contentLength);
  head.contentLength = value === undefined ? -1 : parseContentLength(value);
  head.plainLength = true;
  head.body = bodyKind.none;
  if (value !== undefined && head.contentLength < 0) return refuse(400, 'the Content-Length is not valid');
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
  const te = fields.seen & bit(known.te) ? knownValue(fields, known.te)! : undefined;
  head.acceptsTrailers = te !== undefined && listMembers(te).includes('trailers');
  head.expectContinue = false;
  if ((fields.seen & bit(known.expect)) === 0) return undefined;
  if (knownValue(fields, known.expect)!.toLowerCase() !== '100-continue')
    return refuse(417, 'the expectation is not known');
  head.expectContinue = true;
  return undefined;
}
