/** Responses to a query, in its own terms: id, question as it was written, OPT when it had one, and within its size. */
import { decodeMessage } from './decode.ts';
import { encodeMessage, encodeOpt } from './encode.ts';
import type { EdnsOption, Message, ResourceRecord } from './message.ts';
import { nameOf, type Query, responseEdns, responseFlags } from './query.ts';

/** The part of a response that handlers decide. */
export interface Answer {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly answers: readonly ResourceRecord[];
  readonly authority: readonly ResourceRecord[];
  readonly additional: readonly ResourceRecord[];
  /** Flags; left out they are the server's own: RD as asked, RA as it forwards, AD and CD off and as asked. */
  readonly recursionDesired?: boolean;
  readonly recursionAvailable?: boolean;
  readonly authenticData?: boolean;
  readonly checkingDisabled?: boolean;
  /** More was known than is here. */
  readonly truncated?: boolean;
  /** For the OPT record, when the client sent one. */
  readonly options?: readonly EdnsOption[];
}

/** An answer encoded once for all who ask the same name and type; id, case of the name and OPT are filled in per query. */
export interface ReadyAnswer {
  readonly answer: Answer;
  /** Header with id 0, question in lower case, sections; no OPT. */
  readonly bytes: Uint8Array;
  /** Offset of the serial of the SOA record, when it must be the one of the moment. */
  readonly serialAt?: number;
  /** Offsets of the TTLs, when they run down. */
  readonly ttlAt?: readonly number[];
  /** The second 16 bits of the header, without RD and CD, when they are not those of a server's own answer. */
  readonly flags?: number;
  readonly rcode?: number;
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
    truncated: answer.truncated ?? false,
    recursionDesired: answer.recursionDesired ?? query.recursionDesired,
    recursionAvailable: answer.recursionAvailable ?? recursionAvailable,
    authenticData: answer.authenticData ?? false,
    checkingDisabled: answer.checkingDisabled ?? query.checkingDisabled,
    rcode: answer.rcode,
    questions: [{ name: nameOf(query), type: query.type, class: query.class }],
    answers: answer.answers,
    authority: answer.authority,
    additional: answer.additional,
    ...(query.edns && { edns: { ...responseEdns(query.edns), options: answer.options ?? [] } }),
  };
}

/** The answer in a message that another server made. */
export function answerOf(message: Message): Answer {
  const { rcode, authoritative, answers, authority, additional, truncated } = message;
  const { recursionDesired, recursionAvailable, authenticData, checkingDisabled } = message;
  return {
    ...{ rcode, authoritative, answers, authority, additional, truncated },
    ...{ recursionDesired, recursionAvailable, authenticData, checkingDisabled },
    ...(message.edns && { options: message.edns.options }),
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

/** An answer with all its TTLs set. */
export function withTtl(answer: Answer, ttl: number): Answer {
  const set = (records: readonly ResourceRecord[]) => records.map((record) => ({ ...record, ttl }));
  return {
    ...answer,
    answers: set(answer.answers),
    authority: set(answer.authority),
    additional: set(answer.additional),
  };
}

/**
 * Bytes of a ready answer for one query; encodes anew, with truncation, when it is too large for the client. `ttl`: what
 * is left of it, for answers whose TTLs run down.
 */
export function fillReady(
  query: Query,
  ready: ReadyAnswer,
  serial: number,
  options: ResponseOptions,
  ttl?: number,
): Uint8Array {
  const opt = query.edns && encodeOpt(responseEdns(query.edns), ready.rcode ?? ready.answer.rcode);
  const size = ready.bytes.length + (opt?.length ?? 0);
  if (size > options.limit)
    return encodeAnswer(query, ttl === undefined ? ready.answer : withTtl(ready.answer, ttl), options);
  const response = Buffer.allocUnsafe(size);
  response.set(ready.bytes);
  response.set(query.packet.subarray(12, query.nameEnd), 12);
  response.writeUInt16BE(query.id, 0);
  response.writeUInt16BE(
    ready.flags === undefined ? ownFlags(query, ready, options) : askedFlags(query, ready.flags),
    2,
  );
  if (ttl !== undefined) for (const at of ready.ttlAt ?? []) response.writeUInt32BE(ttl, at);
  if (ready.serialAt !== undefined) response.writeUInt32BE(serial, ready.serialAt);
  if (opt) {
    response.set(opt, ready.bytes.length);
    response.writeUInt16BE(response.readUInt16BE(10) + 1, 10);
  }
  return response;
}

function ownFlags(query: Query, { answer }: ReadyAnswer, { recursionAvailable }: ResponseOptions): number {
  const { rcode, authoritative } = answer;
  return responseFlags(query, { rcode, authoritative, recursionAvailable });
}

/** Flags kept, with RD and CD as asked; AD only for who asked for it (RFC 6840 section 5.7). */
function askedFlags(query: Query, flags: number): number {
  const wantsAuthentic = query.authenticData || query.edns?.dnssecOk === true;
  const kept = wantsAuthentic ? flags : flags & ~0x20;
  return kept | (query.recursionDesired ? 0x100 : 0) | (query.checkingDisabled ? 0x10 : 0);
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
