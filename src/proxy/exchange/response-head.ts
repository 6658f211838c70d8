/** The head that a client gets: the backend's, without what belongs to its hop, changed as the route says. */
import type { ResponseFilter } from '../filters/types.ts';
import { addField, bit, dropAnyOf, dropKnown, knownValue, removeField, writeFields } from '../http1/fields.ts';
import { known } from '../http1/known-fields.ts';
import { type ResponseHead, responseBody, statusLine } from '../http1/response.ts';
import type { Exchange } from './exchange.ts';
import { connectionLine } from './reply.ts';

const hopFields =
  bit(known.connection) |
  bit(known.keepAlive) |
  bit(known.proxyConnection) |
  bit(known.te) |
  bit(known.transferEncoding) |
  bit(known.upgrade);

function dropHop(head: ResponseHead): void {
  const { fields } = head;
  dropAnyOf(fields, hopFields);
  for (const name of head.connectionNames) removeField(fields, name);
}

/** Status line and fields, in one piece where the backend's own status line will do. */
function writeHead(head: ResponseHead): string {
  const { fields } = head;
  return head.plainLine ? `${writeFields(fields, 0)}\r\n` : `${statusLine(head)}${writeFields(fields)}\r\n`;
}

/** Head of the final response, ending in its empty line. Decides how its body is framed for the client. */
export function writeResponseHead(exchange: Exchange, head: ResponseHead): string {
  const { fields } = head;
  dropHop(head);
  frame(exchange, head);
  const { runtime } = exchange.client;
  const filter: ResponseFilter | undefined = exchange.share?.filters.response;
  const late = exchange.attached?.response;
  if (filter || late) {
    if (!head.hasDate) addField(fields, 'Date', runtime.dateLine.slice(6, -2));
    filter?.(fields);
    late?.(fields);
  } else if (!head.hasDate) {
    // RFC 9110 section 6.6.1: whoever forwards a response without Date adds it.
    fields.added += runtime.dateLine;
  }
  fields.added += connectionLine(exchange);
  return writeHead(head);
}

function frame(exchange: Exchange, head: ResponseHead): void {
  const { fields } = head;
  exchange.responseBody = head.body;
  exchange.responseLeft = head.contentLength;
  if (!exchange.requestDone || exchange.client.runtime.closing || exchange.client.door.removed) exchange.close = true;
  if (head.body === responseBody.chunked || head.body === responseBody.untilClose) {
    if (exchange.minor === 1) {
      exchange.chunkedOut = true;
      fields.added += 'Transfer-Encoding: chunked\r\n';
    } else {
      exchange.close = true;
    }
  }
  if (!exchange.chunkedOut || head.body !== responseBody.chunked) dropKnown(fields, known.trailer);
  // RFC 9110 section 8.6: a 204 has no Content-Length.
  if (head.plainLength && head.status !== 204) return;
  dropKnown(fields, known.contentLength);
  if (head.status !== 204) fields.added += `Content-Length: ${head.contentLength}\r\n`;
}

/** An interim response (RFC 9110 section 15.2). */
export function writeInformational(head: ResponseHead): string {
  dropHop(head);
  // RFC 9110 section 8.6: a 1xx has no Content-Length.
  dropKnown(head.fields, known.contentLength);
  return writeHead(head);
}

/** Head of the 101 that makes a tunnel of the connection. */
export function writeSwitch(exchange: Exchange, head: ResponseHead): string {
  const { fields } = head;
  const protocol = knownValue(fields, known.upgrade)!;
  dropHop(head);
  dropKnown(fields, known.contentLength);
  exchange.share?.filters.response?.(fields);
  fields.added += `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n`;
  return writeHead(head);
}
