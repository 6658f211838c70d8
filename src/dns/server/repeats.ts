/**
 * Answers that are repeated: the bytes of a question lead to the bytes of its answer. A repetition costs a hash of the
 * packet, a comparison, a copy with a few bytes changed and the counters; no object is made. See plugins/repeat.ts.
 *
 * Questions and answers lie in one ring of bytes, each pair together, since what a repetition costs most is memory that
 * is not at hand. What is new overwrites what is oldest.
 */
import { type CountRepetition, over, type Repeat, unchanged } from '../plugins/repeat.ts';
import type { Query } from '../wire/query.ts';
import { type AddressPlaces, type ReadyAnswer, shuffleAddresses } from '../wire/response.ts';

/** How UDP sockets use the table. */
export interface RepeatedAnswers {
  /**
   * The response to a packet that was answered before; undefined when it is not known or no longer holds. The bytes are
   * lent: they change with the next call. `address`: of the client, IPv4 addresses as such.
   */
  answer(packet: Uint8Array, address: string): Uint8Array | undefined;
  /** What was lent last is still in use: the next call leaves it alone. */
  release(): void;
}

/** An answer as it was sent, with all that is needed to send it again. */
export interface Repeatable {
  readonly query: Query;
  readonly family: 4 | 6;
  /** Whole response, OPT record included. */
  readonly response: Uint8Array;
  readonly ready: ReadyAnswer;
  readonly shuffle: boolean;
  readonly repeat: Repeat;
  readonly count: readonly CountRepetition[];
}

export interface RepeatTable extends RepeatedAnswers {
  remember(answer: Repeatable): void;
  readonly size: number;
}

interface Entry {
  readonly hash: number;
  /** Where the packet without its id begins in the ring, the letters of the name in lower case; the response follows. */
  readonly at: number;
  readonly keySize: number;
  readonly responseSize: number;
  readonly family: 4 | 6;
  readonly nameEnd: number;
  readonly ttlAt: readonly number[] | undefined;
  readonly serialAt: number;
  readonly addresses: AddressPlaces | undefined;
  readonly repeat: Repeat;
  readonly count: readonly CountRepetition[];
}

const headerSize = 12;
const optSize = 11;
/** Behind the header, the longest name, type, class and an OPT record without options. */
const maxPacket = headerSize + 255 + 4 + optSize;
/** Larger responses, which no client takes over UDP, are not kept. */
const maxResponse = 4096;

export const familyOf = (address: string): 4 | 6 => (address.includes(':') ? 6 : 4);
const isCapital = (byte: number): boolean => byte >= 0x41 && byte <= 0x5a;

/**
 * Whether the packet says nothing beyond its question and the fields of an OPT record: options (cookies, client subnets)
 * make each packet another one.
 */
function isPlain({ packet, nameEnd, edns }: Query): boolean {
  if (edns && edns.options.length > 0) return false;
  return packet.length === nameEnd + 4 + (edns ? optSize : 0);
}

/** Buffers of every length over the same bytes, made when first wanted: one goes to the socket for each response. */
function createLent() {
  const bytes = Buffer.allocUnsafeSlow(maxResponse);
  const ofLength: (Buffer | undefined)[] = [];
  return { bytes, view: (length: number): Buffer => (ofLength[length] ??= bytes.subarray(0, length)) };
}

/** `capacity`: bytes of the ring; a question with its answer takes some 130. Beside them it holds 250 bytes for each. */
export function createRepeatTable(capacity = 4 * 1024 * 1024): RepeatTable {
  const entries = new Map<number, Entry>();
  /** In the order in which they lie in the ring, those that were replaced too; `first` is the oldest. */
  let queue: Entry[] = [];
  let first = 0;
  let end = 0;
  let ring: Buffer | undefined;
  // Unknown to clients, so that nobody can choose names which keep pushing each other out.
  const seed = Math.floor(Math.random() * 0x7fffffff);
  let lent = createLent();
  /** A repetition takes some microseconds: one of sixteen is timed, and counts for the others. */
  let elapsed = 0;
  let turn = 0;

  /** FNV-1a over all but the id, letters alike in both cases; 30 bits, so that it stays a small integer. */
  function hashOf(packet: Uint8Array, family: 4 | 6): number {
    let hash = seed + family;
    for (let i = 2; i < packet.length; i++) {
      const byte = packet[i]!;
      hash = Math.imul(hash ^ (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte), 0x01000193);
    }
    return hash & 0x3fffffff;
  }

  /** Same bytes; letters of the name in any case. */
  function matches(bytes: Uint8Array, { at, keySize, nameEnd }: Entry, packet: Uint8Array): boolean {
    if (packet.length !== keySize + 2) return false;
    for (let i = 2; i < packet.length; i++) {
      const byte = packet[i]!;
      const wanted = bytes[at + i - 2]!;
      if (byte === wanted) continue;
      if (i < headerSize || i >= nameEnd || !isCapital(byte) || (byte | 0x20) !== wanted) return false;
    }
    return true;
  }

  /** The response with id and spelling of this packet, and what else is of the moment. */
  function fill(bytes: Uint8Array, entry: Entry, packet: Uint8Array, ttl: number): Uint8Array {
    const { at, keySize, responseSize, nameEnd, ttlAt, serialAt, addresses, repeat } = entry;
    const response = lent.bytes;
    const from = at + keySize;
    response[0] = packet[0]!;
    response[1] = packet[1]!;
    for (let i = 2; i < headerSize; i++) response[i] = bytes[from + i]!;
    for (let i = headerSize; i < nameEnd; i++) response[i] = packet[i]!;
    for (let i = nameEnd; i < responseSize; i++) response[i] = bytes[from + i]!;
    if (ttl !== unchanged && ttlAt) for (const place of ttlAt) response.writeUInt32BE(ttl, place);
    if (serialAt > 0 && repeat.serial) response.writeUInt32BE(repeat.serial(), serialAt);
    if (addresses) shuffleAddresses(response, addresses);
    return lent.view(responseSize);
  }

  function forget(entry: Entry): void {
    if (entries.get(entry.hash) === entry) entries.delete(entry.hash);
  }

  /** Makes room for so many bytes in one piece, where the ring goes on. */
  function room(size: number): number {
    if (end + size > capacity) {
      // The rest is too short: those who lie there go, and the ring begins anew.
      while (first < queue.length && queue[first]!.at >= end) forget(queue[first++]!);
      end = 0;
    }
    while (first < queue.length && queue[first]!.at >= end && queue[first]!.at < end + size) forget(queue[first++]!);
    if (first > 1024 && first * 2 > queue.length) {
      queue = queue.slice(first);
      first = 0;
    }
    const at = end;
    end += size;
    return at;
  }

  return {
    answer(packet, address) {
      if (!ring || packet.length > maxPacket || packet.length <= headerSize) return undefined;
      const family = familyOf(address);
      const hash = hashOf(packet, family);
      const entry = entries.get(hash);
      if (entry === undefined || entry.family !== family || !matches(ring, entry, packet)) return undefined;
      turn = (turn + 1) & 15;
      const timed = turn === 0;
      const startedAt = timed ? performance.now() : 0;
      const ttl = entry.repeat.again();
      if (ttl === over) {
        entries.delete(hash);
        return undefined;
      }
      const response = fill(ring, entry, packet, ttl);
      if (timed) elapsed = performance.now() - startedAt;
      for (const count of entry.count) count(elapsed, address, packet.length, response.length);
      return response;
    },
    release() {
      lent = createLent();
    },
    remember({ query, family, response, ready, shuffle, repeat, count }) {
      const { packet, nameEnd } = query;
      const whole = ready.bytes.length + (query.edns ? optSize : 0);
      // Encoded anew for want of room: other offsets, and not the whole answer.
      if (!isPlain(query) || response.length !== whole || whole > maxResponse) return;
      ring ??= Buffer.allocUnsafeSlow(capacity);
      const hash = hashOf(packet, family);
      const keySize = packet.length - 2;
      const at = room(keySize + whole);
      for (let i = 2; i < packet.length; i++) {
        const byte = packet[i]!;
        ring[at + i - 2] = i >= headerSize && i < nameEnd && isCapital(byte) ? byte | 0x20 : byte;
      }
      ring.set(response, at + keySize);
      // Written out: literals that begin with a spread have a shape each, which thousands of entries would pay for.
      const entry: Entry = {
        hash,
        at,
        keySize,
        responseSize: whole,
        family,
        nameEnd,
        ttlAt: ready.ttlAt,
        serialAt: ready.serialAt ?? 0,
        addresses: shuffle ? ready.addresses : undefined,
        repeat,
        count,
      };
      queue.push(entry);
      entries.set(hash, entry);
    },
    get size() {
      return entries.size;
    },
  };
}
