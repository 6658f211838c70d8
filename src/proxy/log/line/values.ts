/** Values of a line that must be read while there are heads and connections: see compile.ts. */
import type { TLSSocket } from 'node:tls';
import type { LogFact, LogField } from '../../../routing/plan/plan.ts';
import { clientAddress } from '../../exchange/client-address.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { plainAddress } from '../../exchange/forwarded.ts';
import { type Fields, fieldValue } from '../../http1/fields.ts';
import type { RequestHead } from '../../http1/request.ts';
import { everyField } from '../../values/fields.ts';
import { compileValue } from '../../values/template.ts';

/** Undefined where there is no such thing. Without a head nothing is known but what the connection says. */
export type Early = (exchange: Exchange, head: RequestHead | undefined) => string | undefined;

/** Values of all fields of a name, told apart from none. */
export function headerOf(fields: Fields, lowerName: string): string | undefined {
  return everyField(fields, lowerName) || fieldValue(fields, lowerName);
}

/** Of these nginx has an empty value rather than none. */
const emptyFacts: ReadonlySet<string> = new Set(['query-mark', 'tls']);

type RequestField = Exclude<LogField, { of: 'log' | 'sent-header' | 'response-header' }>;

export function compileEarly(field: RequestField): Early {
  if (field.of === 'fact' && field.fact === 'client-address')
    return ({ client }, head) => (head ? clientAddress(client, head.headers('x-forwarded-for')) : client.address);
  if (field.of === 'header') return (_exchange, head) => head && headerOf(head.fields, field.name);
  const read = compileValue(field);
  if (field.of === 'fact' && emptyFacts.has(field.fact)) return (exchange, head) => head && read(exchange, head);
  return (exchange, head) => (head && read(exchange, head)) || undefined;
}

export type EarlyFact = Extract<
  LogFact,
  'remote-port' | 'proxy-protocol-address' | 'remote-user' | 'tls-protocol' | 'tls-cipher' | 'tls-server-name'
>;

const tlsOf = ({ client: { door, socket } }: Exchange): TLSSocket | undefined =>
  door.scheme === 'https' ? (socket as TLSSocket) : undefined;

/** What only lines of the log know, and must know early. */
export const earlyFacts: Readonly<Record<EarlyFact, Early>> = {
  'remote-port': ({ client: { runtime, socket } }) => String(runtime.announcements.endsOf(socket).client.port),
  'proxy-protocol-address': ({ client: { address, socket } }) =>
    address === plainAddress(socket.remoteAddress) ? undefined : address,
  'remote-user': (_exchange, head) => head && userOf(head.headers('authorization')),
  'tls-protocol': (exchange) => tlsOf(exchange)?.getProtocol() ?? undefined,
  'tls-cipher': (exchange) => tlsOf(exchange)?.getCipher()?.name,
  'tls-server-name': ({ client }) => client.serverName,
};

/** RFC 7617 section 2; one character per byte. */
function userOf(authorization: string | undefined): string | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/=_-]+)$/i.exec(authorization ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const pair = Buffer.from(encoded, 'base64').toString('latin1');
  const colon = pair.indexOf(':');
  return colon > 0 ? pair.slice(0, colon) : undefined;
}
