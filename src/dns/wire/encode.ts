/** Messages to bytes: compression, and truncation at a record boundary. */
import { addressBytes } from './address.ts';
import type { Edns, Message, RecordData, ResourceRecord } from './message.ts';
import { foldCase, parseName } from './name.ts';
import { recordType } from './numbers.ts';

/** Largest message there is: the length prefix of TCP has 16 bits. */
export const maxMessageSize = 0xffff;

interface Writer {
  position: number;
  /** First offset that must not be written. */
  readonly limit: number;
  readonly bytes: Buffer;
  /** Set when something did not fit; what was written since the last good record is void. */
  overflow: boolean;
  /** Offsets of name suffixes, in lower case: a pointer takes the case of what it points to. */
  readonly suffixes: Map<string, number>;
  /** Offsets of whole names as they are written in text: most names come many times. */
  readonly names: Map<string, number>;
}

/** One buffer for all: encoding is synchronous, and the result is copied out. */
const scratch = Buffer.allocUnsafeSlow(maxMessageSize);

function room(writer: Writer, size: number): boolean {
  if (writer.position + size > writer.limit) writer.overflow = true;
  return !writer.overflow;
}

function write8(writer: Writer, value: number): void {
  if (room(writer, 1)) writer.bytes[writer.position++] = value;
}

function write16(writer: Writer, value: number): void {
  if (room(writer, 2)) writer.position = writer.bytes.writeUInt16BE(value & 0xffff, writer.position);
}

function write32(writer: Writer, value: number): void {
  if (room(writer, 4)) writer.position = writer.bytes.writeUInt32BE(value >>> 0, writer.position);
}

function writeBytes(writer: Writer, bytes: Uint8Array): void {
  if (!room(writer, bytes.length)) return;
  writer.bytes.set(bytes, writer.position);
  writer.position += bytes.length;
}

/** A name; `compress` also lets it use pointers (only data of RFC 1035 types may: RFC 3597 section 4). */
function writeName(writer: Writer, name: string, compress: boolean): void {
  const before = compress ? writer.names.get(name) : undefined;
  if (before !== undefined) {
    write16(writer, 0xc000 | before);
    return;
  }
  const labels = parseName(name);
  if (!labels) throw new RangeError(`not a domain name: ${name}`);
  if (labels.length > 0 && writer.position < 0x4000) writer.names.set(name, writer.position);
  writeLabels(writer, labels.map((label) => String.fromCharCode(label.length) + label).join(''), compress);
}

/** `wire`: labels with their lengths, without the root; one character for each byte. */
function writeLabels(writer: Writer, wire: string, compress: boolean): void {
  const folded = foldCase(wire);
  for (let at = 0; at < wire.length; at += wire.charCodeAt(at) + 1) {
    const suffix = folded.slice(at);
    const known = writer.suffixes.get(suffix);
    if (compress && known !== undefined) {
      writeBytes(writer, Buffer.from(wire.slice(0, at), 'latin1'));
      write16(writer, 0xc000 | known);
      return;
    }
    if (known === undefined && writer.position + at < 0x4000) writer.suffixes.set(suffix, writer.position + at);
  }
  writeBytes(writer, Buffer.from(wire, 'latin1'));
  write8(writer, 0);
}

function writeTexts(writer: Writer, strings: readonly string[]): void {
  for (const text of strings.length > 0 ? strings : ['']) {
    for (let at = 0; at === 0 || at < text.length; at += 255) {
      const part = Buffer.from(text.slice(at, at + 255), 'latin1');
      write8(writer, part.length);
      writeBytes(writer, part);
    }
  }
}

const dataWriters: { [K in RecordData['kind']]: (writer: Writer, data: Extract<RecordData, { kind: K }>) => void } = {
  address(writer, data) {
    const bytes = addressBytes(data.address);
    if (!bytes) throw new RangeError(`not an IP address: ${data.address}`);
    writeBytes(writer, bytes);
  },
  name: (writer, data) => writeName(writer, data.target, true),
  soa(writer, data) {
    writeName(writer, data.primary, true);
    writeName(writer, data.mailbox, true);
    for (const field of [data.serial, data.refresh, data.retry, data.expire, data.minimum]) write32(writer, field);
  },
  mx(writer, data) {
    write16(writer, data.preference);
    writeName(writer, data.exchange, true);
  },
  txt: (writer, data) => writeTexts(writer, data.strings),
  srv(writer, data) {
    for (const field of [data.priority, data.weight, data.port]) write16(writer, field);
    writeName(writer, data.target, false);
  },
  opaque: (writer, data) => writeBytes(writer, data.bytes),
};

function writeRecord(writer: Writer, record: ResourceRecord): void {
  writeName(writer, record.name, true);
  write16(writer, record.type);
  write16(writer, record.class);
  write32(writer, record.ttl);
  const lengthAt = writer.position;
  write16(writer, 0);
  (dataWriters[record.data.kind] as (writer: Writer, data: RecordData) => void)(writer, record.data);
  if (!writer.overflow) writer.bytes.writeUInt16BE(writer.position - lengthAt - 2, lengthAt);
}

/** Writes records until one does not fit, which is taken back whole; returns how many are in. */
function writeSection(writer: Writer, records: readonly ResourceRecord[]): number {
  let written = 0;
  for (const record of records) {
    const start = writer.position;
    writeRecord(writer, record);
    if (writer.overflow) {
      writer.position = start;
      return written;
    }
    written++;
  }
  return written;
}

/** Bytes of an OPT record. */
export function encodeOpt(edns: Edns, rcode: number): Buffer {
  const options = edns.options.map(({ code, data }) => {
    const head = Buffer.alloc(4);
    head.writeUInt16BE(code, 0);
    head.writeUInt16BE(data.length, 2);
    return Buffer.concat([head, data]);
  });
  const rdata = Buffer.concat(options);
  const fixed = Buffer.alloc(11);
  fixed.writeUInt16BE(recordType.OPT, 1);
  fixed.writeUInt16BE(edns.udpSize, 3);
  fixed[5] = (rcode >> 4) & 0xff;
  fixed[6] = edns.version;
  fixed[7] = edns.dnssecOk ? 0x80 : 0;
  fixed.writeUInt16BE(rdata.length, 9);
  return Buffer.concat([fixed, rdata]);
}

/** The 16 bits behind the id. */
export function encodeFlags(
  message: Omit<Message, 'id' | 'questions' | 'answers' | 'authority' | 'additional'>,
): number {
  return (
    (message.response ? 0x8000 : 0) |
    ((message.opcode & 15) << 11) |
    (message.authoritative ? 0x0400 : 0) |
    (message.truncated ? 0x0200 : 0) |
    (message.recursionDesired ? 0x0100 : 0) |
    (message.recursionAvailable ? 0x0080 : 0) |
    (message.authenticData ? 0x0020 : 0) |
    (message.checkingDisabled ? 0x0010 : 0) |
    (message.rcode & 15)
  );
}

/**
 * Encodes a message in at most `limit` bytes (default and maximum 65,535). Room for the question and the OPT record is
 * always kept. What does not fit is left out from the first record that is too large: TC says so when answers or
 * authority are missing, while missing additional records go unsaid (RFC 2181 section 9).
 *
 * Throws RangeError when a name or address in it cannot exist: records come from checked objects.
 */
export function encodeMessage(message: Message, limit = maxMessageSize): Uint8Array {
  const opt = message.edns && encodeOpt(message.edns, message.rcode);
  const bounded = Math.min(limit, maxMessageSize) - (opt?.length ?? 0);
  const writer: Writer = {
    position: 12,
    limit: bounded,
    bytes: scratch,
    overflow: false,
    suffixes: new Map(),
    names: new Map(),
  };
  for (const question of message.questions) {
    writeName(writer, question.name, true);
    write16(writer, question.type);
    write16(writer, question.class);
  }
  const counts = [message.answers, message.authority, message.additional].map((section) =>
    writer.overflow ? 0 : writeSection(writer, section),
  ) as [number, number, number];
  const cut = counts[0] < message.answers.length || counts[1] < message.authority.length;
  scratch.writeUInt16BE(message.id, 0);
  scratch.writeUInt16BE(encodeFlags(cut ? { ...message, truncated: true } : message), 2);
  scratch.writeUInt16BE(message.questions.length, 4);
  scratch.writeUInt16BE(counts[0], 6);
  scratch.writeUInt16BE(counts[1], 8);
  scratch.writeUInt16BE(counts[2] + (opt ? 1 : 0), 10);
  const body = scratch.subarray(0, writer.position);
  return opt ? Buffer.concat([body, opt]) : Buffer.from(body);
}
