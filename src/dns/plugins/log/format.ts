/** Formats of log lines, compiled once: text and placeholders. */
import { foldCase } from '../../wire/name.ts';
import { rcodeName, recordClass, typeName } from '../../wire/numbers.ts';
import { nameOf } from '../../wire/query.ts';
import { classOf } from '../classify.ts';
import type { Exchange } from '../plugin.ts';

const common =
  '{remote}:{port} - {>id} "{type} {class} {name} {proto} {size} {>do} {>bufsize}" {rcode} {>rflags} {rsize} {duration}';

export const namedFormats = { common, combined: `${common} "{>opcode}"` } as const;

type Part = (exchange: Exchange) => string;

const none = '-';
const classNames = new Map<number, string>(Object.entries(recordClass).map(([name, number]) => [number, name]));
const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address);

/** Flags in the order of CoreDNS, joined with commas. */
function flagNames(response: Uint8Array): string {
  const [high, low] = [response[2]!, response[3]!];
  const flags = [
    ...[high & 0x80 && 'qr', high & 0x04 && 'aa', high & 0x02 && 'tc', high & 0x01 && 'rd'],
    ...[low & 0x80 && 'ra', low & 0x40 && 'z', low & 0x20 && 'ad', low & 0x10 && 'cd'],
  ];
  return flags.filter(Boolean).join(',');
}

/** Bytes that the client takes: 64 KiB over connections. */
function bufferSize({ context: { client, query } }: Exchange): number {
  return client.protocol === 'udp' ? Math.max(512, query.edns?.udpSize ?? 512) : 65_535;
}

const parts: Readonly<Record<string, Part>> = {
  '{type}': ({ context }) => typeName(context.query.type),
  '{name}': ({ context }) => foldCase(nameOf(context.query)),
  '{class}': ({ context }) => classNames.get(context.query.class) ?? `CLASS${context.query.class}`,
  '{proto}': ({ context }) => (context.client.protocol === 'udp' ? 'udp' : 'tcp'),
  '{size}': ({ context }) => String(context.query.packet.length),
  '{remote}': ({ context }) => bracketed(context.client.address),
  '{port}': ({ context }) => String(context.client.port),
  '{local}': ({ context }) => (context.client.local ? bracketed(context.client.local.address) : none),
  '{>id}': ({ context }) => String(context.query.id),
  '{>opcode}': () => '0',
  '{>do}': ({ context }) => String(context.query.edns?.dnssecOk ?? false),
  '{>bufsize}': (exchange) => String(bufferSize(exchange)),
  '{rcode}': ({ response, rcode }) => (response ? rcodeName(rcode) : none),
  '{rsize}': ({ response }) => String(response?.length ?? 0),
  '{duration}': ({ elapsedMs }) => `${(elapsedMs / 1000).toFixed(9).replace(/0+$/, '').replace(/\.$/, '')}s`,
  '{>rflags}': ({ response }) => (response ? flagNames(response) : none),
};

/** Kind of a response, as CoreDNS' `response.Typify` names it. */
function kindOf(response: Uint8Array): string {
  const kinds = { success: 'NOERROR', denial: rcodeName(response[3]! & 15) === 'NXDOMAIN' ? 'NXDOMAIN' : 'NODATA' };
  const found = classOf(response);
  return found === 'error' ? 'SERVERERROR' : kinds[found];
}

/** What the log knows itself of an answer, under names of metadata. */
const ownMetadata: Readonly<Record<string, Part>> = {
  'log/class': ({ response }) => (response ? classOf(response) : none),
  'log/type': ({ response }) => (response ? kindOf(response) : none),
};

/** Names of placeholders do not care about case; one that is not known gives `-`. `{/NAME}` is a value of `metadata`. */
export function compileFormat(format: string): (exchange: Exchange) => string {
  const pieces = format.split(/(\{[^{}\s]*\})/).map((piece): Part => {
    if (!/^\{[^{}\s]*\}$/.test(piece)) return () => piece;
    if (piece.startsWith('{/')) {
      const name = piece.slice(2, -1);
      const own = ownMetadata[name];
      if (own) return own;
      return ({ context }) => context.metadata?.get(name)?.() || none;
    }
    return parts[piece.toLowerCase()] ?? (() => none);
  });
  return (exchange) => pieces.map((piece) => piece(exchange)).join('');
}
