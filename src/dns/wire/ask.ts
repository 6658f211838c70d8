/** Queries to other servers, and whether what comes back answers them. */
import { randomInt } from 'node:crypto';
import { encodeMessage } from './encode.ts';
import type { Edns, Message } from './message.ts';
import { recordClass } from './numbers.ts';
import { type ParsedQuery, parseQuery, type Query } from './query.ts';

export interface QueryOptions {
  /** Default: random. */
  id?: number;
  /** Default true. */
  recursionDesired?: boolean;
  checkingDisabled?: boolean;
  authenticData?: boolean;
  /** Default: no OPT record. */
  edns?: Edns;
  /** Default IN. */
  class?: number;
}

/** Bytes of a query. Throws RangeError when no such name can exist. */
export function encodeQuery(name: string, type: number, options: QueryOptions = {}): Uint8Array {
  const message: Message = {
    id: options.id ?? randomInt(0x10000),
    response: false,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: options.recursionDesired ?? true,
    recursionAvailable: false,
    authenticData: options.authenticData ?? false,
    checkingDisabled: options.checkingDisabled ?? false,
    rcode: 0,
    questions: [{ name, type, class: options.class ?? recordClass.IN }],
    answers: [],
    authority: [],
    additional: [],
    ...(options.edns && { edns: options.edns }),
  };
  return encodeMessage(message);
}

/**
 * Whether a packet is a response to the query, by id, opcode and question in whatever case (RFC 5452 section 9). An
 * error response may come without the question.
 */
export function isResponseTo(query: Query, packet: Uint8Array): boolean {
  if (packet.length < 12 || (packet[2]! & 0xf8) !== 0x80 || query.id !== ((packet[0]! << 8) | packet[1]!)) return false;
  const questions = (packet[4]! << 8) | packet[5]!;
  if (questions === 0) return (packet[3]! & 15) !== 0;
  const answered = parseAsQuery(packet);
  return (
    answered.ok &&
    answered.query.key === query.key &&
    answered.query.type === query.type &&
    answered.query.class === query.class
  );
}

/** Reads the question of a response with the parser of queries, which looks at header and question only. */
function parseAsQuery(packet: Uint8Array): ParsedQuery {
  const copy = Buffer.from(packet.subarray(0, Math.min(packet.length, 12 + 255 + 4)));
  copy[2] = 0;
  copy.fill(0, 6, 12);
  return parseQuery(copy);
}
