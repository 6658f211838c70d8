/** How exchanges end: well, with an answer of our own, or cut. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { AccessFlag } from '../access.ts';
import { responseBody } from '../http1/response.ts';
import { closeClient } from '../listener/client.ts';
import { discardConnection } from '../upstream/connection.ts';
import { detach } from './attachments.ts';
import { accessRecord, type Exchange } from './exchange.ts';
import { reply } from './reply.ts';

/** Both messages are done, or nothing more can be done for them. The connection goes on to its next request, or closes. */
export function finish(exchange: Exchange): void {
  if (exchange.over) return;
  exchange.over = true;
  const { client } = exchange;
  const { runtime } = client;
  clearTimers(exchange);
  releaseUpstream(exchange);
  if (exchange.attached) detach(exchange);
  client.exchange = undefined;
  if (runtime.timed) tell(exchange);
  if (client.gone) return;
  if (mustClose(exchange)) closeClient(client);
  else runtime.nextRequest(client);
}

/** To the metrics and the access log. */
function tell(exchange: Exchange): void {
  const { metrics, onAccess } = exchange.client.runtime;
  const durationMs = performance.now() - exchange.started;
  metrics?.observe(exchange, durationMs);
  if (exchange.logged) onAccess!(accessRecord(exchange, durationMs));
}

function mustClose(exchange: Exchange): boolean {
  const { client } = exchange;
  return (
    exchange.close ||
    !exchange.requestDone ||
    client.runtime.closing ||
    client.door.removed ||
    (client.ended && client.pending === undefined)
  );
}

export function clearTimers(exchange: Exchange): void {
  if (exchange.requestTimer) clearTimeout(exchange.requestTimer);
  if (exchange.backendTimer) clearTimeout(exchange.backendTimer);
  exchange.requestTimer = undefined;
  exchange.backendTimer = undefined;
}

/** The backend's connection cannot be used again by anyone. */
function releaseUpstream(exchange: Exchange): void {
  const { upstream } = exchange;
  if (!upstream) return;
  exchange.upstream = undefined;
  discardConnection(upstream);
}

/** Gives up: with an answer while none has begun, by cutting the connection afterwards. */
export function fail(exchange: Exchange, status: number, flag: AccessFlag, reason: string): void {
  if (exchange.over) return;
  releaseUpstream(exchange);
  if (exchange.status === 0) {
    reply(exchange, { status, flag, reason });
    finish(exchange);
    return;
  }
  cut(exchange, flag, reason);
}

/** Closes the client's connection in the midst of a response, so that nobody takes it for a whole one. */
export function cut(exchange: Exchange, flag: AccessFlag, reason: string): void {
  if (exchange.over) return;
  exchange.flag ??= flag;
  exchange.reason ??= reason;
  const { client } = exchange;
  client.gone = true;
  // To a client that waits for the end of the connection, an orderly end would look like success.
  const delimitedByClose = exchange.responseBody > responseBody.length && !exchange.chunkedOut;
  if (delimitedByClose && canReset(client.socket)) client.socket.resetAndDestroy();
  else client.socket.destroy();
  finish(exchange);
}

function canReset(socket: Socket): boolean {
  return !(socket instanceof TLSSocket) && !socket.destroyed && !socket.connecting;
}
