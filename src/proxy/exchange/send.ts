/** Getting a request to an endpoint: which one, over which connection, and what to do when that fails. */
import { flush } from '../outbox.ts';
import { openConnection, type UpstreamConnection } from '../upstream/connection.ts';
import { type Pool, takeIdle } from '../upstream/pool.ts';
import { nextTarget } from '../upstream/upstreams.ts';
import type { Exchange } from './exchange.ts';
import { cut, fail } from './finish.ts';
import { refreshReading } from './reading.ts';
import { relayRequestBody } from './request-body.ts';

/** RFC 9110 section 9.2.2: what may be sent twice without being asked. */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** Sends over an idle connection of the next endpoint, or over a new one. */
export function send(exchange: Exchange): void {
  const { runtime } = exchange.client;
  const limits = runtime.settings.upstream;
  const upstream = exchange.share!.upstream!;
  let full = false;
  for (;;) {
    const pool = nextTarget(upstream, exchange.tried);
    if (!pool) {
      giveUp(exchange, full);
      return;
    }
    // What was lost on an idle connection is not tried on another.
    const idle = exchange.repeated ? undefined : takeIdle(pool);
    if (idle) {
      attach(exchange, idle);
      idle.reused = true;
      transmit(exchange, idle);
      return;
    }
    if (pool.open < limits.maxConnectionsPerEndpoint) {
      attach(exchange, openConnection(pool, limits.connectTimeoutMs, runtime.upstreamHandlers));
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

function attach(exchange: Exchange, connection: UpstreamConnection): void {
  exchange.upstream = connection;
  connection.exchange = exchange;
  exchange.endpoint = connection.pool.key;
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
export function transmit(exchange: Exchange, connection: UpstreamConnection): void {
  const { client } = exchange;
  exchange.moved = client.runtime.now;
  if (exchange.started > 0) exchange.sentAt = performance.now();
  connection.out.text = exchange.requestText;
  if (!exchange.requestDone) {
    if (!relayPending(exchange, connection)) return;
    if (!exchange.requestDone && client.ended) {
      cut(exchange, 'client_closed', 'the client closed before its request was complete');
      return;
    }
  }
  exchange.repeatable = exchange.requestDone && !connection.out.corked && idempotent.has(exchange.method);
  exchange.requestText = exchange.repeatable ? connection.out.text : '';
  flush(connection.out);
  refreshReading(client);
}

/** False when the exchange failed over its body. */
function relayPending(exchange: Exchange, connection: UpstreamConnection): boolean {
  const { client } = exchange;
  const { pending } = client;
  if (!pending) return true;
  client.pending = undefined;
  const at = relayRequestBody(exchange, connection, pending, 0);
  if (at < 0) return false;
  if (at < pending.length) client.pending = pending.subarray(at);
  return true;
}

/** A connection was lost before any byte of a response. */
export function retryOrFail(exchange: Exchange, connection: UpstreamConnection, timedOut: boolean): void {
  const { maxConnectAttempts } = exchange.client.runtime.settings.upstream;
  exchange.upstream = undefined;
  connection.exchange = undefined;
  if (!connection.connected) {
    markTried(exchange, connection.pool);
    if (
      exchange.tried!.length < maxConnectAttempts &&
      exchange.share!.upstream!.targets.length > exchange.tried!.length
    ) {
      send(exchange);
      return;
    }
    failConnecting(exchange, connection, timedOut);
    return;
  }
  if (connection.reused && exchange.repeatable && !exchange.repeated) {
    exchange.repeated = true;
    send(exchange);
    return;
  }
  // With TLS 1.3 a backend that wants another client certificate says so after the handshake (RFC 8446 section 4.4.2.4).
  if (connection.pool.identity && connection.error?.includes(' alert ')) {
    fail(exchange, 502, 'upstream_tls_failed', `the backend ended TLS: ${connection.error}`);
    return;
  }
  fail(exchange, 502, 'upstream_reset', 'the backend closed the connection without a response');
}

function failConnecting(exchange: Exchange, connection: UpstreamConnection, timedOut: boolean): void {
  if (timedOut) {
    fail(exchange, 504, 'upstream_connect_timeout', 'connecting to the backend took too long');
    return;
  }
  if (connection.negotiating) {
    fail(exchange, 502, 'upstream_tls_failed', `TLS to the backend failed: ${connection.error ?? 'it closed'}`);
    return;
  }
  exchange.reason = connection.error;
  fail(exchange, 502, 'upstream_connect_failed', 'the backend cannot be reached');
}
