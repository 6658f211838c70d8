/** Getting a request to an endpoint: which one, over which connection, and what to do when that fails. */
import { bodyKind } from '../http1/request.ts';
import { acquireLink } from '../upstream/acquire.ts';
import type { Pool } from '../upstream/pool.ts';
import { nextTarget } from '../upstream/upstreams.ts';
import type { Exchange } from './exchange.ts';
import { cut, fail } from './finish.ts';
import { repeatBody } from './request-body.ts';
import type { UpstreamLink } from './wire.ts';

/** RFC 9110 section 9.2.2: what may be sent twice without being asked. */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

export const isIdempotent = (method: string): boolean => idempotent.has(method);

/** Sends over an idle connection of the next endpoint, or over a new one. */
export function send(exchange: Exchange): void {
  const { runtime } = exchange.client;
  const upstream = exchange.share!.upstream!;
  let full = false;
  for (;;) {
    const pool = nextTarget(upstream, exchange.tried);
    if (!pool) {
      giveUp(exchange, full);
      return;
    }
    // What was lost on an idle connection is not tried on another.
    const link = acquireLink(pool, runtime, exchange.repeated);
    if (link) {
      attach(exchange, link);
      if (link.connected) transmit(exchange, link);
      return;
    }
    full = true;
    markTried(exchange, pool);
  }
}

function giveUp(exchange: Exchange, full: boolean): void {
  if (full) fail(exchange, 503, 'upstream_overflow', 'all connections to the backend are in use');
  else if (exchange.attempts > 0)
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
  exchange.endpoint = link.pool.key;
  exchange.attempts++;
  exchange.answered = false;
  const timeoutMs = exchange.route!.backendTimeoutMs;
  if (timeoutMs <= 0) return;
  clearTimeout(exchange.backendTimer);
  exchange.backendTimer = setTimeout(onBackendTimeout, timeoutMs, exchange);
}

function onBackendTimeout(exchange: Exchange): void {
  exchange.backendTimer = undefined;
  fail(exchange, 504, 'backend_request_timeout', 'the backend took longer than its route allows');
}

/** Writes the head, and of the body what is there, in one go. */
export function transmit(exchange: Exchange, link: UpstreamLink): void {
  const { client } = exchange;
  exchange.moved = client.runtime.now;
  if (exchange.started > 0) exchange.sentAt = performance.now();
  link.wire.begin(link, exchange);
  if (exchange.kept && exchange.requestBytes > 0) repeatBody(exchange);
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

/** Sending it again does no harm, and all that was sent of it is still there. */
function mayRepeat(exchange: Exchange): boolean {
  return isIdempotent(exchange.method) && (exchange.kept !== undefined || exchange.requestBody === bodyKind.none);
}

/** A connection was lost before any byte of a response. */
export function retryOrFail(exchange: Exchange, link: UpstreamLink, timedOut: boolean): void {
  const { maxConnectAttempts } = exchange.client.runtime.settings.upstream;
  exchange.upstream = undefined;
  link.exchange = undefined;
  if (!link.connected) {
    markTried(exchange, link.pool);
    if (
      exchange.tried!.length < maxConnectAttempts &&
      exchange.share!.upstream!.targets.length > exchange.tried!.length
    ) {
      send(exchange);
      return;
    }
    failConnecting(exchange, link, timedOut);
    return;
  }
  if (link.reused && !exchange.repeated && mayRepeat(exchange)) {
    exchange.repeated = true;
    send(exchange);
    return;
  }
  // With TLS 1.3 a backend that wants another client certificate says so after the handshake (RFC 8446 section 4.4.2.4).
  if (link.pool.identity && link.error?.includes(' alert ')) {
    fail(exchange, 502, 'upstream_tls_failed', `the backend ended TLS: ${link.error}`);
    return;
  }
  fail(exchange, 502, 'upstream_reset', 'the backend closed the connection without a response');
}

function failConnecting(exchange: Exchange, link: UpstreamLink, timedOut: boolean): void {
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
