/** What an exchange takes up of its backend, and what came of it: for balancing, limits and ejection. */
import type { RequestHead } from '../http1/request.ts';
import { NO_RESPONSE } from '../upstream/health/outlier.ts';
import type { Pool } from '../upstream/pool.ts';
import { hasRoomForRequest, type Room, wake } from '../upstream/room.ts';
import type { Upstream } from '../upstream/upstreams.ts';
import { clientAddress } from './client-address.ts';
import type { Exchange } from './exchange.ts';

/** What the endpoint of a request follows from; undefined where it does not. */
export function hashKeyOf(exchange: Exchange, head: RequestHead, upstream: Upstream): number | undefined {
  const { headers } = head;
  return upstream.keyOf?.({
    headers,
    address: () => clientAddress(exchange.client, headers('x-forwarded-for')),
    text: (template) => template.text(exchange, head),
  });
}

/** Counts a request as one under way; false when there are as many as there may be. */
export function takeRoom(exchange: Exchange, room: Room): boolean {
  if (exchange.room) return true;
  if (room.limits !== undefined && !hasRoomForRequest(room)) return false;
  room.active++;
  exchange.room = room;
  return true;
}

/** The request is on its way to an endpoint, and not to the one before. */
export function countOn(exchange: Exchange, pool: Pool): void {
  if (exchange.at) exchange.at.active--;
  exchange.at = pool;
  pool.active++;
}

/** To be called when the exchange is over. */
export function leaveRoom(exchange: Exchange): void {
  const { at, room } = exchange;
  if (at) at.active--;
  exchange.at = undefined;
  if (!room) return;
  exchange.room = undefined;
  room.active--;
  wake(room);
}

/** A response with this status has begun, or will never begin (NO_RESPONSE). */
export function noteResult({ client, share, at }: Exchange, status: number): void {
  const upstream = share?.upstream;
  if (at && upstream?.policy?.outlierEjection) client.runtime.upstreams.noteOutcome(upstream, at, status);
}

/** Ends without a response for which the endpoint is to blame. Failures to connect are noted as they happen. */
const blamed = new Set([
  'upstream_reset',
  'upstream_protocol',
  'upstream_truncated',
  'upstream_timeout',
  'backend_request_timeout',
  'request_timeout',
]);

/** Those of them for which the client is to blame while it has not sent all of its request. */
const patient = new Set(['upstream_timeout', 'backend_request_timeout', 'request_timeout']);

/** An exchange that was sent to an endpoint has failed before a response began. */
export function noteFailure(exchange: Exchange, flag: string): void {
  if (exchange.status !== 0 || !exchange.upstream || !blamed.has(flag)) return;
  if (!exchange.requestDone && patient.has(flag)) return;
  noteResult(exchange, NO_RESPONSE);
}
