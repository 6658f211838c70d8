/**
 * Negative answers ready-made: they consist of the question and the SOA record of its zone (RFC 2308), of which nothing
 * depends on the question but where in it the zone's name begins.
 */
import { decodeMessage } from './decode.ts';
import { encodeMessage } from './encode.ts';
import type { ResourceRecord } from './message.ts';
import { keyOfName } from './name.ts';
import { recordClass } from './numbers.ts';
import type { Query } from './query.ts';
import { type Answer, emptyAnswer, type ReadyAnswer } from './response.ts';

/** Makes the answer to a query below the zone; undefined when the query is not. */
export type NegativeAnswers = (query: Query, rcode: number) => ReadyAnswer | undefined;

const headerSize = 12;
/** Where the zone's name stands in a message that asks for the zone itself. */
const toZone = 0xc000 | headerSize;

/** Offsets, in the encoded SOA record, of the pointers to the zone: of its owner, and at the end of its two names. */
function pointersIn(tail: Buffer): number[] | undefined {
  const found = [0];
  let at = 12;
  for (let name = 0; name < 2; name++) {
    while (tail[at]! > 0 && tail[at]! < 0xc0) at += tail[at]! + 1;
    found.push(at);
    at += 2;
  }
  return found.every((offset) => tail.readUInt16BE(offset) === toZone) ? found : undefined;
}

/**
 * `soa`: its two names lie in the zone that it belongs to; its serial is filled in per response
 * (`ReadyAnswer.serialAt`). Undefined for zones that cannot be pointed to (the root), and other SOA records.
 */
export function createNegativeAnswers(soa: ResourceRecord): NegativeAnswers | undefined {
  const zone = keyOfName(soa.name);
  if (zone === undefined || zone === '\0') return undefined;
  const question = { name: soa.name, type: soa.type, class: recordClass.IN };
  const empty = { ...emptyAnswer(0), truncated: false, recursionDesired: false, recursionAvailable: false };
  const flags = { id: 0, response: true, opcode: 0, authenticData: false, checkingDisabled: false };
  const whole = encodeMessage({ ...empty, ...flags, authoritative: true, questions: [question], authority: [soa] });
  const tail = Buffer.from(whole.subarray(headerSize + zone.length + 4));
  const pointers = pointersIn(tail);
  if (!pointers) return undefined;

  return (query, rcode) => {
    if (!query.key.endsWith(zone)) return undefined;
    const questionEnd = query.nameEnd + 4;
    const bytes = Buffer.allocUnsafe(questionEnd + tail.length);
    bytes.set(whole.subarray(0, headerSize));
    bytes[3] = (bytes[3]! & 0xf0) | rcode;
    bytes.set(query.packet.subarray(headerSize, questionEnd), headerSize);
    bytes.set(tail, questionEnd);
    const pointer = 0xc000 | (query.nameEnd - zone.length);
    for (const at of pointers) bytes.writeUInt16BE(pointer, questionEnd + at);
    return {
      ...{ bytes, ttl: soa.ttl, serialAt: bytes.length - 20 },
      get answer(): Answer {
        const decoded = decodeMessage(bytes);
        const authority = decoded.ok ? decoded.value.authority : [];
        return { ...emptyAnswer(rcode), authoritative: true, authority };
      },
    };
  };
}
