/** Bytes to a whole message, for replies of upstreams, lookups and tests. Any bytes are safe; work is bounded by their number. */
import { err, ok, type Result } from '../../base/result.ts';
import { addressText } from './address.ts';
import type { Edns, EdnsOption, Message, Question, RecordData, ResourceRecord } from './message.ts';
import { readName } from './name.ts';
import { recordType } from './numbers.ts';
import { expandNames, hasInnerNames } from './rdata-names.ts';

interface Reader {
  readonly packet: Buffer;
  position: number;
  /** Names that were read, by where they start: most are pointed to many times. */
  readonly names: Map<number, string>;
}

/** What ends the reading of a message; never leaves this file. */
class Malformed extends Error {}

function need(reader: Reader, size: number): number {
  const start = reader.position;
  if (start + size > reader.packet.length) throw new Malformed('cut short');
  reader.position += size;
  return start;
}

const read16 = (reader: Reader): number => reader.packet.readUInt16BE(need(reader, 2));
const read32 = (reader: Reader): number => reader.packet.readUInt32BE(need(reader, 4));

function take(reader: Reader, size: number): Buffer {
  const start = need(reader, size);
  return reader.packet.subarray(start, start + size);
}

function takeName(reader: Reader): string {
  const { packet, position, names } = reader;
  const pointer = packet[position]! >= 0xc0 && position + 2 <= packet.length;
  const known = pointer ? names.get(packet.readUInt16BE(position) & 0x3fff) : undefined;
  if (known !== undefined) {
    reader.position += 2;
    return known;
  }
  const found = readName(packet, position);
  if (!found) throw new Malformed('bad name');
  if (!pointer) names.set(position, found.name);
  reader.position = found.end;
  return found.name;
}

function address(reader: Reader, length: number, expected: number): RecordData {
  if (length !== expected) throw new Malformed('bad address length');
  return { kind: 'address', address: addressText(take(reader, length)) };
}

const target = (reader: Reader): RecordData => ({ kind: 'name', target: takeName(reader) });

const dataReaders: ReadonlyMap<number, (reader: Reader, length: number) => RecordData> = new Map([
  [recordType.A, (reader: Reader, length: number) => address(reader, length, 4)],
  [recordType.AAAA, (reader: Reader, length: number) => address(reader, length, 16)],
  [recordType.NS, target],
  [recordType.CNAME, target],
  [recordType.PTR, target],
  [
    recordType.SOA,
    (reader: Reader): RecordData => ({
      kind: 'soa',
      primary: takeName(reader),
      mailbox: takeName(reader),
      serial: read32(reader),
      refresh: read32(reader),
      retry: read32(reader),
      expire: read32(reader),
      minimum: read32(reader),
    }),
  ],
  [
    recordType.MX,
    (reader: Reader): RecordData => ({ kind: 'mx', preference: read16(reader), exchange: takeName(reader) }),
  ],
  [recordType.TXT, readTexts],
  [
    recordType.SRV,
    (reader: Reader): RecordData => ({
      kind: 'srv',
      priority: read16(reader),
      weight: read16(reader),
      port: read16(reader),
      target: takeName(reader),
    }),
  ],
]);

function readTexts(reader: Reader, length: number): RecordData {
  const end = reader.position + length;
  const strings: string[] = [];
  while (reader.position < end) strings.push(take(reader, reader.packet[need(reader, 1)]!).toString('latin1'));
  return { kind: 'txt', strings };
}

function readData(reader: Reader, type: number, length: number): RecordData {
  const end = reader.position + length;
  if (end > reader.packet.length) throw new Malformed('cut short');
  // A record without data is legal in dynamic updates only; it is kept as it is.
  const read = length > 0 ? dataReaders.get(type) : undefined;
  const data: RecordData = read ? read(reader, length) : { kind: 'opaque', bytes: takeOpaque(reader, type, length) };
  if (reader.position !== end) throw new Malformed('data length does not match');
  return data;
}

function takeOpaque(reader: Reader, type: number, length: number): Uint8Array {
  const start = need(reader, length);
  if (length === 0 || !hasInnerNames(type)) return Buffer.from(reader.packet.subarray(start, start + length));
  const expanded = expandNames(reader.packet, type, start, start + length);
  if (!expanded) throw new Malformed('bad name');
  return expanded;
}

interface OptRecord {
  readonly edns: Edns;
  readonly upperRcode: number;
}

/** Options of an OPT record; undefined when they do not fill it exactly. */
export function readOptions(packet: Uint8Array, start: number, end: number): EdnsOption[] | undefined {
  const options: EdnsOption[] = [];
  let at = start;
  while (at < end) {
    if (at + 4 > end) return undefined;
    const code = (packet[at]! << 8) | packet[at + 1]!;
    const length = (packet[at + 2]! << 8) | packet[at + 3]!;
    at += 4 + length;
    if (at > end) return undefined;
    options.push({ code, data: packet.slice(at - length, at) });
  }
  return options;
}

function readRecord(reader: Reader): ResourceRecord | OptRecord {
  const name = takeName(reader);
  const type = read16(reader);
  const rclass = read16(reader);
  const ttl = read32(reader);
  const length = read16(reader);
  if (type !== recordType.OPT) return { name, type, class: rclass, ttl, data: readData(reader, type, length) };
  const start = need(reader, length);
  const options = readOptions(reader.packet, start, start + length);
  if (!options || name !== '.') throw new Malformed('bad OPT record');
  const edns = { udpSize: rclass, version: (ttl >>> 16) & 0xff, dnssecOk: (ttl & 0x8000) !== 0, options };
  return { edns, upperRcode: ttl >>> 24 };
}

function readSection(reader: Reader, count: number, opts: OptRecord[]): ResourceRecord[] {
  const records: ResourceRecord[] = [];
  for (let i = 0; i < count; i++) {
    const record = readRecord(reader);
    if ('edns' in record) opts.push(record);
    else records.push(record);
  }
  return records;
}

function readMessage(packet: Uint8Array): Message {
  const reader: Reader = {
    packet: Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength),
    position: 0,
    names: new Map(),
  };
  const [id, flags, ...counts] = [1, 2, 3, 4, 5, 6].map(() => read16(reader)) as [number, number, ...number[]];
  const questions: Question[] = [];
  for (let i = 0; i < counts[0]!; i++)
    questions.push({ name: takeName(reader), type: read16(reader), class: read16(reader) });
  const opts: OptRecord[] = [];
  const [answers, authority, additional] = counts.slice(1).map((count) => readSection(reader, count, opts)) as [
    ResourceRecord[],
    ResourceRecord[],
    ResourceRecord[],
  ];
  if (opts.length > 1) throw new Malformed('more than one OPT record');
  return {
    id,
    response: (flags & 0x8000) !== 0,
    opcode: (flags >> 11) & 15,
    authoritative: (flags & 0x0400) !== 0,
    truncated: (flags & 0x0200) !== 0,
    recursionDesired: (flags & 0x0100) !== 0,
    recursionAvailable: (flags & 0x0080) !== 0,
    authenticData: (flags & 0x0020) !== 0,
    checkingDisabled: (flags & 0x0010) !== 0,
    rcode: (flags & 15) | ((opts[0]?.upperRcode ?? 0) << 4),
    questions,
    answers,
    authority,
    additional,
    ...(opts[0] && { edns: opts[0].edns }),
  };
}

/** Decodes a message; the error says what is wrong with it. Bytes behind the last record are ignored. */
export function decodeMessage(packet: Uint8Array): Result<Message, string> {
  try {
    return ok(readMessage(packet));
  } catch (error) {
    if (error instanceof Malformed) return err(error.message);
    throw error;
  }
}
