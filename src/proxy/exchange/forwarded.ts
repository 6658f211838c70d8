/**
 * X-Forwarded-For, -Proto, -Host and -Port, Forwarded (RFC 7239) and Via. A client's own word counts only when it is a
 * trusted proxy: see ForwardedOptions.
 */
import { BlockList, isIP } from 'node:net';
import { parseIp } from '../../base/ip.ts';
import { isToken } from '../http1/characters.ts';
import { addField, dropKnown, type Fields, fieldValue, removeField } from '../http1/fields.ts';
import { known } from '../http1/known-fields.ts';
import type { RequestHead } from '../http1/request.ts';
import type { ForwardedOptions } from '../options.ts';
import type { Client, SaidOfClient } from './wire.ts';

/** What is said of one client. */
export interface ForwardedFacts {
  readonly address: string;
  readonly scheme: string;
  readonly port: number;
  /** As the client named it; '' when it did not. */
  readonly host: string;
}

type Pair = readonly [name: string, value: string];

/** The lines for a client's requests, each with its CRLF. */
export function forwardedLines(headers: ForwardedOptions['headers'], facts: ForwardedFacts): string {
  return pairsOf[headers](facts)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
}

const pairsOf: Record<ForwardedOptions['headers'], (facts: ForwardedFacts) => readonly Pair[]> = {
  none: () => [],
  'x-forwarded': xForwarded,
  forwarded,
  both: (facts) => [...xForwarded(facts), ...forwarded(facts)],
};

function xForwarded({ address, scheme, port, host }: ForwardedFacts): Pair[] {
  const pairs: Pair[] = [
    ['X-Forwarded-For', address],
    ['X-Forwarded-Proto', scheme],
    ['X-Forwarded-Port', String(port)],
  ];
  if (host !== '') pairs.push(['X-Forwarded-Host', host]);
  return pairs;
}

/** RFC 7239 sections 4 to 6. */
function forwarded({ address, scheme, host }: ForwardedFacts): Pair[] {
  const node = isIP(address) === 6 ? `"[${address}]"` : address === '' ? 'unknown' : address;
  return [['Forwarded', `for=${node};${host === '' ? '' : `host=${quoted(host)};`}proto=${scheme}`]];
}

/** A host holds nothing that would have to be escaped. */
const quoted = (host: string) => (isToken(host) ? host : `"${host}"`);

/**
 * Sets the fields of a request. `editable` says that filters follow, which must be able to change what is added.
 */
export function setForwarded(client: Client, head: RequestHead, editable: boolean): void {
  const { headers, via } = client.runtime.settings.forwarded;
  if (via !== '') addField(head.fields, 'Via', `${client.wire.protocol(client.exchange!).slice(5)} ${via}`);
  if (headers === 'none') return;
  if (client.trusted) {
    for (const pair of pairsOf[headers](factsOf(client, head.host))) addMissing(head, pair);
    return;
  }
  const { fields } = head;
  dropKnown(fields, known.forwarded);
  const { said } = client;
  if (head.host !== said.host) {
    said.host = head.host;
    said.lines = linesFor(client, head.host);
    said.pairs = undefined;
  }
  if (!editable) {
    fields.added += said.lines;
    return;
  }
  said.pairs ??= pairsOf[headers](factsOf(client, head.host));
  for (const [name, value] of said.pairs) addField(fields, name, value);
}

/** Connections of proxies name one host after the other: of X-Forwarded-*, only one line depends on it. */
function linesFor(client: Client, host: string): string {
  const { headers } = client.runtime.settings.forwarded;
  if (headers !== 'x-forwarded') return forwardedLines(headers, factsOf(client, host));
  const { hostless } = client.said;
  return host === '' ? hostless : `${hostless}X-Forwarded-Host: ${host}\r\n`;
}

/** To begin with. */
export function saidOf(headers: ForwardedOptions['headers'], facts: Omit<ForwardedFacts, 'host'>): SaidOfClient {
  const hostless = forwardedLines(headers, { ...facts, host: '' });
  return { host: '', lines: hostless, pairs: undefined, hostless };
}

function factsOf({ address, door }: Client, host: string): ForwardedFacts {
  return { address, scheme: door.scheme, port: door.table.listener.port, host };
}

/** These grow at every hop; of the others the first word counts. */
const lists = new Set(['x-forwarded-for', 'forwarded']);

/** Behind a trusted proxy: its address joins the lists, what it says of the rest stays, what it does not say is added. */
function addMissing({ fields, connectionNames }: RequestHead, [name, value]: Pair): void {
  const lowerName = name.toLowerCase();
  const present = fieldValue(fields, lowerName);
  if (present === undefined) addField(fields, name, value);
  else if (lists.has(lowerName)) replace(fields, name, `${present}, ${value}`);
  // A client must not be able to have it taken out by naming it in Connection.
  else if (connectionNames.includes(lowerName)) replace(fields, name, present);
}

function replace(fields: Fields, name: string, value: string): void {
  removeField(fields, name.toLowerCase());
  addField(fields, name, value);
}

/** True for what may stand as the name in Via: `pseudonym` or `host[:port]`. */
export function isViaName(name: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?::[0-9]{1,5})?$/.test(name);
}

/**
 * Tests addresses against CIDRs and single addresses; an entry that is neither matches nothing. IPv4 addresses written
 * as IPv6 (`::ffff:10.0.0.1`) are IPv4, on either side; `::/0` has none of them.
 */
export function createTrust(entries: readonly string[]): (address: string) => boolean {
  // A list for each: in one, blocks of IPv6 that hold the mapped addresses would match those of IPv4.
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const block of entries.map(parseBlock)) {
    if (block) lists[block.family].addSubnet(block.address, block.bits, block.family);
  }
  if (lists.ipv4.rules.length + lists.ipv6.rules.length === 0) return () => false;
  return (address) => {
    const plain = unmapped(address);
    const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4';
    return lists[family].check(plain, family);
  };
}

/** True for `10.0.0.0/8`, `10.0.0.1`, `fd00::/8`, `fd00::1`. */
export function isAddressBlock(entry: string): boolean {
  return parseBlock(entry) !== undefined;
}

interface AddressBlock {
  readonly address: string;
  readonly bits: number;
  readonly family: 'ipv4' | 'ipv6';
}

function parseBlock(entry: string): AddressBlock | undefined {
  const [, address = '', bits] = /^([^/]*)(?:\/([0-9]{1,3}))?$/.exec(entry) ?? [];
  const version = isIP(address);
  if (version === 0) return undefined;
  const most = version === 6 ? 128 : 32;
  const length = bits === undefined ? most : Number(bits);
  if (length > most) return undefined;
  if (version === 4) return { address, bits: length, family: 'ipv4' };
  const plain = unmapped(address);
  if (plain !== address && length >= MAPPED_BITS) return { address: plain, bits: length - MAPPED_BITS, family: 'ipv4' };
  return { address, bits: length, family: 'ipv6' };
}

/** Of the prefix `::ffff:0:0/96` (RFC 4291 section 2.5.5.2). */
const MAPPED_BITS = 96;

/** An IPv4 address that is written as IPv6, as IPv4, whatever the spelling; others as they are. */
function unmapped(address: string): string {
  if (!address.includes(':')) return address;
  const bytes = parseIp(address)?.bytes;
  const isMapped = bytes?.slice(0, 12).every((byte, i) => byte === (i < 10 ? 0 : 255));
  return isMapped ? bytes!.slice(12).join('.') : address;
}

/** An IPv4 address that a dual-stack socket reports as IPv6, as IPv4. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : unmapped(address);
}
