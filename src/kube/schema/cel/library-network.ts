/** Kubernetes' CEL libraries for IP addresses and CIDR ranges (apiserver/pkg/cel/library/ip.go, cidr.go). */
import { isIP } from 'node:net';
import type { Environment } from '@marcbachmann/cel-js';
import ipaddr from 'ipaddr.js';
import { isCidr } from '../structural/formats.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

export class IpValue {
  readonly address: Address;
  constructor(address: Address) {
    this.address = address;
  }
}

export class CidrValue {
  readonly address: Address;
  readonly length: number;
  constructor(address: Address, length: number) {
    this.address = address;
    this.length = length;
  }
}

class IpNamespace {}

/** An address as Kubernetes takes it: no zone, no IPv4 in IPv6 clothes. */
function parseAddress(text: string): Address | undefined {
  if (isIP(text) === 0 || text.includes('%')) return undefined;
  const address = ipaddr.parse(text);
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? undefined : address;
}

function addressOf(text: string): IpValue {
  const address = parseAddress(text);
  if (!address) throw new Error(`IP address ${JSON.stringify(text)} parse error`);
  return new IpValue(address);
}

function isValidCidr(text: string): boolean {
  return isCidr(text) && parseAddress(text.slice(0, text.indexOf('/'))) !== undefined;
}

function cidrOf(text: string): CidrValue {
  const slash = text.indexOf('/');
  const address = isCidr(text) ? parseAddress(text.slice(0, slash)) : undefined;
  if (!address) throw new Error(`network address parse error during conversion from string: ${JSON.stringify(text)}`);
  return new CidrValue(address, Number(text.slice(slash + 1)));
}

/** RFC 5952 text. */
function textOf(address: Address): string {
  return address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString();
}

function masked({ address, length }: CidrValue): CidrValue {
  const bytes = address.toByteArray().map((byte, i) => {
    const bits = Math.min(8, Math.max(0, length - i * 8));
    return byte & (0xff << (8 - bits));
  });
  return new CidrValue(ipaddr.fromByteArray(bytes.map((byte) => byte & 0xff)), length);
}

function containsAddress(range: CidrValue, address: Address): boolean {
  if (range.address.kind() !== address.kind()) return false;
  return textOf(masked(range).address) === textOf(masked(new CidrValue(address, range.length)).address);
}

function containsRange(range: CidrValue, inner: CidrValue): boolean {
  return inner.length >= range.length && containsAddress(range, inner.address);
}

const hasRange = (range: string) => (value: IpValue) => value.address.range() === range;

function isGlobalUnicast({ address }: IpValue): boolean {
  return !['unspecified', 'loopback', 'multicast', 'linkLocal', 'broadcast'].includes(address.range());
}

function isLinkLocalMulticast({ address }: IpValue): boolean {
  const [first = 0, second = 0, third = 0] = address.toByteArray();
  return address.kind() === 'ipv4'
    ? first === 224 && second === 0 && third === 0
    : first === 0xff && (second & 0xf) === 2;
}

const family = (address: Address) => (address.kind() === 'ipv4' ? 4n : 6n);

export function registerNetwork(environment: Environment): void {
  environment
    .registerType('net.IP', IpValue)
    .registerType('net.CIDR', CidrValue)
    .registerType('IpNamespace', IpNamespace)
    .registerConstant('ip', 'IpNamespace', new IpNamespace())
    .registerFunction('isIP(string): bool', (text: string) => parseAddress(text) !== undefined)
    .registerFunction('ip(string): net.IP', addressOf)
    .registerFunction(
      'IpNamespace.isCanonical(string): bool',
      (_: unknown, text: string) => textOf(addressOf(text).address) === text,
    )
    .registerFunction('string(net.IP): string', (value: IpValue) => textOf(value.address))
    .registerFunction('net.IP.family(): int', (value: IpValue) => family(value.address))
    .registerFunction('net.IP.isUnspecified(): bool', hasRange('unspecified'))
    .registerFunction('net.IP.isLoopback(): bool', hasRange('loopback'))
    .registerFunction('net.IP.isLinkLocalUnicast(): bool', hasRange('linkLocal'))
    .registerFunction('net.IP.isLinkLocalMulticast(): bool', isLinkLocalMulticast)
    .registerFunction('net.IP.isGlobalUnicast(): bool', isGlobalUnicast)
    .registerOperator('net.IP == net.IP', (a: IpValue, b: IpValue) => textOf(a.address) === textOf(b.address));
  environment
    .registerFunction('isCIDR(string): bool', isValidCidr)
    .registerFunction('cidr(string): net.CIDR', cidrOf)
    .registerFunction('string(net.CIDR): string', (value: CidrValue) => `${textOf(value.address)}/${value.length}`)
    .registerFunction('net.CIDR.ip(): net.IP', (value: CidrValue) => new IpValue(value.address))
    .registerFunction('net.CIDR.masked(): net.CIDR', masked)
    .registerFunction('net.CIDR.prefixLength(): int', (value: CidrValue) => BigInt(value.length))
    .registerFunction('net.CIDR.containsIP(string): bool', (range: CidrValue, text: string) =>
      containsAddress(range, addressOf(text).address),
    )
    .registerFunction('net.CIDR.containsIP(net.IP): bool', (range: CidrValue, value: IpValue) =>
      containsAddress(range, value.address),
    )
    .registerFunction('net.CIDR.containsCIDR(string): bool', (range: CidrValue, text: string) =>
      containsRange(range, cidrOf(text)),
    )
    .registerFunction('net.CIDR.containsCIDR(net.CIDR): bool', containsRange)
    .registerOperator(
      'net.CIDR == net.CIDR',
      (a: CidrValue, b: CidrValue) => a.length === b.length && textOf(a.address) === textOf(b.address),
    );
}
