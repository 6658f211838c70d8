/** The head that a backend gets: the client's, without what belongs to its hop, changed as the route says. */
import { isIPv6 } from 'node:net';
import { writeTarget } from '../../routing/match/normal-rewrite.ts';
import { joinTarget } from '../../routing/match/rewrite.ts';
import type { Listener } from '../../routing/plan/plan.ts';
import type { RequestFilter } from '../filters/types.ts';
import { bit, dropAnyOf, dropKnown, removeField, writeFields } from '../http1/fields.ts';
import { known } from '../http1/known-fields.ts';
import { bodyKind, type RequestHead } from '../http1/request.ts';
import type { Exchange } from './exchange.ts';
import { setForwarded } from './forwarded.ts';

/** Fields that are never passed on as they came (RFC 9110 section 7.6.1). */
const hopFields =
  bit(known.connection) |
  bit(known.keepAlive) |
  bit(known.proxyConnection) |
  bit(known.te) |
  bit(known.transferEncoding) |
  bit(known.upgrade) |
  bit(known.http2Settings);

/** Head of the request to send, ending in its empty line. */
export function writeRequestHead(
  exchange: Exchange,
  head: RequestHead,
  filter: RequestFilter | undefined,
  prefixLength: number | undefined,
): string {
  const { fields } = head;
  dropAnyOf(fields, hopFields);
  for (const name of head.connectionNames) removeField(fields, name);
  setForwarded(exchange.client, head, filter !== undefined);
  writeFraming(head);
  const target = filter ? applyFilter(exchange, head, filter, prefixLength) : head.target;
  const host = filter ? exchange.client.runtime.outgoing.host : head.host;
  const newHost = hostLine(exchange, head, host);
  // Request line and fields in one piece where the client's own request line will do.
  if (head.plainLine && newHost === '' && target === head.target) return `${writeFields(fields, head.lineStart)}\r\n`;
  return `${head.method} ${target} HTTP/1.1\r\n${newHost}${writeFields(fields)}\r\n`;
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
  outgoing.isNormal = head.normalPath !== '';
  outgoing.path = outgoing.isNormal ? head.normalPath : head.path;
  outgoing.query = head.query;
  outgoing.prefixLength = prefixLength;
  outgoing.targetChanged = false;
  filter(outgoing, exchange, head);
  if (!outgoing.targetChanged) return head.target;
  return outgoing.isNormal ? writeTarget(outgoing.path, outgoing.query) : joinTarget(outgoing.path, outgoing.query);
}

/** '' when the client's own Host line stays. HTTP/1.0 may come without; HTTP/1.1 may not be sent without. */
function hostLine(exchange: Exchange, head: RequestHead, host: string): string {
  if (host === head.host && !head.hostReplaced && host !== '') return '';
  dropKnown(head.fields, known.host);
  return `Host: ${host !== '' || head.minor === 1 ? host : placeOf(exchange.client.door.table.listener)}\r\n`;
}

function placeOf({ address, port }: Listener): string {
  return `${isIPv6(address) ? `[${address}]` : address}:${port}`;
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
