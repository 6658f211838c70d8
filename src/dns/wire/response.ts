/** Responses to a query, in its own terms: id, question as it was written, OPT when it had one, and within its size. */
import { decodeMessage } from './decode.ts';
import { encodeMessage, encodeOpt } from './encode.ts';
import type { Message, ResourceRecord } from './message.ts';
import { nameOf, type Query, responseEdns, responseFlags } from './query.ts';

/** The part of a response that handlers decide. */
export interface Answer {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly answers: readonly ResourceRecord[];
  readonly authority: readonly ResourceRecord[];
  readonly additional: readonly ResourceRecord[];
}

/** An answer encoded once for all who ask the same name and type; id, case of the name and OPT are filled in per query. */
export interface ReadyAnswer {
  readonly answer: Answer;
  /** Header with id 0, question in lower case, sections; no OPT. */
  readonly bytes: Uint8Array;
  /** Offset of the serial of the SOA record, when it must be the one of the moment. */
  readonly serialAt?: number;
}

export interface ResponseOptions {
  /** Largest response, bytes. */
  readonly limit: number;
  /** Says that this server also answers for names elsewhere. */
  readonly recursionAvailable: boolean;
}

/** An answer without records. */
export function emptyAnswer(rcode: number): Answer {
  return { rcode, authoritative: false, answers: [], authority: [], additional: [] };
}

/** The whole message that an answer makes for a query. */
export function responseMessage(query: Query, answer: Answer, recursionAvailable: boolean): Message {
  return {
    id: query.id,
    response: true,
    opcode: 0,
    authoritative: answer.authoritative,
    truncated: false,
    recursionDesired: query.recursionDesired,
    recursionAvailable,
    authenticData: false,
    checkingDisabled: query.checkingDisabled,
    rcode: answer.rcode,
    questions: [{ name: nameOf(query), type: query.type, class: query.class }],
    answers: answer.answers,
    authority: answer.authority,
    additional: answer.additional,
    ...(query.edns && { edns: responseEdns(query.edns) }),
  };
}

export function encodeAnswer(query: Query, answer: Answer, options: ResponseOptions): Uint8Array {
  return encodeMessage(responseMessage(query, answer, options.recursionAvailable), options.limit);
}

/** Encodes an answer for reuse. `serialInTail`: its last record is the SOA, whose serial is patched when it is sent. */
export function prepareAnswer(query: Query, answer: Answer, serialInTail: boolean): ReadyAnswer {
  const { edns: _, ...bare } = responseMessage(query, answer, false);
  const bytes = encodeMessage({ ...bare, id: 0 });
  return { answer, bytes, ...(serialInTail && { serialAt: bytes.length - 20 }) };
}

/** Bytes of a ready answer for one query; encodes anew, with truncation, when it is too large for the client. */
export function fillReady(query: Query, ready: ReadyAnswer, serial: number, options: ResponseOptions): Uint8Array {
  const opt = query.edns && encodeOpt(responseEdns(query.edns), ready.answer.rcode);
  const size = ready.bytes.length + (opt?.length ?? 0);
  if (size > options.limit) return encodeAnswer(query, ready.answer, options);
  const response = Buffer.allocUnsafe(size);
  response.set(ready.bytes);
  response.set(query.packet.subarray(12, query.nameEnd), 12);
  response.writeUInt16BE(query.id, 0);
  const { rcode, authoritative } = ready.answer;
  const { recursionAvailable } = options;
  response.writeUInt16BE(responseFlags(query, { rcode, authoritative, recursionAvailable }), 2);
  if (ready.serialAt !== undefined) response.writeUInt32BE(serial, ready.serialAt);
  if (opt) {
    response.set(opt, ready.bytes.length);
    response.writeUInt16BE(response.readUInt16BE(10) + 1, 10);
  }
  return response;
}

/**
 * A response that another server made for this very question, with this client's id and within its limit. Undefined
 * when it is too large and cannot be read.
 */
export function fillForeign(query: Query, bytes: Uint8Array, limit: number): Uint8Array | undefined {
  if (bytes.length <= limit) {
    const response = Buffer.from(bytes);
    response.writeUInt16BE(query.id, 0);
    return response;
  }
  const decoded = decodeMessage(bytes);
  return decoded.ok ? encodeMessage({ ...decoded.value, id: query.id }, limit) : undefined;
}
