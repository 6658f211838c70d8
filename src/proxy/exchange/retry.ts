/** Sending a request once more because of what came of it, where its route says so and the backend can bear it. */
import type { Retry } from '../../routing/plan/retry.ts';
import { MAX_MS } from '../config/rules.ts';
import { bodyKind } from '../http1/request.ts';
import { noteEnd } from '../log/line/notes.ts';
import { NO_RESPONSE } from '../upstream/health/outlier.ts';
import { detachUpstream, type Exchange } from './exchange.ts';
import { fail } from './finish.ts';
import { isIdempotent } from './idempotent.ts';
import { noteResult } from './load.ts';

/** What speaks for another attempt: the status of a response, or how it failed to come. */
export type Cause = number | Retry['on'][number];

/** All that was sent of the request is still there. */
export function isKept({ kept, requestBody }: Exchange): boolean {
  return kept !== undefined || requestBody === bodyKind.none;
}

/** To be called when a request is about to be sent for the first time. */
export function prepareRetries(exchange: Exchange): void {
  const { share, client, method } = exchange;
  const retry = exchange.route?.route.retry;
  const mayRepeat = isIdempotent(method) || share?.upstream?.http2 || retry?.methods === 'all';
  if (!exchange.requestDone && (mayRepeat || share?.filters.errorPages?.wantsBody)) exchange.kept = [];
  const upstream = share?.upstream;
  if (upstream && (retry || upstream.policy?.retryBudget))
    upstream.budget(client.runtime.settings.upstream).request(client.runtime.now);
}

type Send = (exchange: Exchange) => void;

/**
 * Begins another attempt, `send` being how, or answers where the backend's policy forbids it; false when the exchange
 * must do with what it has. What carried the attempt before is given up.
 */
export function retryFor(exchange: Exchange, cause: Cause, send: Send): boolean {
  const retry = exchange.route?.route.retry;
  if (!retry || exchange.upgrade !== undefined || !isKept(exchange)) return false;
  if (retry.methods === 'idempotent' && !isIdempotent(exchange.method)) return false;
  if (!isWorthwhile(exchange, retry, cause)) return false;
  if (!takeFromBudget(exchange)) return refuse(exchange);
  if (cause === 'timeout') noteResult(exchange, NO_RESPONSE);
  if (exchange.notes) noteEnd(exchange.notes, cause === 'timeout' ? 504 : 502);
  const link = detachUpstream(exchange);
  // Another endpoint, if there is one; not for good, since there may be more attempts than endpoints.
  const { targets } = exchange.share!.upstream!;
  exchange.tried = link && targets.some((pool) => pool !== link.pool) ? [link.pool] : undefined;
  link?.wire.discard(link);
  sendLater(exchange, retry, send);
  return true;
}

/** The same when none of the endpoints tried has accepted a connection: nothing was sent, so that it may be any request. */
export function retryUnsent(exchange: Exchange, cause: Cause, send: Send): boolean {
  const retry = exchange.route?.route.retry;
  if (!retry || !isWorthwhile(exchange, retry, cause)) return false;
  if (!takeFromBudget(exchange)) return refuse(exchange);
  exchange.tried = undefined;
  sendLater(exchange, retry, send);
  return true;
}

function isWorthwhile(exchange: Exchange, retry: Retry, cause: Cause): boolean {
  if (exchange.status !== 0 || exchange.over || exchange.client.runtime.closing) return false;
  return isWorth(retry, cause) && exchange.retries < retry.attempts;
}

/** Counts the attempt if it may be made. */
function takeFromBudget(exchange: Exchange): boolean {
  const { settings, now } = exchange.client.runtime;
  if (!exchange.share!.upstream!.budget(settings.upstream).mayRetry(now)) return false;
  exchange.retries++;
  return true;
}

/** True: the exchange is over. Without a policy of its own what came of the request is better than nothing. */
function refuse(exchange: Exchange): boolean {
  if (!exchange.share!.upstream!.policy?.retryBudget) return false;
  fail(exchange, 503, 'upstream_overflow', 'the retry budget of the backend is used up');
  return true;
}

function sendLater(exchange: Exchange, retry: Retry, send: Send): void {
  clearTimeout(exchange.backendTimer);
  exchange.backendTimer = undefined;
  const pauseMs = pauseBefore(retry, exchange.retries);
  if (pauseMs > 0) exchange.retryTimer = setTimeout(send, pauseMs, exchange);
  else send(exchange);
}

function isWorth({ statuses, on }: Retry, cause: Cause): boolean {
  return typeof cause === 'number' ? statuses.includes(cause) : on.includes(cause);
}

/** The back-off and up to half as much, so that requests that failed together do not come back together. */
function pauseBefore({ backoffMs, maxBackoffMs }: Retry, attempt: number): number {
  return Math.min(MAX_MS, Math.min(maxBackoffMs, backoffMs * 2 ** (attempt - 1)) * (1 + Math.random() / 2));
}
