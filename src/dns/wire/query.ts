/**
 * The fast parser of what a server receives: header, one question and the OPT record. It reads nothing else, and makes
 * the error responses that need no answer from anybody.
 */
import { readOptions } from './decode.ts';
import { encodeFlags, encodeOpt } from './encode.ts';
import type { Edns } from './message.ts';
import { labelsOfKey, labelText, maxLabelLength, maxNameLength, readName } from './name.ts';
import { opcode as opcodes, rcode, recordType } from './numbers.ts';

export interface Query {
  /** The bytes as they came. */
  readonly packet: Uint8Array;
  readonly id: number;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
  readonly authenticData: boolean;
  /**
   * The name asked for, as on the wire but in lower case: bytes in a string, lengths and root included. This is what
   * answers are filed under.
   */
  readonly key: string;
  /** Offset behind the name in `packet`. */
  readonly nameEnd: number;
  readonly type: number;
  readonly class: number;
  readonly edns?: Edns;
}

export type ParsedQuery =
  | { readonly ok: true; readonly query: Query }
  /** What to send back; undefined when silence is right (no header, or itself a response). */
  | { readonly ok: false; readonly response: Uint8Array | undefined };

/** What Fairway says about itself in the OPT record of its responses, bytes (DNS flag day 2020). */
export const ownUdpSize = 1232;

const headerSize = 12;
const folded = Buffer.allocUnsafeSlow(maxNameLength + 1);
const silence: ParsedQuery = { ok: false, response: undefined };

/**
 * Parses a packet. FORMERR for anything but one readable question (RFC 9619), NOTIMP for other opcodes, BADVERS for
 * EDNS versions above 0 (RFC 6891 section 6.1.3).
 */
export function parseQuery(packet: Uint8Array): ParsedQuery {
  if (packet.length < headerSize || (packet[2]! & 0x80) !== 0) return silence;
  if (((packet[2]! >> 3) & 15) !== opcodes.QUERY) return refuse(packet, rcode.NOTIMP);
  if (read16(packet, 4) !== 1) return refuse(packet, rcode.FORMERR);
  const nameEnd = foldName(packet);
  if (nameEnd < 0 || nameEnd + 4 > packet.length) return refuse(packet, rcode.FORMERR);
  const opt = readOpt(packet, nameEnd + 4);
  if (opt === 'malformed') return refuse(packet, rcode.FORMERR, nameEnd + 4);
  if (opt && opt.version > 0) return refuse(packet, rcode.BADVERS, nameEnd + 4, opt);
  const query: Query = {
    packet,
    id: read16(packet, 0),
    recursionDesired: (packet[2]! & 0x01) !== 0,
    checkingDisabled: (packet[3]! & 0x10) !== 0,
    authenticData: (packet[3]! & 0x20) !== 0,
    key: folded.toString('latin1', 0, nameEnd - headerSize),
    nameEnd,
    type: read16(packet, nameEnd),
    class: read16(packet, nameEnd + 2),
    ...(opt && { edns: opt }),
  };
  return { ok: true, query };
}

function read16(packet: Uint8Array, at: number): number {
  return (packet[at]! << 8) | packet[at + 1]!;
}

/** Copies the question's name in lower case to `folded`; returns its end, or -1. There is nothing yet that it could point to. */
function foldName(packet: Uint8Array): number {
  let at = headerSize;
  for (;;) {
    const length = packet[at];
    if (length === undefined || length > maxLabelLength) return -1;
    const end = at + 1 + length;
    if (end > packet.length || end - headerSize > maxNameLength) return -1;
    folded[at - headerSize] = length;
    for (let i = at + 1; i < end; i++) {
      const byte = packet[i]!;
      folded[i - headerSize] = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    }
    if (length === 0) return end;
    at = end;
  }
}

/** The OPT record behind the question, past any other records; at most one may be there (RFC 6891 section 6.1.1). */
function readOpt(packet: Uint8Array, start: number): Edns | undefined | 'malformed' {
  const before = read16(packet, 6) + read16(packet, 8);
  const total = before + read16(packet, 10);
  let at = start;
  let found: Edns | undefined;
  for (let i = 0; i < total; i++) {
    const owner = readName(packet, at);
    if (!owner || owner.end + 10 > packet.length) return 'malformed';
    const body = owner.end + 10;
    const end = body + read16(packet, owner.end + 8);
    if (end > packet.length) return 'malformed';
    at = end;
    if (read16(packet, owner.end) !== recordType.OPT) continue;
    const options = readOptions(packet, body, end);
    if (found || i < before || owner.name !== '.' || !options) return 'malformed';
    found = {
      udpSize: read16(packet, owner.end + 2),
      version: packet[owner.end + 5]!,
      dnssecOk: (packet[owner.end + 6]! & 0x80) !== 0,
      options,
    };
  }
  return found;
}

/** A response without records, with the question when it could be read (up to `questionEnd`). */
function refuse(packet: Uint8Array, code: number, questionEnd = headerSize, edns?: Edns): ParsedQuery {
  const question = packet.subarray(headerSize, questionEnd);
  const opt = edns ? encodeOpt(responseEdns(edns), code) : Buffer.alloc(0);
  const response = Buffer.alloc(headerSize + question.length + opt.length);
  response[0] = packet[0]!;
  response[1] = packet[1]!;
  response[2] = 0x80 | (packet[2]! & 0x79);
  response[3] = (packet[3]! & 0x10) | (code & 15);
  response[5] = question.length > 0 ? 1 : 0;
  response[11] = opt.length > 0 ? 1 : 0;
  response.set(question, headerSize);
  response.set(opt, headerSize + question.length);
  return { ok: false, response };
}

/** The OPT record that answers a client's: our size, its DO bit, none of its options. */
export function responseEdns(asked: Edns): Edns {
  return { udpSize: ownUdpSize, version: 0, dnssecOk: asked.dnssecOk, options: [] };
}

/** The name asked for in presentation form, with the case that the client chose. */
export function nameOf(query: Query): string {
  let name = '';
  for (let at = headerSize; query.packet[at] !== 0; at += query.packet[at]! + 1)
    name += `${labelText(query.packet, at + 1, at + 1 + query.packet[at]!)}.`;
  return name || '.';
}

/** Labels asked for, in lower case and without the root. */
export function labelsOf(query: Query): string[] {
  return labelsOfKey(query.key);
}

/** Bytes that a response over UDP may have: what the client takes, at least 512, at most `cap`. */
export function udpLimit(query: Query, cap: number): number {
  return Math.min(Math.max(query.edns?.udpSize ?? 512, 512), Math.max(cap, 512));
}

/** Header flags of a response to a query. */
export function responseFlags(
  query: Query,
  response: { rcode: number; authoritative: boolean; recursionAvailable: boolean },
): number {
  return encodeFlags({
    response: true,
    opcode: opcodes.QUERY,
    truncated: false,
    authenticData: false,
    recursionDesired: query.recursionDesired,
    checkingDisabled: query.checkingDisabled,
    ...response,
  });
}
