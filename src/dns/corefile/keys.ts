/** Keys of server blocks: `[SCHEME://]ZONE[:PORT]`, and the reverse zones of networks. */

import { parseIp, reverseName } from '../../base/ip.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { foldCase, parseName } from '../wire/name.ts';

export type Transport = 'dns' | 'tls' | 'https';

export interface ServedZones {
  readonly transport: Transport;
  /** Canonical; several for a network that ends within a label. */
  readonly zones: readonly string[];
  /** Undefined: the default of the transport. */
  readonly port?: number;
}

export const defaultPorts: Readonly<Record<Transport, number>> = { dns: 53, tls: 853, https: 443 };
const unserved = new Set(['quic', 'grpc', 'https3']);

/** Takes `SCHEME://` off; the error names a scheme that is not served. */
function splitScheme(text: string): Result<{ transport: Transport; rest: string }, string> {
  const found = /^([a-z0-9]+):\/\/(.*)$/s.exec(text);
  if (!found) return ok({ transport: 'dns', rest: text });
  const [, scheme = '', rest = ''] = found;
  if (Object.hasOwn(defaultPorts, scheme)) return ok({ transport: scheme as Transport, rest });
  return err(unserved.has(scheme) ? `${scheme}:// is not supported` : `unknown protocol ${scheme}://`);
}

/** Takes `:PORT` off the end. An IPv6 network keeps its colons: the part behind its last one holds a slash. */
function splitPort(text: string): Result<{ host: string; port?: number }, string> {
  const colon = text.lastIndexOf(':');
  if (colon < 0) return ok({ host: text });
  const tail = text.slice(colon + 1);
  if (tail === '') return err(`expecting data after last colon: "${text}"`);
  if (!/^\d+$/.test(tail)) return ok({ host: text });
  const port = Number(tail);
  return port <= 65_535 ? ok({ host: text.slice(0, colon), port }) : err(`not a port: ${tail}`);
}

/**
 * The reverse zones of `10.0.0.0/24` or `fd00::/8`: one when the prefix ends between labels (8 bits in IPv4, 4 in
 * IPv6), else one for each way in which the label can go on. Undefined when it is no network.
 */
export function reverseZones(text: string): string[] | undefined {
  const [address = '', prefix, more] = text.split('/');
  const ip = parseIp(address);
  if (!ip || prefix === undefined || more !== undefined || !/^\d{1,3}$/.test(prefix)) return undefined;
  const bits = Number(prefix);
  if (bits > ip.bytes.length * 8) return undefined;
  const step = ip.version === 4 ? 8 : 4;
  const labels = Math.ceil(bits / step);
  const free = labels * step - bits;
  const total = ip.bytes.length * (8 / step);
  return Array.from({ length: 1 << free }, (_, i) => {
    const bytes = [...ip.bytes];
    if (bits > 0 && free > 0) addToLabel(bytes, labels - 1, step, i, free);
    const whole = reverseName({ version: ip.version, bytes }).split('.');
    return `${whole.slice(total - labels).join('.')}.`;
  });
}

/** Sets the low `free` bits of one label of an address. */
function addToLabel(bytes: number[], label: number, step: number, value: number, free: number): void {
  const mask = (1 << free) - 1;
  if (step === 8) {
    bytes[label] = (bytes[label]! & ~mask) | value;
    return;
  }
  const shift = label % 2 === 0 ? 4 : 0;
  const at = label >> 1;
  bytes[at] = (bytes[at]! & ~(mask << shift)) | (value << shift);
}

/** Zones that a word names: reverse zones of a network, else the name itself in canonical form. */
export function zonesOf(text: string): Result<string[], string> {
  if (text.length > 255) return err(`specified zone is too long: ${text.length} > 255`);
  const reverse = reverseZones(text);
  if (reverse) return ok(reverse);
  const name = text === '' ? '.' : text;
  if (!parseName(name)) return err(`zone is not a valid domain name: ${text}`);
  return ok([name.endsWith('.') ? foldCase(name) : `${foldCase(name)}.`]);
}

export function parseKey(text: string): Result<ServedZones, string> {
  const scheme = splitScheme(text);
  if (!scheme.ok) return scheme;
  const split = splitPort(scheme.value.rest);
  if (!split.ok) return split;
  const zones = zonesOf(split.value.host);
  if (!zones.ok) return zones;
  const { port } = split.value;
  return ok({ transport: scheme.value.transport, zones: zones.value, ...(port !== undefined && { port }) });
}
