/** After 101 (RFC 9110 section 15.2.2): bytes both ways, until both sides have closed or nothing has moved for too long. */
import { tellSession } from '../affinity/session.ts';
import { knownValue, listMembers } from '../http1/fields.ts';
import { known } from '../http1/known-fields.ts';
import type { ResponseHead } from '../http1/response.ts';
import type { Exchange } from './exchange.ts';
import { clearTimers } from './finish.ts';
import { dropHop } from './response-head.ts';
import type { UpstreamLink } from './wire.ts';

/** RFC 9110 section 7.8: a backend may switch to what the client offered and to nothing else, and must name it. */
export function isOffered({ upgrade }: Exchange, { fields }: ResponseHead): boolean {
  const offered = listMembers(upgrade ?? '');
  const chosen = listMembers(knownValue(fields, known.upgrade) ?? '');
  return chosen.length > 0 && chosen.every((protocol) => offered.includes(protocol));
}

/** Bytes of the backend that came with the head are for the caller to pass on. */
export function beginTunnel(exchange: Exchange, link: UpstreamLink, head: ResponseHead): void {
  const { client } = exchange;
  const protocol = knownValue(head.fields, known.upgrade)!;
  clearTimers(exchange);
  exchange.tunnel = true;
  exchange.status = 101;
  exchange.close = true;
  exchange.requestText = '';
  dropHop(head);
  exchange.share?.filters.response?.(head.fields, exchange);
  if (exchange.session) tellSession(exchange, exchange.session, head.fields);
  client.wire.switched(exchange, head, protocol);
  client.wire.flush(client);
  client.wire.relayPending(exchange);
  link.wire.flush(link);
  client.wire.refreshReading(client);
  if (client.ended) link.wire.end(link, exchange, '');
}

/** Pairs of from and to in `bytes`, which the next event may write over. */
export function tunnelToBackend(exchange: Exchange, bytes: Buffer, runs: readonly number[]): void {
  const link = exchange.upstream!;
  const { client } = exchange;
  exchange.moved = client.runtime.now;
  for (let i = 0; i < runs.length; i += 2) exchange.requestBytes += runs[i + 1]! - runs[i]!;
  link.wire.data(link, exchange, bytes, runs);
  link.wire.flush(link);
  client.wire.refreshReading(client);
}
