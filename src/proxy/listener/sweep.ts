/** Time limits of connections, looked after at every tick instead of by a timer each. */
import type { Exchange } from '../exchange/exchange.ts';
import { cut } from '../exchange/finish.ts';
import { sweepExchange } from '../exchange/sweep.ts';
import { forgetRequest } from '../http1/request.ts';
import { isBlocked } from '../outbox.ts';
import { type ClientConnection, type Conduct, closeClient } from './client.ts';
import { refuse } from './serve.ts';

/** How often limits are looked at: they are exceeded by this much at most. Milliseconds. */
export const TICK_MS = 100;

/**
 * For how long an idle connection stays when the data plane stops. A request that is on its way then is answered, with
 * `Connection: close`, instead of meeting a closed connection: not every client may send it again (RFC 9112 section 9.3.1).
 */
const RETIRE_MS = 500;

export const http1Conduct: Conduct<ClientConnection> = {
  sweep: sweepClient,
  retire(client) {
    // What is there of a request is answered, or given up in its time.
    if (client.exchange || client.pending) return;
    const { runtime } = client;
    if (runtime.closing) client.deadline = Math.min(client.deadline, runtime.now + RETIRE_MS);
    else closeClient(client);
  },
  abort(client) {
    if (client.exchange) cut(client.exchange, 'shutdown', 'the data plane was closed');
    else client.socket.destroy();
  },
};

/** Ends what has taken too long on one connection. */
function sweepClient(client: ClientConnection): void {
  if (stalled(client)) {
    giveUpSending(client);
    return;
  }
  const { exchange } = client;
  if (exchange) sweepHalfClosed(client, exchange);
  else if (client.lingering) sweepLingering(client);
  else if (client.runtime.now >= client.deadline) expire(client);
}

/** The client has bytes to take and has taken none for too long. */
function stalled(client: ClientConnection): boolean {
  const { runtime } = client;
  const queued = client.socket.writableLength;
  if (queued === 0 || queued !== client.queued) {
    client.queued = queued;
    client.stalledSince = runtime.now;
    return false;
  }
  const { client: limits, relay } = runtime.settings;
  const limit = client.exchange?.tunnel ? relay.tunnelIdleTimeoutMs : limits.sendTimeoutMs;
  return runtime.now - client.stalledSince >= limit;
}

function giveUpSending(client: ClientConnection): void {
  if (client.exchange) cut(client.exchange, 'client_timeout', 'the client does not take the response');
  else client.socket.destroy();
}

function sweepLingering(client: ClientConnection): void {
  const { runtime, socket } = client;
  if (!socket.writableFinished) return;
  if (client.deadline === 0) client.deadline = runtime.now + runtime.settings.client.lingerMs;
  else if (runtime.now >= client.deadline) socket.destroy();
}

/** Idle for too long, or a head that does not come to its end. */
function expire(client: ClientConnection): void {
  const { requestHead: head, settings } = client.runtime;
  // Requests wait behind responses that the client is still taking.
  if (isBlocked(client.socket, settings.relay.bufferBytes)) return;
  if (!client.pending) {
    closeClient(client);
    return;
  }
  forgetRequest(head);
  refuse(client, { status: 408, reason: 'the request head did not arrive in time' });
}

function sweepHalfClosed(client: ClientConnection, exchange: Exchange): void {
  const isLate = client.ended && !exchange.tunnel && exchange.status === 0 && client.runtime.now >= client.deadline;
  if (isLate) cut(exchange, 'client_closed', 'the client closed its side and the response did not begin in time');
  else sweepExchange(exchange);
}
