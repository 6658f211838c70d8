/** The head that a backend gets: the client's, without what belongs to its hop, changed as the route says. */

import { joinTarget } from '../../routing/match/rewrite.ts';
import type { RequestFilter } from '../filters/types.ts';
import { dropKnown, removeField, writeFields } from '../http1/fields.ts';
import { known } from '../http1/known-fields.ts';
import { bodyKind, type RequestHead } from '../http1/request.ts';
import type { Exchange } from './exchange.ts';
import { setForwarded } from './forwarded.ts';

/** By number of the known field: 1 for those that are never passed on as they came (RFC 9110 section 7.6.1). */
const hopFields = new Uint8Array(32);
for (const id of [
  known.connection,
  known.keepAlive,
  known.proxyConnection,
  known.te,
  known.transferEncoding,
  known.upgrade,
  known.http2Settings,
]) {
  hopFields[id] = 1;
}

/** Head of the request to send, ending in its empty line. */
export function writeRequestHead(
  exchange: Exchange,
  head: RequestHead,
  filter: RequestFilter | undefined,
  prefixLength: number | undefined,
): string {
  const { fields } = head;
  for (let i = 0; i < fields.count; i++) if (hopFields[fields.known[i]!] === 1) fields.dropped[i] = 1;
  for (const name of head.connectionNames) removeField(fields, name);
  setForwarded(exchange.client, head, filter !== undefined);
  writeFraming(head);
  const target = filter ? applyFilter(exchange, head, filter, prefixLength) : head.target;
  const host = filter ? exchange.client.runtime.outgoing.host : head.host;
  return `${head.method} ${target} HTTP/1.1\r\n${hostLine(exchange, head, host)}${writeFields(fields)}\r\n`;
}

/** Runs the route's filters; returns the target they leave. */
function applyFilter(
  exchange: Exchange,
  head: RequestHead,
  filter: RequestFilter,
  prefixLength: number | undefined,
): string {
  const { outgoing } = exchange.client.runtime;
  outgoing.host = head.host;
  outgoing.path = head.path;
  outgoing.query = head.query;
  outgoing.prefixLength = prefixLength;
  outgoing.targetChanged = false;
  filter(outgoing);
  return outgoing.targetChanged ? joinTarget(outgoing.path, outgoing.query) : head.target;
}

/** '' when the client's own Host line stays. HTTP/1.0 may come without; HTTP/1.1 may not be sent without. */
function hostLine(exchange: Exchange, head: RequestHead, host: string): string {
  if (host === head.host && !head.hostReplaced && host !== '') return '';
  dropKnown(head.fields, known.host);
  const { listener } = exchange.client.door.table;
  return `Host: ${host !== '' || head.minor === 1 ? host : `${listener.address}:${listener.port}`}\r\n`;
}

function writeFraming(head: RequestHead): void {
  const { fields } = head;
  if (head.body === bodyKind.chunked) fields.added += 'Transfer-Encoding: chunked\r\n';
  if (!head.plainLength) {
    dropKnown(fields, known.contentLength);
    fields.added += `Content-Length: ${head.contentLength}\r\n`;
  }
  if (!head.expectContinue) dropKnown(fields, known.expect);
  if (head.upgrade !== undefined) {
    fields.added += `Connection: ${head.acceptsTrailers ? 'Upgrade, TE' : 'Upgrade'}\r\nUpgrade: ${head.upgrade}\r\n`;
  } else if (head.acceptsTrailers) {
    fields.added += 'Connection: TE\r\n';
  }
  if (head.acceptsTrailers) fields.added += 'TE: trailers\r\n';
}
