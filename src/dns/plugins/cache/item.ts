/** A response kept in wire format, and how long it holds. */
import { decodeMessage } from '../../wire/decode.ts';
import { encodeFlags, encodeMessage } from '../../wire/encode.ts';
import type { ResourceRecord } from '../../wire/message.ts';
import { foldCase, skipName } from '../../wire/name.ts';
import { rcode, recordType } from '../../wire/numbers.ts';
import type { Query } from '../../wire/query.ts';
import { nameOf } from '../../wire/query.ts';
import {
  type Answer,
  addressPlaces,
  answerOf,
  hasFixedOrder,
  type ReadyAnswer,
  responseMessage,
  withTtl,
} from '../../wire/response.ts';

export type ItemKind = 'success' | 'denial' | 'servfail';

export interface CacheItem {
  readonly kind: ItemKind;
  readonly ready: ReadyAnswer;
  /** Seconds at the time it was stored. */
  readonly ttl: number;
  /** Milliseconds (`Clock.now`). */
  readonly storedAt: number;
  /** Used since the store looked last; see store.ts. */
  used: boolean;
  /** Uses in a row, for prefetching. */
  hits: number;
  lastUsedAt: number;
  refreshing: boolean;
  /** It is in the cache no more: another response came for the same question, or it made room for one. */
  replaced: boolean;
  retryAfter: number;
}

/** Most seconds that a record without a better one may be kept. */
const longest = 3600;
/** For responses without any record. */
const bare = 5;

const hasSoa = ({ authority }: Answer): boolean => authority.some(({ type }) => type === recordType.SOA);

/** Whether the answers lead from the name asked for to a record of the type asked for. */
export function answersQuestion(query: Query, { answers }: Answer): boolean {
  if (query.type === recordType.ANY) return answers.length > 0;
  let name = foldCase(nameOf(query));
  const seen = new Set<string>();
  while (!seen.has(name)) {
    seen.add(name);
    const here = answers.filter((record) => foldCase(record.name) === name);
    if (here.some(({ type }) => type === query.type)) return true;
    const alias = here.find(({ type }) => type === recordType.CNAME);
    if (alias?.data.kind !== 'name') return false;
    name = foldCase(alias.data.target);
  }
  return false;
}

/** What kind of item an answer makes; undefined when it is not to be kept (RFC 2308; as CoreDNS decides). */
export function kindOf(query: Query, answer: Answer): ItemKind | undefined {
  if (answer.truncated || query.type === recordType.AXFR || query.type === recordType.IXFR) return undefined;
  if (answer.rcode === rcode.SERVFAIL || answer.rcode === rcode.NOTIMP) return 'servfail';
  if (answer.rcode === rcode.NXDOMAIN) return hasSoa(answer) ? 'denial' : undefined;
  if (answer.rcode !== rcode.NOERROR) return undefined;
  const unanswered = answer.answers.length > 0 && !answersQuestion(query, answer);
  if (hasSoa(answer) && (unanswered || answer.answers.length === 0)) return 'denial';
  return unanswered ? undefined : 'success';
}

/** Seconds that the records themselves allow. */
export function lifetimeOf(kind: ItemKind, { answers, authority, additional }: Answer): number {
  const records = [...answers, ...authority, ...additional];
  if (records.length === 0) return bare;
  if (kind === 'success') return Math.min(longest, ...records.map(({ ttl }) => ttl));
  const soas = authority.flatMap(({ data, ttl }) => (data.kind === 'soa' ? [ttl, data.minimum] : []));
  return Math.min(longest, ...answers.map(({ ttl }) => ttl), ...soas);
}

/** Offsets of the TTLs in a message that we encoded ourselves. */
function ttlOffsets(bytes: Uint8Array, records: number, questionEnd: number): number[] {
  const offsets: number[] = [];
  let at = questionEnd;
  for (let i = 0; i < records; i++) {
    const owner = skipName(bytes, at);
    offsets.push(owner + 4);
    at = owner + 10 + ((bytes[owner + 8]! << 8) | bytes[owner + 9]!);
  }
  return offsets;
}

/** A ready-made answer with another TTL in all its records. */
export function readyWithTtl(ready: ReadyAnswer, ttl: number): ReadyAnswer {
  const bytes = Buffer.from(ready.bytes);
  const records = bytes.readUInt16BE(6) + bytes.readUInt16BE(8) + bytes.readUInt16BE(10);
  for (const at of ttlOffsets(bytes, records, skipName(bytes, 12) + 4)) bytes.writeUInt32BE(ttl, at);
  return Object.defineProperty({ ...ready, bytes, ttl }, 'answer', { get: () => withTtl(ready.answer, ttl) });
}

export function createItem(query: Query, kind: ItemKind, answer: Answer, ttl: number, now: number): CacheItem {
  const strip = (records: readonly ResourceRecord[]) => records.filter(({ type }) => type !== recordType.OPT);
  const { edns: _, ...bareMessage } = responseMessage(query, answer, answer.recursionAvailable ?? false);
  // Without the AA bit some old resolvers drop an answer whole, so it is always set, as in CoreDNS.
  const { authenticData = false } = answer;
  const message = { ...bareMessage, id: 0, authoritative: true, authenticData, additional: strip(answer.additional) };
  const bytes = encodeMessage(message);
  const records = message.answers.length + message.authority.length + message.additional.length;
  const flags = encodeFlags({ ...message, recursionDesired: false, checkingDisabled: false });
  const addresses = addressPlaces(message, bytes, query.nameEnd + 4);
  const ready: ReadyAnswer = {
    ...{ bytes, flags, rcode: answer.rcode, ttlAt: ttlOffsets(bytes, records, query.nameEnd + 4) },
    ...(addresses && { addresses }),
    fixedOrder: hasFixedOrder(message),
    // Decoded for those few who need it: plugins that change answers, clients that it is too large for.
    get answer() {
      const decoded = decodeMessage(bytes);
      return decoded.ok ? answerOf(decoded.value) : answer;
    },
  };
  return {
    kind,
    ready,
    ttl,
    storedAt: now,
    used: false,
    hits: 0,
    lastUsedAt: now,
    refreshing: false,
    replaced: false,
    retryAfter: 0,
  };
}

/** Whole seconds left; 0 or less when it is over. */
export function secondsLeft(item: CacheItem, now: number): number {
  return item.ttl - Math.floor((now - item.storedAt) / 1000);
}
