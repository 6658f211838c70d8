/** What carries a request to an endpoint: something that is there already, or something new. */
import type { Socket } from 'node:net';
import type { Client, UpstreamLink } from '../exchange/wire.ts';
import type { Runtime } from '../runtime.ts';
import { announcedFor } from './announced-socket.ts';
import { openConnection, type UpstreamHandlers } from './connection.ts';
import { freeStream, isUnused, openStream, retireSession } from './http2-session.ts';
import { type Pool, releaseConnection, takeIdle } from './pool.ts';
import { hasRoomForConnection, wake } from './room.ts';

/**
 * A link to the endpoint for a request of the client; it may have to connect first. Undefined when the endpoint has all
 * the connections it may have. `fresh` asks for one that nobody has used.
 */
export function acquireLink(pool: Pool, client: Client, fresh: boolean): UpstreamLink | undefined {
  const { runtime } = client;
  const { announce } = pool;
  const free = fresh ? undefined : freeLink(pool, announce && client.socket);
  if (free) return free;
  const { connectTimeoutMs, maxConnectionsPerEndpoint } = runtime.settings.upstream;
  if (!hasRoom(pool, maxConnectionsPerEndpoint) && !(announce && closeOther(pool, maxConnectionsPerEndpoint)))
    return undefined;
  const announced = announce && announcedFor(announce, client);
  if (pool.http2) return openStream(pool, runtime, announced);
  const timeoutMs = pool.room.connectTimeoutMs ?? connectTimeoutMs;
  return openConnection(pool, timeoutMs, runtime.upstreamHandlers, runtime.readBuffers, announced);
}

/** `client`: whose it must be, for pools that announce clients. */
function freeLink(pool: Pool, client: Socket | undefined): UpstreamLink | undefined {
  if (pool.http2) return freeStream(pool, client);
  const idle = takeIdle(pool, client);
  if (idle) idle.reused = true;
  return idle;
}

function hasRoom(pool: Pool, maxConnections: number): boolean {
  return pool.open < maxConnections && hasRoomForConnection(pool.room);
}

/**
 * Closes a connection that waits for more requests of another client, so that a new one may take its place. It counts as
 * open for a moment longer. False when there is none.
 */
function closeOther(pool: Pool, maxConnections: number): boolean {
  const pools = pool.open < maxConnections ? pool.room.pools.values() : [pool];
  for (const { idle, sessions } of pools) {
    const other = idle.shift();
    other?.socket.destroy();
    const session = other ? undefined : sessions.find(isUnused);
    if (session) retireSession(session);
    if (other || session) return true;
  }
  return false;
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
