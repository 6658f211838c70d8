/** The connections to one endpoint of one backend, and what is known of the endpoint. */
import type { Socket } from 'node:net';
import type { Endpoint } from '../../service/endpoints.ts';
import type { UpstreamConnection } from './connection.ts';
import type { HealthRecord } from './health/active.ts';
import type { OutlierRecord } from './health/outlier.ts';
import { expireSessions, retireSession, type UpstreamSession } from './http2-session.ts';
import type { UpstreamIdentity } from './identity.ts';
import type { ProxyProtocol } from './proxy-header-out.ts';
import { createRoom, type Room, wake } from './room.ts';

export interface Pool {
  /** `address:port`, IPv6 addresses in brackets. */
  readonly key: string;
  readonly address: string;
  readonly port: number;
  /** Absent: no TLS. */
  readonly identity: UpstreamIdentity | undefined;
  /** Spoken is HTTP/2. */
  readonly http2: boolean;
  /** Connections begin with such a PROXY header, and carry the requests of one client's connection only. */
  readonly announce: ProxyProtocol | undefined;
  /** Connections that speak it. */
  readonly sessions: UpstreamSession[];
  /** Of the backend; shared by its endpoints. */
  readonly room: Room;
  /** Pools of the data plane with connections that are looked after at every tick; it puts itself among them. */
  readonly tended: Set<Pool>;
  zone: string | undefined;
  /** The last TLS session with the endpoint, to be resumed by the next connection. */
  session: Buffer | undefined;
  /** The most recently used last, which is the first to be used again. */
  readonly idle: UpstreamConnection[];
  /** Connections that exist, connecting ones included. */
  open: number;
  /** Requests under way. */
  active: number;
  /** Of a full share of traffic; less than 1 while the endpoint starts slowly. */
  weight: number;
  /** Weights not used yet (balance/round-robin.ts). */
  credit: number;
  /** When the endpoint came into turn; -Infinity when it always was. */
  since: number;
  /** undefined: not checked. */
  health: HealthRecord | undefined;
  /** undefined: nothing to reproach it with. */
  outlier: OutlierRecord | undefined;
  /** Connections being opened in advance. */
  warming: number;
  /** No connection is opened in advance before this time, and how often that has failed in a row. */
  warmAfter: number;
  warmFailures: number;
  /** It answers, ready for new clients or terminating. */
  serves: boolean;
  /** The endpoint is gone: connections close when their request is done. */
  draining: boolean;
}

export function createPool(
  { address, port, zone }: Endpoint,
  key: string,
  identity?: UpstreamIdentity,
  room: Room = createRoom(),
  http2 = false,
  announce?: ProxyProtocol,
  tended: Set<Pool> = new Set(),
): Pool {
  return {
    key,
    address,
    port,
    identity,
    http2,
    announce,
    sessions: [],
    room,
    tended,
    zone,
    session: undefined,
    idle: [],
    open: 0,
    active: 0,
    weight: 1,
    credit: 0,
    since: Number.NEGATIVE_INFINITY,
    health: undefined,
    outlier: undefined,
    warming: 0,
    warmAfter: 0,
    warmFailures: 0,
    serves: true,
    draining: false,
  };
}

/** An idle connection, or undefined. `client`: whose it must be, for pools that announce clients. */
export function takeIdle(pool: Pool, client?: Socket): UpstreamConnection | undefined {
  if (client) return takeOwn(pool, client);
  for (;;) {
    const connection = pool.idle.pop();
    if (!connection?.socket.destroyed) return connection;
  }
}

function takeOwn({ idle }: Pool, client: Socket): UpstreamConnection | undefined {
  const at = idle.findLastIndex((one) => one.announced?.client === client && !one.socket.destroyed);
  return at < 0 ? undefined : idle.splice(at, 1)[0];
}

/** Gives back a connection whose response is complete. `now` and `idleMs` say until when it may be used again. */
export function releaseConnection(connection: UpstreamConnection, now: number, idleMs: number, maxIdle: number): void {
  const { pool, announced } = connection;
  if (pool.draining || idleMs <= 0 || pool.idle.length >= maxIdle || announced?.client.destroyed) {
    connection.socket.destroy();
    return;
  }
  connection.idleUntil = now + idleMs;
  if (pool.idle.push(connection) === 1) pool.tended.add(pool);
}

/** To be called when a connection has closed. */
export function forgetConnection(connection: UpstreamConnection): void {
  const { pool } = connection;
  pool.open--;
  const at = pool.idle.indexOf(connection);
  if (at >= 0) pool.idle.splice(at, 1);
  wake(pool.room);
}

/** To be called at every tick: closes what has been idle for too long. What has nothing to close is not tended any more. */
export function tend(tended: Set<Pool>, now: number): void {
  for (const pool of tended) {
    expireIdle(pool, now);
    if (pool.idle.length === 0 && pool.sessions.length === 0) tended.delete(pool);
  }
}

function expireIdle(pool: Pool, now: number): void {
  if (pool.http2) expireSessions(pool, now);
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
  for (const session of [...pool.sessions]) retireSession(session);
}
