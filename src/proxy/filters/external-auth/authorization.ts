/**
 * Messages of `envoy.service.auth.v3.Authorization/Check`, as far as they are used here. Numbers of fields are those of
 * envoy/service/auth/v3/{external_auth,attribute_context}.proto and envoy/config/core/v3/{base,address}.proto.
 * What is unknown in an answer is passed over, as Protocol Buffers ask.
 */
import type { HeaderPair } from '../../../routing/plan/plan.ts';
import { bytesField, messageField, numberField, type ProtoField, readFields } from './protobuf.ts';

export interface Place {
  readonly address: string;
  /** 0: not known. */
  readonly port: number;
}

/** What a service is told of a request: CheckRequest. Texts are as on the wire, one character per byte. */
export interface CheckRequest {
  readonly source: Place;
  readonly destination: Place;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly id: string;
  readonly method: string;
  /** Names in lower case, each once. */
  readonly headers: readonly HeaderPair[];
  /** With the query. */
  readonly path: string;
  readonly host: string;
  readonly scheme: string;
  /** `HTTP/1.1`, `HTTP/2`. */
  readonly protocol: string;
  /** Bytes of the request's body; -1 when that is not known. */
  readonly size: number;
  /** Empty when it is not sent. */
  readonly body: Buffer;
  /** Server name of the TLS connection; '' without. */
  readonly serverName: string;
}

export function encodeCheckRequest(request: CheckRequest): Buffer {
  const attributes = [
    messageField(1, [placeField(request.source)]),
    messageField(2, [placeField(request.destination)]),
    messageField(4, [timestampField(request.time), messageField(2, httpRequest(request))]),
    ...(request.serverName === '' ? [] : [messageField(12, [textField(1, request.serverName)])]),
  ];
  return messageField(1, attributes);
}

/** Peer.address: Address.socket_address. */
function placeField({ address, port }: Place): Buffer {
  return messageField(1, [messageField(1, [bytesField(2, address), numberField(3, port)])]);
}

function timestampField(time: number): Buffer {
  const seconds = Math.floor(time / 1_000);
  return messageField(1, [numberField(1, seconds), numberField(2, Math.floor((time - seconds * 1_000) * 1e6))]);
}

function httpRequest(request: CheckRequest): Buffer[] {
  const { id, method, headers, path, host, scheme, protocol, size, body } = request;
  return [
    textField(1, id),
    textField(2, method),
    ...headers.map(([name, value]) => messageField(3, [textField(1, name), textField(2, value)])),
    textField(4, path),
    textField(5, host),
    textField(6, scheme),
    size < 0 ? unknownSize : numberField(9, size),
    textField(10, protocol),
    bodyField(body),
  ];
}

/** `size: -1`, which int64 writes in ten bytes. */
const unknownSize = Buffer.from([9 << 3, ...Array<number>(9).fill(0xff), 0x01]);

/** As text where it is UTF-8, which is where servers look; as bytes otherwise, which text must not be. */
function bodyField(body: Buffer): Buffer {
  return bytesField(Buffer.from(body.toString('utf8')).equals(body) ? 11 : 12, body);
}

/** A string must be UTF-8: what is not becomes U+FFFD. */
function textField(number: number, text: string): Buffer {
  return bytesField(number, Buffer.from(text, 'latin1').toString('utf8'));
}

/** How a header is to be changed: HeaderValueOption. */
export interface HeaderOption {
  readonly name: string;
  /** One character per byte. */
  readonly value: string;
  /** `set` in place of what is there, `append` after it, `default` where there is none, `replace` only where there is one. */
  readonly action: 'set' | 'append' | 'default' | 'replace';
}

export interface Admission {
  readonly admitted: true;
  /** Of the request. */
  readonly headers: readonly HeaderOption[];
  readonly headersToRemove: readonly string[];
  readonly responseHeaders: readonly HeaderOption[];
  readonly queryToSet: readonly HeaderPair[];
  readonly queryToRemove: readonly string[];
}

export interface Refusal {
  readonly admitted: false;
  /** HTTP's; 403 unless given. */
  readonly status: number;
  readonly headers: readonly HeaderOption[];
  /** One character per byte. */
  readonly body: string;
}

/**
 * The answer of a service: CheckResponse. Undefined when it cannot be read, or has neither status nor ok_response: that
 * would be OK by its defaults, and so would much that was never meant as an answer.
 */
export function decodeCheckResponse(message: Buffer): Admission | Refusal | undefined {
  const fields = readFields(message);
  if (!fields || !(last(fields, 1) || last(fields, 3))) return undefined;
  const status = readLast(fields, 1);
  const denied = readLast(fields, 2);
  const ok = readLast(fields, 3);
  if (!status || !denied || !ok) return undefined;
  return last(status, 1)?.int32 ? refusal(denied) : admission(ok);
}

function admission(fields: readonly ProtoField[]): Admission | undefined {
  const headers = headerOptions(fields, 2);
  const responseHeaders = headerOptions(fields, 6);
  const queryToSet = all(fields, 7).map(readPair);
  if (!headers || !responseHeaders || !queryToSet.every((pair) => pair !== undefined)) return undefined;
  const [headersToRemove, queryToRemove] = [texts(fields, 5), texts(fields, 8)];
  return { admitted: true, headers, headersToRemove, responseHeaders, queryToSet, queryToRemove };
}

function refusal(fields: readonly ProtoField[]): Refusal | undefined {
  const status = readLast(fields, 1);
  const headers = headerOptions(fields, 2);
  if (!status || !headers) return undefined;
  return { admitted: false, status: last(status, 1)?.int32 || 403, headers, body: texts(fields, 3).at(-1) ?? '' };
}

function headerOptions(fields: readonly ProtoField[], number: number): HeaderOption[] | undefined {
  const options = all(fields, number).map(({ bytes }) => headerOption(bytes));
  return options.every((option) => option !== undefined) ? options : undefined;
}

/** HeaderAppendAction, by number. Its zero is told from nothing by nobody: see `actionOf`. */
const actions: readonly HeaderOption['action'][] = ['set', 'default', 'set', 'replace'];

function headerOption(message: Buffer): HeaderOption | undefined {
  const fields = readFields(message);
  const header = fields && readLast(fields, 1);
  const append = fields && readLast(fields, 2);
  if (!fields || !header || !append) return undefined;
  const action = actionOf(fields, append);
  const value = texts(header, 2).at(-1) || texts(header, 3).at(-1) || '';
  return action && { name: texts(header, 1).at(-1) ?? '', value, action };
}

/**
 * `append` (a BoolValue), where it is given, goes before `append_action`. Without either the header takes the place of
 * what is there (OkHttpResponse.headers), so that what clients send by its name gets no further.
 */
function actionOf(fields: readonly ProtoField[], append: readonly ProtoField[]): HeaderOption['action'] | undefined {
  if (last(fields, 2)) return last(append, 1)?.int32 ? 'append' : 'set';
  return actions[last(fields, 3)?.int32 ?? 0];
}

function readPair({ bytes }: ProtoField): HeaderPair | undefined {
  const fields = readFields(bytes);
  return fields && [texts(fields, 1).at(-1) ?? '', texts(fields, 2).at(-1) ?? ''];
}

function all(fields: readonly ProtoField[], number: number): ProtoField[] {
  return fields.filter((field) => field.number === number);
}

function texts(fields: readonly ProtoField[], number: number): string[] {
  return all(fields, number).map(({ bytes }) => bytes.toString('latin1'));
}

/** Of a field that stands several times the last one counts. */
function last(fields: readonly ProtoField[], number: number): ProtoField | undefined {
  return fields.findLast((field) => field.number === number);
}

/** A message within a message; without fields when it is absent, undefined when it is malformed. */
function readLast(fields: readonly ProtoField[], number: number): readonly ProtoField[] | undefined {
  const field = last(fields, number);
  return field ? readFields(field.bytes) : [];
}
