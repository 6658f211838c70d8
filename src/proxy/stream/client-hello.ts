/**
 * Reading the server name out of a TLS ClientHello without taking part in the handshake (RFC 8446 section 4.1.2,
 * RFC 6066 section 3). The message may be spread over several records, and the records over several segments. What a
 * client with Encrypted Client Hello shows is the outer name, which is the one to route by.
 */

export interface ClientHello {
  readonly kind: 'hello';
  /** Lower case, without a trailing dot; undefined when the client names none. */
  readonly serverName: string | undefined;
  /** Application protocols that the client offers (ALPN, RFC 7301), the one it prefers first. */
  readonly protocols: readonly string[];
  /** Everything read so far: the ClientHello and what came after it, as it came. */
  readonly bytes: Buffer;
}

export type HelloOutcome = ClientHello | { readonly kind: 'malformed'; readonly reason: string } | undefined;

export interface HelloReader {
  /** Takes the next segment; undefined while more is needed. Not to be called again after an outcome. */
  push(segment: Buffer): HelloOutcome;
}

const handshakeRecord = 22;
const clientHelloMessage = 1;
const serverNameExtension = 0;
const protocolsExtension = 16;
const hostNameType = 0;
const recordHeaderBytes = 5;
const messageHeaderBytes = 4;
/** RFC 8446 section 5.1. */
const maxRecordBytes = 16_384;
const maxNameBytes = 255;

class Malformed extends Error {}

/** `maxBytes` bounds the records of one ClientHello, headers included. */
export function createHelloReader(maxBytes: number): HelloReader {
  let bytes: Buffer = Buffer.alloc(0);
  /** Where the next record header begins. */
  let recordAt = 0;
  /** Payloads of the records seen so far. */
  const fragments: Buffer[] = [];
  /** Their first bytes, up to the length of the message. */
  let head: Buffer = Buffer.alloc(0);
  let gathered = 0;

  /** Adds the records that are whole. */
  function takeRecords(): void {
    for (;;) {
      const length = recordLength(bytes, recordAt);
      const end = recordAt + recordHeaderBytes + length;
      if (length > 0 && end > maxBytes) throw new Malformed(`the ClientHello is larger than ${maxBytes} bytes`);
      if (length === 0 || bytes.length < end) return;
      const fragment = bytes.subarray(recordAt + recordHeaderBytes, end);
      fragments.push(fragment);
      if (head.length < messageHeaderBytes)
        head = Buffer.concat([head, fragment.subarray(0, messageHeaderBytes - head.length)]);
      gathered += length;
      recordAt = end;
      if (messageLength(head) <= gathered) return;
    }
  }

  function read(segment: Buffer): HelloOutcome {
    bytes = bytes.length === 0 ? segment : Buffer.concat([bytes, segment]);
    takeRecords();
    const length = messageLength(head);
    if (Number.isFinite(length) && length > maxBytes)
      throw new Malformed(`the ClientHello is larger than ${maxBytes} bytes`);
    if (gathered < length) return undefined;
    const message = fragments.length === 1 ? fragments[0]! : Buffer.concat(fragments);
    return { kind: 'hello', ...parseClientHello(message.subarray(messageHeaderBytes, length)), bytes };
  }

  return {
    push(segment) {
      try {
        return read(segment);
      } catch (error) {
        if (error instanceof Malformed) return { kind: 'malformed', reason: error.message };
        throw error;
      }
    },
  };
}

/** Length of the record at an offset; 0 while its header is not whole. What is there of it is checked at once. */
function recordLength(bytes: Buffer, at: number): number {
  const type = bytes[at];
  if (type !== undefined && type !== handshakeRecord) throw new Malformed('not a TLS handshake record');
  const major = bytes[at + 1];
  if (major !== undefined && major !== 3) throw new Malformed('not a TLS record version');
  if (bytes.length < at + recordHeaderBytes) return 0;
  const length = bytes.readUInt16BE(at + 3);
  if (length === 0) throw new Malformed('an empty handshake record');
  if (length > maxRecordBytes) throw new Malformed('a record longer than TLS allows');
  return length;
}

/** Length of the message that begins with `head`, its header included; infinite while that is not known. */
function messageLength(head: Buffer): number {
  if (head.length > 0 && head[0] !== clientHelloMessage) throw new Malformed('the first message is no ClientHello');
  return head.length < messageHeaderBytes ? Number.POSITIVE_INFINITY : messageHeaderBytes + head.readUIntBE(1, 3);
}

/** A view of a message that is read from front to back and never beyond its end. */
interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

function take(cursor: Cursor, count: number): Buffer {
  const end = cursor.at + count;
  if (end > cursor.bytes.length) throw new Malformed('a field ends beyond what holds it');
  const taken = cursor.bytes.subarray(cursor.at, end);
  cursor.at = end;
  return taken;
}

function takeNumber(cursor: Cursor, size: 1 | 2): number {
  return take(cursor, size).readUIntBE(0, size);
}

/** A vector: its length in `size` bytes, then that many bytes. */
function takeVector(cursor: Cursor, size: 1 | 2, least: number): Buffer {
  const length = takeNumber(cursor, size);
  if (length < least) throw new Malformed('a list is shorter than TLS allows');
  return take(cursor, length);
}

/** What is read of the extensions. */
type Announced = Pick<ClientHello, 'serverName' | 'protocols'>;

const nothing: Announced = { serverName: undefined, protocols: [] };

function parseClientHello(body: Buffer): Announced {
  const cursor: Cursor = { bytes: body, at: 0 };
  // Version, random, session id, cipher suites, compression methods.
  if (takeNumber(cursor, 2) >> 8 !== 3) throw new Malformed('the ClientHello is of no TLS version');
  take(cursor, 32);
  if (takeVector(cursor, 1, 0).length > 32) throw new Malformed('the session id is longer than TLS allows');
  if (takeVector(cursor, 2, 2).length % 2 !== 0) throw new Malformed('half a cipher suite');
  takeVector(cursor, 1, 1);
  // TLS 1.2 and older may end here (RFC 5246 section 7.4.1.2).
  if (cursor.at === body.length) return nothing;
  const extensions = takeVector(cursor, 2, 0);
  if (cursor.at !== body.length) throw new Malformed('bytes after the extensions');
  return parseExtensions(extensions);
}

function parseExtensions(extensions: Buffer): Announced {
  const cursor: Cursor = { bytes: extensions, at: 0 };
  const seen = new Set<number>();
  let { serverName, protocols } = nothing;
  while (cursor.at < extensions.length) {
    const type = takeNumber(cursor, 2);
    const data = takeVector(cursor, 2, 0);
    if (seen.has(type)) throw new Malformed('an extension comes twice');
    seen.add(type);
    if (type === serverNameExtension) serverName = parseServerNames(data);
    if (type === protocolsExtension) protocols = parseProtocols(data);
  }
  return { serverName, protocols };
}

function parseProtocols(data: Buffer): string[] {
  const outer: Cursor = { bytes: data, at: 0 };
  const list = takeVector(outer, 2, 2);
  if (outer.at !== data.length) throw new Malformed('bytes after the protocols');
  const cursor: Cursor = { bytes: list, at: 0 };
  const protocols: string[] = [];
  while (cursor.at < list.length) protocols.push(takeVector(cursor, 1, 1).toString('latin1'));
  return protocols;
}

/** The host name of a server_name extension. Each type of name comes once at most. */
function parseServerNames(data: Buffer): string | undefined {
  const outer: Cursor = { bytes: data, at: 0 };
  const list = takeVector(outer, 2, 1);
  if (outer.at !== data.length) throw new Malformed('bytes after the server names');
  const cursor: Cursor = { bytes: list, at: 0 };
  let found: string | undefined;
  while (cursor.at < list.length) {
    const type = takeNumber(cursor, 1);
    const name = takeVector(cursor, 2, 1);
    if (type !== hostNameType) continue;
    if (found !== undefined) throw new Malformed('two host names');
    found = hostName(name);
  }
  return found;
}

const hostNamePattern = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;

function hostName(bytes: Buffer): string {
  const name = bytes.toString('latin1').toLowerCase().replace(/\.$/, '');
  if (bytes.length > maxNameBytes || !hostNamePattern.test(name))
    throw new Malformed('the server name is no host name');
  return name;
}
