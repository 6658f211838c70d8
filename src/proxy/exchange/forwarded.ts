/**
 * X-Forwarded-For, -Proto, -Host and -Port. A client's own word counts only when it is a trusted proxy: see
 * ForwardedOptions.
 */
import { BlockList, isIP } from 'node:net';
import { addField, dropKnown, type Fields, fieldValue, removeField } from '../http1/fields.ts';
import { known } from '../http1/known-fields.ts';
import type { RequestHead } from '../http1/request.ts';
import type { ClientConnection } from '../listener/client.ts';

/** The lines that all requests of a connection share. */
export function forwardedLines(address: string, scheme: string, port: number): string {
  return `X-Forwarded-For: ${address}\r\nX-Forwarded-Proto: ${scheme}\r\nX-Forwarded-Port: ${port}\r\n`;
}

/**
 * Sets the fields of a request. `editable` says that filters follow, which must be able to change what is added.
 */
export function setForwarded(client: ClientConnection, head: RequestHead, editable: boolean): void {
  if (client.runtime.settings.forwarded.headers === 'none') return;
  const { fields } = head;
  if (client.trusted) {
    appendForwarded(client, head);
    return;
  }
  dropKnown(fields, known.forwarded);
  if (editable) {
    for (const [name, value] of linesOf(client, head)) addField(fields, name, value);
    return;
  }
  if (head.host !== client.forwardedHost) rememberHost(client, head.host);
  fields.added += client.forwardedHostLines;
}

function rememberHost(client: ClientConnection, host: string): void {
  client.forwardedHost = host;
  client.forwardedHostLines =
    host === '' ? client.forwardedLines : `${client.forwardedLines}X-Forwarded-Host: ${host}\r\n`;
}

function linesOf(client: ClientConnection, head: RequestHead): [string, string][] {
  const { scheme, table } = client.door;
  return [
    ['X-Forwarded-For', client.address],
    ['X-Forwarded-Proto', scheme],
    ['X-Forwarded-Port', String(table.listener.port)],
    ...(head.host === '' ? [] : [['X-Forwarded-Host', head.host] satisfies [string, string]]),
  ];
}

/** Behind a trusted proxy: its address joins the list, what it says of the rest stays, what it does not say is added. */
function appendForwarded(client: ClientConnection, head: RequestHead): void {
  const { fields } = head;
  for (const [name, value] of linesOf(client, head)) addMissing(fields, name, value);
}

function addMissing(fields: Fields, name: string, value: string): void {
  const lowerName = name.toLowerCase();
  const present = fieldValue(fields, lowerName);
  if (present === undefined) {
    addField(fields, name, value);
  } else if (lowerName === 'x-forwarded-for') {
    removeField(fields, lowerName);
    addField(fields, name, `${present}, ${value}`);
  }
}

/** Tests addresses against CIDRs and single addresses; an entry that is neither matches nothing. */
export function createTrust(entries: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const entry of entries) addEntry(list, entry);
  if (list.rules.length === 0) return () => false;
  return (address) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

function addEntry(list: BlockList, entry: string): void {
  const block = parseBlock(entry);
  if (block) list.addSubnet(block.address, block.bits, block.family);
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
  return length <= most ? { address, bits: length, family: version === 6 ? 'ipv6' : 'ipv4' } : undefined;
}

/** An IPv4 address that a dual-stack socket reports as IPv6, as IPv4. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
