/** What is said of a request in headers of requests that filters make. */
import { stripPort } from '../../routing/match/host.ts';
import { normalPath } from '../../routing/match/normal-path.ts';
import type { HeaderPair, RequestFact } from '../../routing/plan/plan.ts';
import { attachmentsOf } from '../exchange/attachments.ts';
import { clientAddress } from '../exchange/client-address.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { isFieldValue, isToken, toWire } from '../http1/characters.ts';
import type { RequestHead } from '../http1/request.ts';
import { newRequestId } from '../trace/traceparent.ts';
import { certificateOf } from '../values/certificate.ts';
import { readCredentials } from '../values/credentials.ts';
import { everyField, firstField } from '../values/fields.ts';
import { ownFields } from './header-change.ts';

export const factOf: Readonly<Record<RequestFact, (exchange: Exchange, head: RequestHead) => string>> = {
  url: urlOf,
  uri: (_exchange, { target }) => target,
  path: (_exchange, { path }) => path,
  method: (_exchange, { method }) => method,
  scheme: schemeOf,
  host: (_exchange, { host }) => host,
  'client-address': ({ client }, { headers }) => clientAddress(client, headers('x-forwarded-for')),
  hostname: (_exchange, { host }) => stripPort(host).toLowerCase(),
  query: (_exchange, { query }) => query,
  'query-mark': (_exchange, { query }) => (query === '' ? '' : '?'),
  'uri-without-slash': (_exchange, { target }) => (target.endsWith('/') ? target.slice(0, -1) : target),
  'escaped-uri': (_exchange, { target }) => escapeAll(target),
  'normal-path': (_exchange, { normalPath: normal, path }) => normal || (normalPath(path) ?? path),
  'listener-port': ({ client }) => String(client.door.table.listener.port),
  port: portOf,
  protocol: (exchange) => exchange.client.wire.protocol(exchange),
  'request-id': requestIdOf,
  'forwarded-for': (_exchange, { fields }) => everyField(fields, 'x-forwarded-for'),
  'forwarded-for-appended': ({ client }, { fields }) => {
    const said = everyField(fields, 'x-forwarded-for');
    return said === '' ? client.address : `${said}, ${client.address}`;
  },
  user: userOf,
  tls: ({ client }) => (client.door.scheme === 'https' ? 'on' : ''),
  'client-certificate': ({ client }) => certificateOf(client).pem,
  'client-certificate-verify': ({ client }) => certificateOf(client).verify,
  'client-certificate-subject': ({ client }) => certificateOf(client).subject,
  'client-certificate-issuer': ({ client }) => certificateOf(client).issuer,
};

/** All but unreserved characters percent-encoded (RFC 3986 section 2.3). */
function escapeAll(target: string): string {
  return encodeURIComponent(target).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function portOf({ client }: Exchange, { headers }: RequestHead): string {
  const said = client.trusted ? headers('x-forwarded-port') : undefined;
  return said !== undefined && /^[0-9]{1,5}$/.test(said) ? said : String(client.door.table.listener.port);
}

/** Made once for a request, and known as long as it lasts. */
function requestIdOf(exchange: Exchange, { fields }: RequestHead): string {
  const said = firstField(fields, 'x-request-id');
  if (said !== '') return said;
  const attached = attachmentsOf(exchange);
  if (attached.requestId === '') attached.requestId = newRequestId();
  return attached.requestId;
}

/** As the request came: basic auth takes Authorization out of it, and notes whose it was. */
function userOf({ attached }: Exchange, { headers }: RequestHead): string {
  return attached?.user || toWire(readCredentials(headers('authorization'))?.name ?? '');
}

/** The URL that the client has asked for. */
export function urlOf(exchange: Exchange, head: RequestHead): string {
  return `${schemeOf(exchange, head)}://${head.host}${head.target}`;
}

function schemeOf({ client }: Exchange, { headers }: RequestHead): string {
  const said = client.trusted ? headers('x-forwarded-proto')?.toLowerCase() : undefined;
  return said === 'http' || said === 'https' ? said : client.door.scheme;
}

/**
 * A lower-case name as servers see it that make variables of header names (RFC 3875 section 4.1.18), CGI and WSGI among
 * them: to these `x_user` and `x-user` are the same.
 */
export const variableName = (lowerName: string): string => lowerName.replaceAll('-', '_');

/** Lines, each with its CRLF. */
export function factLines(
  facts: readonly (readonly [string, RequestFact])[],
  exchange: Exchange,
  head: RequestHead,
): string {
  return facts.map(([name, fact]) => `${name}: ${factOf[fact](exchange, head)}\r\n`).join('');
}

/** Lines that are always the same. */
export function constantLines(pairs: readonly HeaderPair[]): string {
  return pairs.map(([name, value]) => `${name}: ${toWire(value).trim()}\r\n`).join('');
}

/** Why a header with this name and value cannot be sent; undefined when it can. */
export function headerFault(name: string, value = ''): string | undefined {
  if (!isToken(name)) return `${JSON.stringify(name)} is not a header name`;
  if (ownFields.has(name.toLowerCase()) || name.toLowerCase() === 'host')
    return `the header ${name} belongs to the connection`;
  return isFieldValue(toWire(value)) ? undefined : `the value of header ${name} has control characters`;
}

/** True for a path with or without a query that can stand in a request line as it is. */
export const isRequestTarget = (text: string): boolean => /^\/[\x21\x22\x24-\x7e]*$/.test(text);

/** Lines of a response that is passed on with its body; what belongs to the connection, and Date, are our own. */
export function passedLines(fields: readonly HeaderPair[]): string {
  let lines = '';
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (lower !== 'date' && !ownFields.has(lower)) lines += `${name}: ${value}\r\n`;
  }
  return lines;
}
