/** Asking a service by ext_authz over gRPC, and what follows from its answer. */
import { randomUUID } from 'node:crypto';
import type { GrpcAuthFilter, HeaderPair } from '../../../routing/plan/plan.ts';
import { onResponse } from '../../exchange/attachments.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { isFieldValue, isToken } from '../../http1/characters.ts';
import { addField, currentValue, type Fields, fieldPairs, setField } from '../../http1/fields.ts';
import { bodyKind, type RequestHead } from '../../http1/request.ts';
import type { Target } from '../../routes/compile.ts';
import type { Outcome, Question, Told } from '../../subrequest/subrequests.ts';
import { factOf, passedLines } from '../facts.ts';
import { ownFields } from '../header-change.ts';
import type { Denial } from '../types.ts';
import {
  type Admission,
  decodeCheckResponse,
  encodeCheckRequest,
  type HeaderOption,
  type Refusal,
} from './authorization.ts';
import { changeQuery } from './query.ts';
import { failureOf, type Judge, takeAway } from './verdict.ts';

const METHOD = '/envoy.service.auth.v3.Authorization/Check';

/** A message in its frame: not compressed, and so long (PROTOCOL-HTTP2 of gRPC, Length-Prefixed-Message). */
const FRAME_BYTES = 5;

export function createCheckQuestion(
  filter: GrpcAuthFilter,
  target: Target,
): (exchange: Exchange, head: RequestHead) => Question {
  const { host, timeoutMs = 0 } = filter;
  const wanted = filter.requestHeaders === 'all' ? undefined : new Set(filter.requestHeaders);
  return (exchange, head) => {
    const body = filter.body ? (exchange.kept ?? []) : [];
    const message = encodeCheckRequest(attributesOf(exchange, head, wanted, Buffer.concat(body)));
    const frame = Buffer.alloc(FRAME_BYTES);
    frame.writeUInt32BE(message.length, 1);
    const deadline = timeoutMs || exchange.client.runtime.settings.filters.subrequestTimeoutMs;
    const lines = `Content-Type: application/grpc\r\nTE: trailers\r\ngrpc-timeout: ${Math.min(deadline, 99_999_999)}m\r\n`;
    return { target, method: 'POST', host, path: METHOD, lines, body: [frame, message], timeoutMs };
  };
}

function attributesOf(exchange: Exchange, head: RequestHead, wanted: ReadonlySet<string> | undefined, body: Buffer) {
  const { client } = exchange;
  const { listener } = client.door.table;
  const { remotePort = 0 } = client.socket;
  const address = factOf['client-address'](exchange, head);
  const protocol = client.wire.protocol(exchange);
  return {
    source: { address, port: address === client.address ? remotePort : 0 },
    destination: { address: listener.address, port: listener.port },
    time: Date.now(),
    id: currentValue(head.fields, 'x-request-id') || randomUUID(),
    method: head.method,
    headers: headersOf(exchange, head, wanted),
    path: head.target,
    host: head.host,
    scheme: factOf.scheme(exchange, head),
    protocol: protocol === 'HTTP/2.0' ? 'HTTP/2' : protocol,
    size: sizeOf(head, body),
    body,
    serverName: client.serverName ?? '',
  };
}

function sizeOf({ body: kind, contentLength }: RequestHead, body: Buffer): number {
  if (kind === bodyKind.none) return 0;
  return kind === bodyKind.length ? contentLength : body.length || -1;
}

/** Of the connection. What a client without our trust says of who it is comes in attributes of its own. */
const notShown: ReadonlySet<string> = new Set([...ownFields, 'http2-settings', 'forwarded']);

function headersOf(
  { client }: Exchange,
  head: RequestHead,
  wanted: ReadonlySet<string> | undefined,
): readonly HeaderPair[] {
  const found = new Map<string, string>();
  if (!wanted) {
    found.set(':method', head.method).set(':path', head.target).set(':authority', head.host);
  }
  for (const [name, value] of fieldPairs(head.fields)) {
    const lower = name.toLowerCase();
    if (wanted && !wanted.has(lower)) continue;
    if (head.connectionNames.includes(lower) || (notShown.has(lower) && !isShown(lower, client.trusted))) continue;
    const before = found.get(lower);
    // RFC 9113 section 8.2.3 for Cookie, RFC 9110 section 5.3 for the others.
    found.set(lower, before === undefined ? value : `${before}${lower === 'cookie' ? '; ' : ','}${value}`);
  }
  return [...found];
}

/** The length of the body is worth knowing. */
function isShown(name: string, isTrusted: boolean): boolean {
  return name === 'content-length' || (name === 'forwarded' && isTrusted);
}

export function createCheckJudge(filter: GrpcAuthFilter): Judge {
  const failure = failureOf(filter);
  return (outcome, exchange, head) => {
    const answer = readAnswer(outcome);
    const problem = 'problem' in answer ? answer.problem : problemOf(answer);
    if (problem !== undefined) {
      exchange.reason ??= `external auth failed: ${problem}`;
      return failure;
    }
    const found = answer as Admission | Refusal;
    if (!found.admitted) return deny(found);
    letIn(found, exchange, head);
    return undefined;
  };
}

type Problem = { readonly problem: string };

/** OK in google.rpc.Code. */
const GRPC_OK = '0';

function readAnswer(outcome: Outcome): Admission | Refusal | Problem {
  if ('problem' in outcome) return outcome;
  const { status, body } = outcome;
  if (status !== 200) return { problem: `it answered ${status}` };
  const code = trailerOf(outcome, 'grpc-status');
  if (code === undefined) return { problem: 'it answered without a grpc-status' };
  if (code !== GRPC_OK) return { problem: `the call failed with grpc-status ${code}` };
  const message = body === undefined ? undefined : messageOf(Buffer.from(body, 'latin1'));
  const answer = message && decodeCheckResponse(message);
  return answer ?? { problem: 'its answer is no CheckResponse, or longer than maxSubrequestBodyBytes' };
}

/** From the trailers, or the head of an answer that has nothing else. */
function trailerOf({ fields, trailers }: Told, name: string): string | undefined {
  const line = trailers.split('\r\n').find((each) => each.toLowerCase().startsWith(`${name}:`));
  if (line !== undefined) return line.slice(name.length + 1).trim();
  return fields.find(([given]) => given.toLowerCase() === name)?.[1].trim();
}

/** The only message of a unary call. */
function messageOf(body: Buffer): Buffer | undefined {
  if (body.length < FRAME_BYTES || body[0] !== 0) return undefined;
  return body.readUInt32BE(1) === body.length - FRAME_BYTES ? body.subarray(FRAME_BYTES) : undefined;
}

/** Why an answer cannot be followed. One that is followed in part might let in more than was meant. */
function problemOf(answer: Admission | Refusal): string | undefined {
  const options = answer.admitted ? [...answer.headers, ...answer.responseHeaders] : answer.headers;
  const bad = options.find(({ name, value }) => !isToken(name) || !isFieldValue(value));
  if (bad) return `it changes ${JSON.stringify(bad.name)}, which cannot be changed so`;
  const { status } = answer.admitted ? { status: 403 } : answer;
  if (status < 200 || status > 599) return `it denies with ${status}, which is no status`;
  const own = answer.admitted ? answer.headers.find(({ name }) => isOfConnection(name)) : undefined;
  return own && `it changes ${own.name}, which belongs to the connection`;
}

const isOfConnection = (name: string) => ownFields.has(name.toLowerCase()) || name.toLowerCase() === 'host';

function letIn(answer: Admission, exchange: Exchange, head: RequestHead): void {
  const { headers, headersToRemove, responseHeaders, queryToSet, queryToRemove } = answer;
  // Those of the connection stay, as does Host (OkHttpResponse.headers_to_remove).
  const removed = headersToRemove.map((name) => name.toLowerCase()).filter((name) => !isOfConnection(name));
  const replaced = headers.filter(({ action }) => action === 'set').map(({ name }) => name.toLowerCase());
  takeAway(new Set([...removed, ...replaced]), head);
  applyAll(headers, head.fields);
  if (head.connectionNames.length > 0) {
    const named = new Set(headers.map(({ name }) => name.toLowerCase()));
    head.connectionNames = head.connectionNames.filter((name) => !named.has(name));
  }
  if (queryToSet.length + queryToRemove.length > 0) changeQuery(head, queryToSet, queryToRemove);
  const shown = responseHeaders.filter(({ name }) => !isOfConnection(name));
  if (shown.length > 0) addToResponse(exchange, shown);
}

const apply: Readonly<Record<HeaderOption['action'], (fields: Fields, name: string, value: string) => void>> = {
  set: setField,
  append: addField,
  default(fields, name, value) {
    if (currentValue(fields, name.toLowerCase()) === undefined) addField(fields, name, value);
  },
  replace(fields, name, value) {
    if (currentValue(fields, name.toLowerCase()) !== undefined) setField(fields, name, value);
  },
};

/** Of several that set one header, the later ones are further values of it. */
function applyAll(options: readonly HeaderOption[], fields: Fields): void {
  const set = new Set<string>();
  for (const { name, value, action } of options) {
    const lower = name.toLowerCase();
    apply[action === 'set' && set.has(lower) ? 'append' : action](fields, name, value);
    if (action === 'set') set.add(lower);
  }
}

function addToResponse(exchange: Exchange, options: readonly HeaderOption[]): void {
  onResponse(exchange, (fields) => applyAll(options, fields));
}

/** The service says what the client gets, status included. */
function deny({ status, headers, body }: Refusal): Denial {
  const lines = passedLines(headers.map(({ name, value }) => [name, value]));
  const type = body === '' || headers.some(({ name }) => name.toLowerCase() === 'content-type');
  return {
    status,
    flag: 'auth_denied',
    reason: `external auth answered ${status}`,
    lines: type ? lines : `Content-Type: text/plain; charset=utf-8\r\n${lines}`,
    bytes: body,
  };
}
