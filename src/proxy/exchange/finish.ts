/** How exchanges end: well, with an answer of our own, or cut. */
import type { AccessFlag } from '../access.ts';
import { lineOf, noteEnd } from '../log/line/notes.ts';
import { detach } from './attachments.ts';
import { accessRecord, detachUpstream, type Exchange } from './exchange.ts';
import { leaveRoom, noteFailure } from './load.ts';
import { reply } from './reply.ts';

/** Both messages are done, or nothing more can be done for them. The client goes on to its next request, or closes. */
export function finish(exchange: Exchange): void {
  if (exchange.over) return;
  exchange.over = true;
  const { client } = exchange;
  clearTimers(exchange);
  releaseUpstream(exchange);
  leaveRoom(exchange);
  if (exchange.attached) detach(exchange);
  client.exchange = undefined;
  if (exchange.started > 0) tell(exchange);
  if (!client.gone) client.wire.done(exchange);
}

/** To the metrics, the access log and the trace. */
function tell(exchange: Exchange): void {
  const { metrics, onAccess, onSpan } = exchange.client.runtime;
  const durationMs = performance.now() - exchange.started;
  metrics?.observe(exchange, durationMs);
  if (!exchange.logged && !exchange.span) return;
  const record = accessRecord(exchange, durationMs);
  if (exchange.logged) {
    record.line = lineOf(exchange, record);
    onAccess!(record);
  }
  if (exchange.span)
    onSpan!({ context: exchange.span, request: record, cut: exchange.flag !== undefined && !exchange.madeHere });
}

export function clearTimers(exchange: Exchange): void {
  if (exchange.requestTimer) clearTimeout(exchange.requestTimer);
  if (exchange.backendTimer) clearTimeout(exchange.backendTimer);
  exchange.requestTimer = undefined;
  exchange.backendTimer = undefined;
  if (exchange.retryTimer) clearTimeout(exchange.retryTimer);
  exchange.retryTimer = undefined;
}

/** What carried the exchange cannot be used again by anyone. */
function releaseUpstream(exchange: Exchange): void {
  const link = detachUpstream(exchange);
  link?.wire.discard(link);
}

/** Gives up: with an answer while none has begun, by cutting the response afterwards. */
export function fail(exchange: Exchange, status: number, flag: AccessFlag, reason: string): void {
  if (exchange.over) return;
  noteFailure(exchange, flag);
  if (exchange.notes && (status === 502 || status === 504)) noteEnd(exchange.notes, status);
  releaseUpstream(exchange);
  if (exchange.status === 0) {
    const pages = exchange.share?.filters.errorPages;
    if (pages?.ownAnswers && pages.insteadOf(exchange, { status, flag, reason })) return;
    reply(exchange, { status, flag, reason });
    finish(exchange);
    return;
  }
  // A stage that has sent nothing yet can still end well.
  if (!exchange.attached?.body?.lost({ status, flag, reason })) cut(exchange, flag, reason);
}

/** Breaks off in the midst of a response, so that nobody takes it for a whole one. */
export function cut(exchange: Exchange, flag: AccessFlag, reason: string): void {
  if (exchange.over) return;
  exchange.flag ??= flag;
  exchange.reason ??= reason;
  const { client } = exchange;
  client.gone = true;
  client.wire.cut(exchange);
  finish(exchange);
}
