/** Carrying one connection: choosing a backend and endpoint, connecting, and joining the two sides. */
import type { Socket } from 'node:net';
import { streamKeyOf } from '../upstream/balance/key.ts';
import type { Pool } from '../upstream/pool.ts';
import { hasRoomForConnection } from '../upstream/room.ts';
import { nextTarget, type Upstream } from '../upstream/upstreams.ts';
import { countStream, cutStream, endStream, type StreamConnection } from './connection.ts';
import { dialEndpoint } from './dial.ts';
import type { CompiledStream, StreamShare } from './table.ts';

/** Takes a connection whose route is known to a backend. `early`: bytes of the client that were read already. */
export function forwardStream(connection: StreamConnection, stream: CompiledStream, early: Buffer | undefined): void {
  countStream(connection, stream);
  const share = stream.shares[stream.next()];
  if (!share) {
    const refusal = stream.route.backends.length > 0 ? 'no backend has a weight' : 'there is no route for it';
    cutStream(connection, stream.route.backends.length > 0 ? 'invalid_backend' : 'no_route', refusal);
  } else if (!share.upstream) {
    cutStream(connection, 'invalid_backend', share.reason ?? 'the backendRef is invalid');
  } else {
    connection.backend = share.upstream.id;
    watchWhileConnecting(connection);
    const key = streamKeyOf(share.upstream, connection.ends.client.address);
    tryEndpoint(connection, { upstream: share.upstream, announce: share.announce, early, key }, []);
  }
}

/** What stays the same from endpoint to endpoint. */
interface Aim {
  readonly upstream: Upstream;
  readonly announce: StreamShare['announce'];
  readonly early: Buffer | undefined;
  /** What the endpoint follows from, where it does. */
  readonly key: number | undefined;
}

/** Tells when the client gives up before a backend is there. Its bytes stay in the kernel. */
function watchWhileConnecting(connection: StreamConnection): void {
  const { front } = connection;
  front.pause();
  front.on('error', (error) => cutStream(connection, 'client_reset', error.message));
  front.on('close', () => onSideClosed(connection, front));
}

function tryEndpoint(connection: StreamConnection, aim: Aim, tried: Pool[]): void {
  const { maxConnectAttempts } = connection.shelf.runtime.settings.upstream;
  const pool = connection.attempts < maxConnectAttempts ? nextWithRoom(connection, aim, tried) : undefined;
  if (!pool) {
    if (tried.length === 0) cutStream(connection, 'no_endpoints', 'the backend has no endpoint');
    else
      cutStream(connection, connection.flag ?? 'upstream_connect_failed', connection.reason ?? 'no endpoint answered');
    return;
  }
  connection.phase = 'connecting';
  connection.pool = pool;
  connection.attempts++;
  dialEndpoint(connection, pool, aim.announce, {
    failed(flag, reason) {
      connection.flag = flag;
      connection.reason = reason;
      tryEndpoint(connection, aim, tried);
    },
    connected(socket) {
      connection.flag = undefined;
      connection.reason = undefined;
      join(connection, socket, aim.early);
    },
  });
}

/** The next endpoint that may have one more connection. It, and those passed over, are added to `tried`. */
function nextWithRoom(connection: StreamConnection, { upstream, key }: Aim, tried: Pool[]): Pool | undefined {
  const { maxConnectionsPerEndpoint } = connection.shelf.runtime.settings.upstream;
  const full = !hasRoomForConnection(upstream.room);
  for (;;) {
    const pool = nextTarget(upstream, tried, key);
    if (!pool) return undefined;
    tried.push(pool);
    if (!full && pool.open < maxConnectionsPerEndpoint) return pool;
    connection.flag = 'upstream_overflow';
    connection.reason = 'the endpoint or its backend has as many connections as it may have';
    if (full) return undefined;
  }
}

function join(connection: StreamConnection, upstream: Socket, early: Buffer | undefined): void {
  const { front } = connection;
  connection.phase = 'open';
  connection.moved = connection.shelf.runtime.now;
  upstream.on('error', (error) => cutStream(connection, 'upstream_reset', error.message));
  upstream.on('close', () => onSideClosed(connection, upstream));
  if (early) upstream.write(early);
  pump(connection, front, upstream);
  pump(connection, upstream, front);
}

/** One direction: bytes, back-pressure and the end, after which the other direction goes on. */
function pump(connection: StreamConnection, from: Socket, to: Socket): void {
  const { runtime } = connection.shelf;
  from.on('data', (chunk: Buffer) => {
    connection.moved = runtime.now;
    if (!to.write(chunk)) from.pause();
  });
  to.on('drain', () => {
    connection.moved = runtime.now;
    from.resume();
  });
  from.on('end', () => to.end());
  from.resume();
}

/** A side that closed without having finished both directions takes the other with it. */
function onSideClosed(connection: StreamConnection, side: Socket): void {
  if (connection.phase === 'over') return;
  const { front, upstream } = connection;
  const whole = side.readableEnded && side.writableFinished;
  if (!whole || connection.phase !== 'open') {
    cutStream(connection, side === front ? 'client_reset' : 'upstream_reset', 'closed before its end');
  } else if (front.closed && (!upstream || upstream.closed)) endStream(connection);
}
