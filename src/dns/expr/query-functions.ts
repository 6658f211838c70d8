/** What expressions can ask about a query: the functions of CoreDNS' `view` and `template`. */
import { parseIp } from '../../base/ip.ts';
import { contains, parseNetwork } from '../corefile/values.ts';
import type { Client } from '../plugins/plugin.ts';
import { foldCase } from '../wire/name.ts';
import { recordClass, typeName } from '../wire/numbers.ts';
import { nameOf, type Query } from '../wire/query.ts';
import type { HostFunction } from './expression.ts';
import { bool, int, string, type Type } from './types.ts';
import { ExpressionFailure, type Value } from './value.ts';

/** A query as expressions see it. */
export interface QuerySubject {
  readonly query: Query;
  readonly client: Client;
  /** Value that a plugin published; undefined when there is none. */
  metadata(label: string): string | undefined;
}

const classNames = new Map<number, string>(Object.entries(recordClass).map(([name, number]) => [number, name]));

/** An address in 4 bytes where it is an IPv4 one, also when it is written as an IPv6 one (Go's `net.IP`). */
function addressBytes(text: string): readonly number[] | undefined {
  const ip = parseIp(text);
  const mapped = ip?.version === 6 && ip.bytes.slice(0, 12).join() === '0,0,0,0,0,0,0,0,0,0,255,255';
  return mapped ? ip.bytes.slice(12) : ip?.bytes;
}

export function inCidr(address: string, cidr: string): boolean {
  const bytes = addressBytes(address);
  if (!bytes) throw new ExpressionFailure(`incidr: not an IP address: ${address}`);
  const network = cidr.includes('/') ? parseNetwork(cidr) : undefined;
  if (!network) throw new ExpressionFailure(`incidr: not a network: ${cidr}`);
  return contains(network, bytes);
}

/** `udp` or `tcp`: TLS and HTTPS go over TCP. */
const protocolOf = ({ protocol }: Client): string => (protocol === 'udp' || protocol === 'local' ? 'udp' : 'tcp');

/** The size that the client takes: at least 512, over TCP all there can be (CoreDNS' `edns.Size`). */
function bufferSize({ query, client }: QuerySubject): number {
  return protocolOf(client) === 'tcp' ? 65_535 : Math.max(512, query.edns?.udpSize ?? 0);
}

function about<S extends QuerySubject>(gives: Type, read: (subject: S) => Value): HostFunction<S> {
  return { takes: [], gives, run: read };
}

export const queryFunctions: ReadonlyMap<string, HostFunction<QuerySubject>> = new Map([
  ['bufsize', about(int, bufferSize)],
  ['class', about(string, ({ query }) => classNames.get(query.class) ?? `CLASS${query.class}`)],
  ['client_ip', about(string, ({ client }) => client.address)],
  ['do', about(bool, ({ query }) => query.edns?.dnssecOk ?? false)],
  ['id', about(int, ({ query }) => query.id)],
  ['name', about(string, ({ query }) => foldCase(nameOf(query)))],
  ['opcode', about(int, ({ query }) => (query.packet[2]! >> 3) & 15)],
  ['port', about(string, ({ client }) => String(client.port))],
  ['proto', about(string, ({ client }) => protocolOf(client))],
  ['server_ip', about(string, ({ client }) => client.local?.address ?? '')],
  ['server_port', about(string, ({ client }) => String(client.local?.port ?? 0))],
  ['size', about(int, ({ query }) => query.packet.length)],
  ['type', about(string, ({ query }) => typeName(query.type))],
  ['metadata', { takes: ['string'], gives: string, run: ({ metadata }, [label]) => metadata(label as string) ?? '' }],
  [
    'incidr',
    {
      takes: ['string', 'string'],
      gives: bool,
      run: (_, [address, cidr]) => inCidr(address as string, cidr as string),
    },
  ],
]);
