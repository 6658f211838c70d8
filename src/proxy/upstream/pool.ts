/** The connections to one endpoint of one backend. */
import type { Endpoint } from '../../service/endpoints.ts';
import type { UpstreamConnection } from './connection.ts';
import type { UpstreamIdentity } from './identity.ts';

export interface Pool {
  /** `address:port`, IPv6 addresses in brackets. */
  readonly key: string;
  readonly address: string;
  readonly port: number;
  /** Absent: no TLS. */
  readonly identity: UpstreamIdentity | undefined;
  /** The last TLS session with the endpoint, to be resumed by the next connection. */
  session: Buffer | undefined;
  /** The most recently used last, which is the first to be used again. */
  readonly idle: UpstreamConnection[];
  /** Connections that exist, connecting ones included. */
  open: number;
  /** The endpoint is gone: connections close when their request is done. */
  draining: boolean;
}

export function createPool({ address, port }: Endpoint, key: string, identity?: UpstreamIdentity): Pool {
  return { key, address, port, identity, session: undefined, idle: [], open: 0, draining: false };
}

/** An idle connection, or undefined. */
export function takeIdle(pool: Pool): UpstreamConnection | undefined {
  for (;;) {
    const connection = pool.idle.pop();
    if (!connection?.socket.destroyed) return connection;
  }
}

/** Gives back a connection whose response is complete. `now` and `idleMs` say until when it may be used again. */
export function releaseConnection(connection: UpstreamConnection, now: number, idleMs: number, maxIdle: number): void {
  const { pool } = connection;
  if (pool.draining || idleMs <= 0 || pool.idle.length >= maxIdle) {
    connection.socket.destroy();
    return;
  }
  connection.idleUntil = now + idleMs;
  pool.idle.push(connection);
}

/** To be called when a connection has closed. */
export function forgetConnection(connection: UpstreamConnection): void {
  const { pool } = connection;
  pool.open--;
  const at = pool.idle.indexOf(connection);
  if (at >= 0) pool.idle.splice(at, 1);
}

export function expireIdle(pool: Pool, now: number): void {
  for (let i = pool.idle.length - 1; i >= 0; i--) {
    const connection = pool.idle[i]!;
    if (connection.idleUntil > now) continue;
    pool.idle.splice(i, 1);
    connection.socket.destroy();
  }
}

/** Closes what is idle now and the rest as it becomes idle. */
export function drainPool(pool: Pool): void {
  pool.draining = true;
  for (const connection of pool.idle.splice(0)) connection.socket.destroy();
}
