/** What carries a request to an endpoint: something that is there already, or something new. */
import type { UpstreamLink } from '../exchange/wire.ts';
import type { Runtime } from '../runtime.ts';
import { openConnection, type UpstreamHandlers } from './connection.ts';
import { acquireStream } from './http2-session.ts';
import { type Pool, releaseConnection, takeIdle } from './pool.ts';
import { hasRoomForConnection, wake } from './room.ts';

/**
 * A link to the endpoint; it may have to connect first. Undefined when the endpoint has all the connections it may have.
 * `fresh` asks for one that nobody has used.
 */
export function acquireLink(pool: Pool, runtime: Runtime, fresh: boolean): UpstreamLink | undefined {
  const { connectTimeoutMs, maxConnectionsPerEndpoint } = runtime.settings.upstream;
  const mayConnect = pool.open < maxConnectionsPerEndpoint && hasRoomForConnection(pool.room);
  if (pool.http2) return acquireStream(pool, runtime, fresh, mayConnect);
  const idle = fresh ? undefined : takeIdle(pool);
  if (idle) {
    idle.reused = true;
    return idle;
  }
  if (!mayConnect) return undefined;
  return openConnection(
    pool,
    pool.room.connectTimeoutMs ?? connectTimeoutMs,
    runtime.upstreamHandlers,
    runtime.readBuffers,
  );
}

/** Opens a connection that waits for its first request. */
export function openIdle(pool: Pool, runtime: Runtime, over: (connected: boolean) => void): void {
  const { settings, upstreamHandlers } = runtime;
  const { connectTimeoutMs, idleTimeoutMs, maxIdlePerEndpoint } = settings.upstream;
  const handlers: UpstreamHandlers = {
    ...upstreamHandlers,
    connected(connection) {
      over(true);
      if (runtime.closing) connection.socket.destroy();
      else releaseConnection(connection, runtime.now, idleTimeoutMs, maxIdlePerEndpoint);
      wake(pool.room);
    },
    closed(connection, timedOut) {
      if (!connection.connected) over(false);
      upstreamHandlers.closed(connection, timedOut);
    },
  };
  openConnection(pool, pool.room.connectTimeoutMs ?? connectTimeoutMs, handlers, runtime.readBuffers);
}
