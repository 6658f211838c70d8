/** What every client gets of a response's head, whatever it speaks: without the backend's hop, changed as the route says. */
import { tellSession } from '../affinity/session.ts';
import type { ResponseFilter } from '../filters/types.ts';
import { addField, bit, dropAnyOf, removeField } from '../http1/fields.ts';
import { known } from '../http1/known-fields.ts';
import type { ResponseHead } from '../http1/response.ts';
import type { Exchange } from './exchange.ts';

const hopFields =
  bit(known.connection) |
  bit(known.keepAlive) |
  bit(known.proxyConnection) |
  bit(known.te) |
  bit(known.transferEncoding) |
  bit(known.upgrade);

/** Takes out what belongs to the backend's hop (RFC 9110 section 7.6.1). */
export function dropHop(head: ResponseHead): void {
  const { fields } = head;
  dropAnyOf(fields, hopFields);
  for (const name of head.connectionNames) removeField(fields, name);
}

/** Makes the head of a final response ready to be framed for the client. */
export function prepareHead(exchange: Exchange, head: ResponseHead): void {
  const { fields } = head;
  dropHop(head);
  const { runtime } = exchange.client;
  const filter: ResponseFilter | undefined = exchange.share?.filters.response;
  const late = exchange.attached?.response;
  if (filter || late) {
    if (!head.hasDate) addField(fields, 'Date', runtime.dateLine.slice(6, -2));
    filter?.(fields, exchange);
    late?.(fields, exchange);
  } else if (!head.hasDate) {
    // RFC 9110 section 6.6.1: whoever forwards a response without Date adds it.
    fields.added += runtime.dateLine;
  }
  const { session } = exchange;
  // Last: what filters do to cookies and headers is meant for those of the backend.
  if (session) tellSession(exchange, session, fields);
}
