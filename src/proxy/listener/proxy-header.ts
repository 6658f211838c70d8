/**
 * Headers of the PROXY protocol, versions 1 and 2, with which a balancer that works below HTTP says whose connection it
 * passes on (proxy-protocol.txt, sections 2.1 and 2.2).
 */
import { isIP } from 'node:net';
import type { ConnectionEnds } from './ends.ts';

export interface ProxyHeader {
  /** Bytes of the header; what the client sent begins there. */
  readonly length: number;
  /** Of the client's connection; undefined when the balancer speaks for itself (a health check) or does not know. */
  readonly ends: ConnectionEnds | undefined;
}

export type ProxyHeaderOutcome = ProxyHeader | 'incomplete' | { readonly reason: string };

const wrong = (reason: string): ProxyHeaderOutcome => ({ reason });

/** Reads the header at the beginning of `bytes`. Never throws, and decides before more than `maxBytes` are there. */
export function parseProxyHeader(bytes: Buffer, maxBytes: number): ProxyHeaderOutcome {
  if (startsLike(bytes, signature)) return readBinary(bytes, maxBytes);
  if (startsLike(bytes, word)) return readText(bytes, Math.min(maxBytes, MAX_TEXT));
  return wrong('the connection does not begin with a PROXY header');
}

const word = Buffer.from('PROXY ', 'latin1');
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** As far as there are bytes. */
function startsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

/** Section 2.1: the longest line there is, with its CRLF. */
const MAX_TEXT = 107;
const TEXT = /^PROXY TCP([46]) (\S+) (\S+) (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})$/;

function readText(bytes: Buffer, most: number): ProxyHeaderOutcome {
  const end = bytes.subarray(0, most).indexOf('\r\n');
  if (end < 0) return bytes.length < most ? 'incomplete' : wrong('the PROXY line is too long');
  const line = bytes.toString('latin1', 0, end);
  if (/^PROXY UNKNOWN(?: [ -~]*)?$/.test(line)) return { length: end + 2, ends: undefined };
  const [, family, source = '', destination = '', ...texts] = TEXT.exec(line) ?? [];
  const fits = isIP(source) === Number(family) && isIP(destination) === Number(family);
  const [sourcePort = 0, destinationPort = 0] = texts.map(Number);
  if (!fits || sourcePort > 65_535 || destinationPort > 65_535) return wrong('the PROXY line is malformed');
  const client = { address: source, port: sourcePort };
  return { length: end + 2, ends: { client, local: { address: destination, port: destinationPort } } };
}

const HEAD_BYTES = 16;
const command = { local: 0x20, proxy: 0x21 } as const;
/** Family and transport of TCP, and bytes of one address. */
const addressBytes: Readonly<Record<number, number>> = { 17: 4, 33: 16 };
/** Bytes of both ports. */
const PORTS = 4;

function readBinary(bytes: Buffer, most: number): ProxyHeaderOutcome {
  if (bytes.length < HEAD_BYTES) return 'incomplete';
  const asked = bytes[12]!;
  if (asked !== command.local && asked !== command.proxy)
    return wrong('the PROXY header has an unknown version or command');
  const length = HEAD_BYTES + bytes.readUInt16BE(14);
  if (length > most) return wrong('the PROXY header is too long');
  const family = bytes[13]!;
  const wanted = addressBytes[family];
  // Section 2.2: of families that a receiver does not know, it goes on with the connection's own addresses.
  if (asked === command.local || wanted === undefined) {
    return bytes.length < length ? 'incomplete' : { length, ends: undefined };
  }
  if (length < HEAD_BYTES + 2 * wanted + PORTS) return wrong('the PROXY header is too short for its addresses');
  if (bytes.length < length) return 'incomplete';
  return { length, ends: readEnds(bytes.subarray(HEAD_BYTES), wanted) };
}

/** Both addresses, then both ports. */
function readEnds(bytes: Buffer, size: number): ConnectionEnds {
  const addresses = [bytes.subarray(0, size), bytes.subarray(size, 2 * size)] as const;
  // So are the ends of an IPv4 connection written whose balancer listens on IPv6.
  const textOf = size === 4 || addresses.every(isMapped) ? ipv4 : ipv6;
  const place = (index: 0 | 1) => ({
    address: textOf(addresses[index]),
    port: bytes.readUInt16BE(2 * size + 2 * index),
  });
  return { client: place(0), local: place(1) };
}

/** RFC 4291 section 2.5.5.2. */
const isMapped = (address: Buffer): boolean => address.subarray(0, mapped.length).equals(mapped);
const mapped = Buffer.from('00000000000000000000ffff', 'hex');

const ipv4 = (bytes: Buffer): string => bytes.subarray(-4).join('.');

/** RFC 5952 form, by way of the URL parser. */
function ipv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
