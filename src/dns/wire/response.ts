/** Responses to a query, in its own terms: id, question as it was written, OPT when it had one, and within its size. */
import { decodeMessage } from './decode.ts';
import { encodeMessage, encodeOpt } from './encode.ts';
import type { EdnsOption, Message, ResourceRecord } from './message.ts';
import { recordType } from './numbers.ts';
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
  /** Where the data of the answers is, when they are addresses of one name and may change places. */
  readonly addresses?: AddressPlaces;
  /** The second 16 bits of the header, without RD and CD, when they are not those of a server's own answer. */
  readonly flags?: number;
  readonly rcode?: number;
  /** Of its first answer, or of the SOA record in the place of one, seconds; 0 without either. */
  readonly ttl?: number;
  /** No section has two records that could change places: known without decoding. */
  readonly fixedOrder?: boolean;
}

/** The addresses of an RRset in an encoded answer: at `first`, then every `step` bytes, `size` bytes each. */
export interface AddressPlaces {
  readonly first: number;
  readonly step: number;
  readonly size: 4 | 16;
  readonly count: number;
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
    authenticData: wantsAuthentic(query) && (answer.authenticData ?? false),
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
  const addresses = addressPlaces(answer, bytes, query.nameEnd + 4);
  const ttl = (answer.answers[0] ?? answer.authority[0])?.ttl ?? 0;
  const fixedOrder = hasFixedOrder(answer);
  return {
    answer,
    bytes,
    ttl,
    fixedOrder,
    ...(serialInTail && { serialAt: bytes.length - 20 }),
    ...(addresses && { addresses }),
  };
}

const movable = new Set<number>([recordType.A, recordType.AAAA, recordType.MX]);

/** Whether no section has two records that plugins may put in another order (addresses, MX records). */
export function hasFixedOrder({ answers, authority, additional }: Answer): boolean {
  return [answers, authority, additional].every(
    (records) => records.length < 2 || records.filter(({ type }) => movable.has(type)).length < 2,
  );
}

/** Places of the addresses in an answer that has nothing but two or more of the name asked for. */
export function addressPlaces(answer: Answer, bytes: Uint8Array, questionEnd: number): AddressPlaces | undefined {
  const { answers, authority, additional } = answer;
  const [first] = answers;
  if (answers.length < 2 || authority.length > 0 || additional.length > 0) return undefined;
  const size = first!.type === recordType.A ? 4 : first!.type === recordType.AAAA ? 16 : 0;
  const step = 12 + size;
  // Each owner is a pointer of two bytes, which is what makes them exchangeable.
  if (size === 0 || bytes.length !== questionEnd + answers.length * step) return undefined;
  if (answers.some(({ type, ttl }) => type !== first!.type || ttl !== first!.ttl)) return undefined;
  return { first: questionEnd + 12, step, size, count: answers.length };
}

/** Puts the addresses of an encoded answer in random order, in place (Fisher-Yates). Needs to be fair, not secret. */
export function shuffleAddresses(bytes: Uint8Array, { first, step, size, count }: AddressPlaces): void {
  for (let i = count - 1; i > 0; i--) {
    const from = first + i * step;
    const to = first + Math.floor(Math.random() * (i + 1)) * step;
    if (from === to) continue;
    for (let byte = 0; byte < size; byte++) {
      const kept = bytes[from + byte]!;
      bytes[from + byte] = bytes[to + byte]!;
      bytes[to + byte] = kept;
    }
  }
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
  shuffle = false,
): Uint8Array {
  const opt = query.edns && encodeOpt(responseEdns(query.edns), ready.rcode ?? ready.bytes[3]! & 15);
  const size = ready.bytes.length + (opt?.length ?? 0);
  if (size > options.limit && ready.addresses) return cutAddresses(query, ready, ready.addresses, options, opt, ttl);
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
  if (shuffle && ready.addresses) shuffleAddresses(response, ready.addresses);
  if (opt) {
    response.set(opt, ready.bytes.length);
    response.writeUInt16BE(response.readUInt16BE(10) + 1, 10);
  }
  return response;
}

/**
 * As many addresses as there is room for, from a random one on, with TC: what encoding anew would give, without reading
 * the hundreds of records that a large headless Service has.
 */
function cutAddresses(
  query: Query,
  ready: ReadyAnswer,
  { first, step, size, count }: AddressPlaces,
  options: ResponseOptions,
  opt: Uint8Array | undefined,
  ttl: number | undefined,
): Uint8Array {
  const start = first - 12;
  const fitting = Math.min(count, Math.max(0, Math.floor((options.limit - start - (opt?.length ?? 0)) / step)));
  const end = start + fitting * step;
  const response = Buffer.allocUnsafe(end + (opt?.length ?? 0));
  response.set(ready.bytes.subarray(0, end));
  response.set(query.packet.subarray(12, query.nameEnd), 12);
  const from = Math.floor(Math.random() * count);
  for (let i = 0; i < fitting; i++) {
    const source = first + ((from + i) % count) * step;
    for (let byte = 0; byte < size; byte++) response[first + i * step + byte] = ready.bytes[source + byte]!;
    if (ttl !== undefined) response.writeUInt32BE(ttl, first + i * step - 6);
  }
  const flags = ready.flags === undefined ? ownFlags(query, ready, options) : askedFlags(query, ready.flags);
  response.writeUInt16BE(query.id, 0);
  response.writeUInt16BE(flags | 0x200, 2);
  response.writeUInt16BE(fitting, 6);
  if (opt) {
    response.set(opt, end);
    response.writeUInt16BE(1, 10);
  }
  return response;
}

/** AA and rcode as they were encoded, RD and CD as asked, RA as this server has it. */
function ownFlags(query: Query, { bytes }: ReadyAnswer, { recursionAvailable }: ResponseOptions): number {
  return responseFlags(query, {
    rcode: bytes[3]! & 15,
    authoritative: (bytes[2]! & 0x04) !== 0,
    recursionAvailable,
  });
}

/** Whether the client takes notice of AD; others are not told (RFC 6840 section 5.8). */
const wantsAuthentic = (query: Query): boolean => query.authenticData || query.edns?.dnssecOk === true;

/** Flags kept, with RD and CD as asked. */
function askedFlags(query: Query, flags: number): number {
  const kept = wantsAuthentic(query) ? flags : flags & ~0x20;
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
    if (!wantsAuthentic(query)) response[3]! &= ~0x20;
    return response;
  }
  const decoded = decodeMessage(bytes);
  if (!decoded.ok) return undefined;
  const authenticData = decoded.value.authenticData && wantsAuthentic(query);
  return encodeMessage({ ...decoded.value, id: query.id, authenticData }, limit);
}
