/** Time limits of exchanges, whatever their sides speak. */
import type { Exchange } from './exchange.ts';
import { cut, fail } from './finish.ts';
import { retryFor } from './retry.ts';
import { send } from './send.ts';

/** Ends an exchange in which nothing has moved for too long. */
export function sweepExchange(exchange: Exchange): void {
  const { runtime } = exchange.client;
  const { client: limits, upstream: upstreamLimits, relay } = runtime.settings;
  const idle = runtime.now - exchange.moved;
  const ownLimit = exchange.route?.idleTimeoutMs;
  if (exchange.tunnel) {
    if (idle >= (ownLimit || relay.tunnelIdleTimeoutMs))
      cut(exchange, 'tunnel_idle', 'nothing moved in the tunnel for too long');
    return;
  }
  const { upstream } = exchange;
  // Calls may stream for hours, and be silent meanwhile; their clients give them deadlines.
  if (exchange.grpc) {
    if (idle >= (ownLimit || relay.tunnelIdleTimeoutMs))
      fail(exchange, 504, 'upstream_timeout', 'nothing moved in the call for too long');
    return;
  }
  // Connecting has a limit of its own, and so has a client that is slow to take bytes.
  if (!upstream?.connected || upstream.paused) return;
  const waitsForClient = !exchange.requestDone && !upstream.wire.isBlocked(upstream, relay.bufferBytes);
  if (waitsForClient && idle >= limits.bodyTimeoutMs) {
    fail(exchange, 408, 'client_timeout', 'the request body did not arrive in time');
    return;
  }
  if (idle >= (ownLimit || upstreamLimits.responseTimeoutMs)) {
    if (retryFor(exchange, 'timeout', send)) return;
    fail(exchange, 504, 'upstream_timeout', 'the backend did not answer in time');
  }
}
