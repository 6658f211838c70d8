/** Carrying one connection: choosing a backend and endpoint, connecting, and joining the two sides. */
import { connect, type Socket } from 'node:net';
import type { Pool } from '../upstream/pool.ts';
import { nextTarget, type Upstream } from '../upstream/upstreams.ts';
import { cutStream, endStream, type StreamConnection } from './connection.ts';
import type { CompiledStream } from './table.ts';

/** Takes a connection whose route is known to a backend. `early`: bytes of the client that were read already. */
export function forwardStream(connection: StreamConnection, stream: CompiledStream, early: Buffer | undefined): void {
  connection.stream = stream;
  const share = stream.shares[stream.next()];
  if (!share) {
    const refusal = stream.route.backends.length > 0 ? 'no backend has a weight' : 'there is no route for it';
    cutStream(connection, stream.route.backends.length > 0 ? 'invalid_backend' : 'no_route', refusal);
  } else if (!share.upstream) {
    cutStream(connection, 'invalid_backend', share.reason ?? 'the backendRef is invalid');
  } else {
    connection.backend = share.upstream.id;
    watchWhileConnecting(connection);
    tryEndpoint(connection, share.upstream, [], early);
  }
}

/** Tells when the client gives up before a backend is there. Its bytes stay in the kernel. */
function watchWhileConnecting(connection: StreamConnection): void {
  const { front } = connection;
  front.pause();
  front.on('error', (error) => cutStream(connection, 'client_reset', error.message));
  front.on('close', () => onSideClosed(connection, front));
}

function tryEndpoint(
  connection: StreamConnection,
  upstream: Upstream,
  tried: readonly Pool[],
  early: Buffer | undefined,
): void {
  const { settings } = connection.shelf.runtime;
  const pool = tried.length < settings.upstream.maxConnectAttempts ? nextTarget(upstream, tried) : undefined;
  if (!pool) {
    if (tried.length === 0) cutStream(connection, 'no_endpoints', 'the backend has no endpoint');
    else
      cutStream(connection, connection.flag ?? 'upstream_connect_failed', connection.reason ?? 'no endpoint answered');
    return;
  }
  if (pool.open >= settings.upstream.maxConnectionsPerEndpoint) {
    connection.flag = 'upstream_overflow';
    connection.reason = 'the endpoint has as many connections as it may have';
    tryEndpoint(connection, upstream, [...tried, pool], early);
    return;
  }
  connection.phase = 'connecting';
  connection.pool = pool;
  connection.attempts++;
  const failed = (timedOut: boolean, reason: string) => {
    connection.flag = timedOut ? 'upstream_connect_timeout' : 'upstream_connect_failed';
    connection.reason = reason;
    tryEndpoint(connection, upstream, [...tried, pool], early);
  };
  connection.upstream = dial(connection, pool, failed, (socket) => {
    connection.flag = undefined;
    connection.reason = undefined;
    join(connection, socket, early);
  });
}

/** One attempt. Exactly one of the two is called, unless the connection is cut before. */
function dial(
  connection: StreamConnection,
  pool: Pool,
  failed: (timedOut: boolean, reason: string) => void,
  connected: (socket: Socket) => void,
): Socket {
  const { settings } = connection.shelf.runtime;
  // `highWaterMark` is passed on to the stream, which the types of `connect` do not know.
  const options = {
    host: pool.address,
    port: pool.port,
    noDelay: true,
    allowHalfOpen: true,
    highWaterMark: settings.relay.bufferBytes,
  };
  const socket = connect(options);
  let timedOut = false;
  let reason = 'closed';
  const timer = setTimeout(() => {
    timedOut = true;
    reason = `no connection within ${settings.upstream.connectTimeoutMs} ms`;
    socket.destroy();
  }, settings.upstream.connectTimeoutMs);
  pool.open++;
  const onError = (error: Error) => {
    reason = error.message;
  };
  const onClose = () => {
    if (connection.phase !== 'over') failed(timedOut, reason);
  };
  socket.on('error', onError);
  socket.on('close', onClose);
  socket.once('close', () => {
    clearTimeout(timer);
    pool.open--;
  });
  socket.once('connect', () => {
    clearTimeout(timer);
    socket.off('error', onError);
    socket.off('close', onClose);
    connected(socket);
  });
  return socket;
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
