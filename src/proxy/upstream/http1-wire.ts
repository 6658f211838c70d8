/** Requests to backends over connections that speak HTTP/1.1, one at a time. */
import { putRuns } from '../exchange/chunks.ts';
import type { UpstreamLink, UpstreamWire } from '../exchange/wire.ts';
import { bodyKind } from '../http1/request.ts';
import { flush, isBlocked } from '../outbox.ts';
import type { UpstreamConnection } from './connection.ts';
import { releaseConnection } from './pool.ts';

/** Links that have this table are connections. */
const connectionOf = (link: UpstreamLink) => link as UpstreamConnection;

export const http1Upstream: UpstreamWire = {
  borrows: true,
  begin(link, exchange) {
    connectionOf(link).out.text = exchange.requestText;
    return undefined;
  },
  data(link, exchange, bytes, runs) {
    const chunked = exchange.requestBody === bodyKind.chunked && !exchange.tunnel;
    putRuns(connectionOf(link).out, bytes, runs, chunked, false);
  },
  end(link, exchange, trailers) {
    const { out, socket } = connectionOf(link);
    if (exchange.tunnel) socket.end();
    else if (exchange.requestBody === bodyKind.chunked) out.text += `0\r\n${trailers}\r\n`;
  },
  flush: (link) => flush(connectionOf(link).out),
  isBlocked: (link, bufferBytes) => isBlocked(connectionOf(link).socket, bufferBytes),
  setReading,
  release(link, exchange) {
    const connection = connectionOf(link);
    const { runtime } = exchange.client;
    if (!connection.keepAlive || !exchange.requestDone || runtime.closing) {
      discard(link);
      return;
    }
    link.exchange = undefined;
    setReading(link, true);
    const { idleTimeoutMs, maxIdlePerEndpoint } = runtime.settings.upstream;
    const said = connection.keepAliveSeconds;
    // A second before the backend's own time, so that a request does not meet its closing.
    const idleMs = said > 0 ? Math.min(idleTimeoutMs, said * 1000 - 1000) : idleTimeoutMs;
    releaseConnection(connection, runtime.now, idleMs, maxIdlePerEndpoint);
  },
  discard,
};

function setReading(link: UpstreamLink, reading: boolean): void {
  if (link.paused !== reading) return;
  link.paused = !reading;
  if (reading) connectionOf(link).socket.resume();
  else connectionOf(link).socket.pause();
}

function discard(link: UpstreamLink): void {
  link.exchange = undefined;
  connectionOf(link).socket.destroy();
}
