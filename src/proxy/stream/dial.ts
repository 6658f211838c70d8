/** One attempt to connect to an endpoint: TCP, the PROXY header, TLS, as far as the backend asks for them. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { UpstreamIdentity } from '../upstream/identity.ts';
import type { Pool } from '../upstream/pool.ts';
import { encodeProxyHeader, type ProxyProtocol } from '../upstream/proxy-header-out.ts';
import { wake } from '../upstream/room.ts';
import type { StreamConnection } from './connection.ts';
import type { StreamFlag } from './record.ts';

/** Exactly one of the two is called, unless the connection is cut before. */
export interface DialOutcome {
  failed(flag: StreamFlag, reason: string): void;
  /** `socket` takes payload. */
  connected(socket: Socket): void;
}

/** `connectTimeoutMs` is for all of it, the TLS handshake included. */
export function dialEndpoint(
  connection: StreamConnection,
  pool: Pool,
  announce: ProxyProtocol | undefined,
  outcome: DialOutcome,
): void {
  const { upstream } = connection.shelf.runtime.settings;
  const connectTimeoutMs = pool.room.connectTimeoutMs ?? upstream.connectTimeoutMs;
  const wire = openWire(connection, pool);
  let flag: StreamFlag = 'upstream_connect_failed';
  let reason = 'closed';
  let failed = true;
  const timer = setTimeout(() => {
    flag = 'upstream_connect_timeout';
    reason = `no connection within ${connectTimeoutMs} ms`;
    wire.destroy();
  }, connectTimeoutMs);
  const note = (error: Error) => {
    if (flag !== 'upstream_connect_timeout') reason = error.message;
  };
  const succeed = (socket: Socket) => {
    failed = false;
    clearTimeout(timer);
    socket.off('error', note);
    outcome.connected(socket);
  };
  wire.on('error', note);
  wire.once('close', () => {
    clearTimeout(timer);
    pool.open--;
    pool.active--;
    wake(pool.room);
    if (failed && connection.phase !== 'over') outcome.failed(flag, reason);
  });
  wire.once('connect', () => {
    if (announce) wire.write(encodeProxyHeader(announce, factsOf(connection)));
    if (!pool.identity) {
      succeed(wire);
      return;
    }
    flag = 'upstream_tls_failed';
    const secured = secure(connection, wire, pool, pool.identity);
    secured.on('error', note);
    secured.once('secureConnect', () => succeed(secured));
  });
}

function openWire(connection: StreamConnection, pool: Pool): Socket {
  // `highWaterMark` is passed on to the stream, which the types of `connect` do not know.
  const options = {
    host: pool.address,
    port: pool.port,
    noDelay: true,
    allowHalfOpen: true,
    highWaterMark: connection.shelf.runtime.settings.relay.bufferBytes,
  };
  const wire = connect(options);
  pool.open++;
  pool.active++;
  connection.wire = wire;
  connection.upstream = wire;
  return wire;
}

/** What was agreed with the client by ALPN is what its bytes are, so that is what the backend is offered. */
function secure(connection: StreamConnection, wire: Socket, pool: Pool, identity: UpstreamIdentity): TLSSocket {
  const protocol = connection.secured?.alpnProtocol;
  const options = {
    socket: wire,
    secureContext: identity.context,
    servername: identity.serverName,
    rejectUnauthorized: identity.verify,
    checkServerIdentity: identity.check,
    highWaterMark: connection.shelf.runtime.settings.relay.bufferBytes,
    ...(protocol && { ALPNProtocols: [protocol] }),
    ...(pool.session && { session: pool.session }),
  };
  const secured = connectTls(options);
  secured.on('session', (session: Buffer) => {
    pool.session = session;
  });
  connection.upstream = secured;
  return secured;
}

function factsOf({ ends, serverName, secured }: StreamConnection) {
  return { ends, serverName, alpn: secured?.alpnProtocol || undefined };
}
