/** Getting a request to an endpoint: which one, over which connection, and what to do when that fails. */
import { endpointOf, isTied } from '../affinity/session.ts';
import { noteAttempt, noteConnected, noteEnd } from '../log/line/notes.ts';
import { acquireLink } from '../upstream/acquire.ts';
import { NO_RESPONSE } from '../upstream/health/outlier.ts';
import type { Pool } from '../upstream/pool.ts';
import { type Room, type Waiter, waitFor } from '../upstream/room.ts';
import { nextTarget, type Upstream } from '../upstream/upstreams.ts';
import { attachmentsOf } from './attachments.ts';
import type { Exchange } from './exchange.ts';
import { cut, fail } from './finish.ts';
import { isIdempotent } from './idempotent.ts';
import { countOn, noteResult, takeRoom } from './load.ts';
import { repeatBody } from './request-body.ts';
import { isKept, retryFor, retryUnsent } from './retry.ts';
import type { UpstreamLink } from './wire.ts';

/** Sends over an idle connection of the next endpoint, or over a new one; waits for one where the backend permits that. */
export function send(exchange: Exchange): void {
  const { room } = exchange.share!.upstream!;
  // Who waits already goes first.
  if ((exchange.room || room.waiting.size === 0) && trySend(exchange)) return;
  awaitRoom(exchange, room);
}

/** False when there is no room for the request. */
function trySend(exchange: Exchange): boolean {
  const upstream = exchange.share!.upstream!;
  if (!takeRoom(exchange, upstream.room)) return false;
  /** Those that have no connection to give. */
  let full: Pool[] | undefined;
  for (;;) {
    const pool = nextPool(exchange, upstream, full);
    if (!pool) {
      if (full) return false;
      giveUp(exchange);
      return true;
    }
    // What was lost on an idle connection is not tried on another.
    const link = acquireLink(pool, exchange.client, exchange.repeated);
    if (link) {
      attach(exchange, link);
      if (link.connected) transmit(exchange, link);
      return true;
    }
    full ??= [];
    full.push(pool);
  }
}

/** The endpoint of the request's session, or the next in turn. */
function nextPool(exchange: Exchange, upstream: Upstream, full: readonly Pool[] | undefined): Pool | undefined {
  const { session, hashKey, tried } = exchange;
  const passed = full && tried ? [...tried, ...full] : (full ?? tried);
  const own = session && endpointOf(session, upstream, isTied(session) ? full : passed);
  return own ?? nextTarget(upstream, passed, hashKey);
}

function awaitRoom(exchange: Exchange, room: Room): void {
  const { now, settings } = exchange.client.runtime;
  const waiter: Waiter = {
    until: now + (room.limits?.pendingTimeoutMs ?? settings.upstream.pendingTimeoutMs),
    resume: () => exchange.over || trySend(exchange),
    expire: () => fail(exchange, 503, 'upstream_overflow', 'no connection to the backend became free in time'),
  };
  if (waitFor(room, waiter)) attachmentsOf(exchange).whenOver.push(() => room.waiting.delete(waiter));
  else fail(exchange, 503, 'upstream_overflow', 'all connections to the backend are in use');
}

function giveUp(exchange: Exchange): void {
  if (exchange.attempts > 0)
    fail(exchange, 502, 'upstream_connect_failed', 'no endpoint of the backend can be reached');
  else fail(exchange, 503, 'no_endpoints', 'the backend has no ready endpoints');
}

function markTried(exchange: Exchange, pool: Pool): void {
  exchange.tried ??= [];
  exchange.tried.push(pool);
}

function attach(exchange: Exchange, link: UpstreamLink): void {
  exchange.upstream = link;
  link.exchange = exchange;
  countOn(exchange, link.pool);
  exchange.endpoint = link.pool.key;
  exchange.attempts++;
  if (exchange.notes) noteAttempt(exchange.notes, link.pool.key);
  exchange.answered = false;
  const timeoutMs = exchange.route!.backendTimeoutMs;
  if (timeoutMs <= 0) return;
  clearTimeout(exchange.backendTimer);
  exchange.backendTimer = setTimeout(onBackendTimeout, timeoutMs, exchange);
}

function onBackendTimeout(exchange: Exchange): void {
  exchange.backendTimer = undefined;
  if (retryFor(exchange, 'timeout', send)) return;
  fail(exchange, 504, 'backend_request_timeout', 'the backend took longer than its route allows');
}

/** Writes the head, and of the body what is there, in one go. */
export function transmit(exchange: Exchange, link: UpstreamLink): void {
  const { client } = exchange;
  exchange.moved = client.runtime.now;
  if (exchange.started > 0) exchange.sentAt = performance.now();
  if (exchange.notes) noteConnected(exchange.notes);
  const problem = link.wire.begin(link, exchange);
  if (problem !== undefined) {
    fail(exchange, 502, 'unsupported_protocol', problem);
    return;
  }
  // Of an empty body too: its end may have to be said.
  if (exchange.kept && (exchange.requestBytes > 0 || exchange.requestDone)) repeatBody(exchange);
  if (!exchange.requestDone) {
    if (!client.wire.relayPending(exchange)) return;
    if (!exchange.requestDone && client.ended) {
      cut(exchange, 'client_closed', 'the client closed before its request was complete');
      return;
    }
  }
  link.wire.flush(link);
  client.wire.refreshReading(client);
}

/** Sending it again does no harm. */
function mayRepeat(exchange: Exchange): boolean {
  return isIdempotent(exchange.method) && isKept(exchange);
}

/** A connection was lost before any byte of a response. */
export function retryOrFail(exchange: Exchange, link: UpstreamLink, timedOut: boolean): void {
  const { maxConnectAttempts } = exchange.client.runtime.settings.upstream;
  if (exchange.notes) noteEnd(exchange.notes, timedOut ? 504 : 502);
  if (!link.connected) {
    noteResult(exchange, NO_RESPONSE);
    letGo(exchange, link);
    markTried(exchange, link.pool);
    const { tried = [], share } = exchange;
    if (tried.length < maxConnectAttempts && share!.upstream!.targets.some((pool) => !tried.includes(pool))) {
      send(exchange);
      return;
    }
    failConnecting(exchange, link, timedOut);
    return;
  }
  if (!exchange.repeated && ((link.reused && mayRepeat(exchange)) || (link.unprocessed && isKept(exchange)))) {
    exchange.repeated = true;
    letGo(exchange, link);
    send(exchange);
    return;
  }
  // With TLS 1.3 a backend that wants another client certificate says so after the handshake (RFC 8446 section 4.4.2.4).
  if (link.pool.identity && link.error?.includes(' alert ')) {
    letGo(exchange, link);
    fail(exchange, 502, 'upstream_tls_failed', `the backend ended TLS: ${link.error}`);
    return;
  }
  noteResult(exchange, NO_RESPONSE);
  if (retryFor(exchange, 'reset', send)) return;
  letGo(exchange, link);
  fail(exchange, 502, 'upstream_reset', 'the backend closed the connection without a response');
}

/** The link is lost already. */
function letGo(exchange: Exchange, link: UpstreamLink): void {
  exchange.upstream = undefined;
  link.exchange = undefined;
}

function failConnecting(exchange: Exchange, link: UpstreamLink, timedOut: boolean): void {
  // Who has refused to speak TLS with us will do so again.
  if (!link.negotiating && retryUnsent(exchange, timedOut ? 'timeout' : 'reset', send)) return;
  if (timedOut) {
    fail(exchange, 504, 'upstream_connect_timeout', 'connecting to the backend took too long');
    return;
  }
  if (link.negotiating) {
    fail(exchange, 502, 'upstream_tls_failed', `TLS to the backend failed: ${link.error ?? 'it closed'}`);
    return;
  }
  exchange.reason = link.error;
  fail(exchange, 502, 'upstream_connect_failed', 'the backend cannot be reached');
}
