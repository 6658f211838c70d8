/** IP addresses as text and bytes, and their names in the reverse tree. Parsing is strict: what `inet_pton` takes. */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

export type IpVersion = 4 | 6;

export interface IpAddress {
  readonly version: IpVersion;
  /** 4 or 16 bytes, network order. */
  readonly bytes: readonly number[];
}

/** Undefined for anything but an IPv4 dotted quad or an IPv6 address without a zone. */
export function parseIp(text: string): IpAddress | undefined {
  const version = isIP(text);
  if (version === 0 || text.includes('%')) return undefined;
  if (version === 4) return { version, bytes: text.split('.').map(Number) };
  return { version: 6, bytes: ipaddr.parse(text).toByteArray() };
}

/** Canonical text: dotted quad, or RFC 5952. */
export function formatIp(address: IpAddress): string {
  return address.version === 4 ? address.bytes.join('.') : new ipaddr.IPv6(address.bytes as number[]).toRFC5952String();
}

/** The canonical text of an address; undefined when it is none. */
export function canonicalIp(text: string): string | undefined {
  // Strict quads have one spelling; the same string costs no memory.
  if (isIP(text) === 4) return text;
  const address = parseIp(text);
  return address && formatIp(address);
}

/** Name of an address in the reverse tree, absolute without the last dot (RFC 1035 section 3.5, RFC 3596 section 2.5). */
export function reverseName(address: IpAddress): string {
  if (address.version === 4) return `${[...address.bytes].reverse().join('.')}.in-addr.arpa`;
  const nibbles = address.bytes.flatMap((byte) => [byte >> 4, byte & 15]).reverse();
  return `${nibbles.map((nibble) => nibble.toString(16)).join('.')}.ip6.arpa`;
}

/** The address that a reverse name stands for, in any case; undefined for names that are not one whole address. */
export function fromReverseName(name: string): IpAddress | undefined {
  const lower = name.toLowerCase().replace(/\.$/, '');
  if (lower.endsWith('.in-addr.arpa')) {
    const quad = lower.slice(0, -'.in-addr.arpa'.length).split('.').reverse().join('.');
    const address = parseIp(quad);
    return address?.version === 4 ? address : undefined;
  }
  if (!/^([0-9a-f]\.){32}ip6\.arpa$/.test(lower)) return undefined;
  const nibbles = lower.slice(0, 63).split('.').reverse().join('');
  return { version: 6, bytes: nibbles.match(/../g)!.map((byte) => Number.parseInt(byte, 16)) };
}
