/**
 * PROXY headers for backends, which say whose connection it is (proxy-protocol.txt, sections 2.1 and 2.2). Version 2 also
 * carries what is known of the client's TLS.
 */
import { parseIp } from '../../base/ip.ts';
import type { Backend } from '../../routing/plan/plan.ts';
import type { ConnectionEnds } from '../listener/ends.ts';

export type ProxyProtocol = NonNullable<Backend['proxyProtocol']>;

/** What is said of a client. */
export interface ProxyFacts {
  readonly ends: ConnectionEnds;
  /** Of its ClientHello. Version 2 only. */
  readonly serverName?: string | undefined;
  /** Agreed with it. Version 2 only. */
  readonly alpn?: string | undefined;
}

/** The header, to be sent before anything else. A client whose addresses are not known is announced as unknown. */
export function encodeProxyHeader(version: ProxyProtocol, facts: ProxyFacts): Buffer {
  return encoders[version](facts, addressesOf(facts.ends));
}

/** The header of a connection that is nobody's but ours, as health checks are. */
export function encodeLocalHeader(version: ProxyProtocol): Buffer {
  return Buffer.from(locals[version]);
}

interface Addresses {
  readonly version: 4 | 6;
  readonly source: Buffer;
  readonly destination: Buffer;
}

const encoders: Readonly<Record<ProxyProtocol, (facts: ProxyFacts, known: Addresses | undefined) => Buffer>> = {
  v1: ({ ends: { client, local } }, known) =>
    known
      ? Buffer.from(
          `PROXY TCP${known.version} ${withoutZone(client.address)} ${withoutZone(local.address)} ${client.port} ${local.port}\r\n`,
          'latin1',
        )
      : unknown,
  v2: encodeBinary,
};

/** Undefined unless both ends have addresses, of one family. */
function addressesOf({ client, local }: ConnectionEnds): Addresses | undefined {
  const source = parseIp(withoutZone(client.address));
  const destination = parseIp(withoutZone(local.address));
  if (!source || source.version !== destination?.version) return undefined;
  return {
    version: source.version,
    source: Buffer.from(source.bytes),
    destination: Buffer.from(destination.bytes),
  };
}

/** A zone means something on this machine only. */
function withoutZone(address: string): string {
  const at = address.indexOf('%');
  return at < 0 ? address : address.slice(0, at);
}

const unknown = Buffer.from('PROXY UNKNOWN\r\n', 'latin1');
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** Version 2, command PROXY. */
const PROXY = 0x21;
/** The same, command LOCAL. */
const LOCAL = 0x20;
/** Address family and STREAM. */
const families = { 4: 0x11, 6: 0x21, unspecified: 0x00 } as const;
/** Section 2.2.1 and 2.2.2. */
const tlv = { alpn: 0x01, authority: 0x02 } as const;
const locals: Readonly<Record<ProxyProtocol, Buffer>> = {
  v1: unknown,
  v2: Buffer.concat([signature, Buffer.from([LOCAL, families.unspecified, 0, 0])]),
};
/** Longer ones are not names: section 2.2 asks that headers stay small. */
const MAX_TLV_BYTES = 255;

function encodeBinary({ ends, serverName, alpn }: ProxyFacts, known: Addresses | undefined): Buffer {
  const addresses = known
    ? Buffer.concat([known.source, known.destination, port(ends.client.port), port(ends.local.port)])
    : Buffer.alloc(0);
  const rest = Buffer.concat([addresses, encodeTlv(tlv.alpn, alpn), encodeTlv(tlv.authority, serverName)]);
  const head = Buffer.from([PROXY, known ? families[known.version] : families.unspecified, 0, 0]);
  head.writeUInt16BE(rest.length, 2);
  return Buffer.concat([signature, head, rest]);
}

function port(number: number): Buffer {
  return Buffer.from([number >> 8, number & 255]);
}

function encodeTlv(type: number, text: string | undefined): Buffer {
  if (!text) return Buffer.alloc(0);
  const value = Buffer.from(text, 'utf8');
  if (value.length > MAX_TLV_BYTES) return Buffer.alloc(0);
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 255]), value]);
}
