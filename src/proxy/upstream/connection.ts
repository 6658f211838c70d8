/** One connection to an endpoint that speaks HTTP/1.1. Handlers are attached once; what they mean depends on the exchange it carries. */
import { connect, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { UpstreamLink } from '../exchange/wire.ts';
import type { ChunkDecoder } from '../http1/chunked.ts';
import { type ResponseBody, responseBody } from '../http1/response.ts';
import { createOutbox, type Outbox } from '../outbox.ts';
import { createReader, type ReadBuffers, SHARED_BYTES } from '../read-buffers.ts';
import { type Announced, connectAnnounced } from './announced-socket.ts';
import { http1Upstream } from './http1-wire.ts';
import { forgetConnection, type Pool } from './pool.ts';

export interface UpstreamConnection extends UpstreamLink {
  readonly socket: Socket;
  /** Undefined: it carries the requests of all clients. */
  readonly announced: Announced | undefined;
  readonly out: Outbox;
  /** Beginning of a response head that came in pieces. */
  partial: Buffer | undefined;
  /** How the body of the response is delimited, what of it is to come, and what takes it out of its chunks. */
  body: ResponseBody;
  left: number;
  decoder: ChunkDecoder | undefined;
  /** The backend keeps the connection, for so many seconds when it says so. */
  keepAlive: boolean;
  keepAliveSeconds: number;
  /** Coarse time until which it may idle. */
  idleUntil: number;
  connectTimer: NodeJS.Timeout | undefined;
}

/** What happens on a connection; one set for all connections of a proxy. */
export interface UpstreamHandlers {
  connected(connection: UpstreamConnection): void;
  /** `bytes` is shared by all connections and only valid during the call. */
  received(connection: UpstreamConnection, bytes: Buffer, length: number): void;
  /** The backend has sent its last byte. */
  ended(connection: UpstreamConnection): void;
  drained(connection: UpstreamConnection): void;
  /** Closed for good, also when it never connected. */
  closed(connection: UpstreamConnection, timedOut: boolean): void;
}

/** Begins connecting; `timeoutMs` is for that alone, the TLS handshake included. */
export function openConnection(
  pool: Pool,
  timeoutMs: number,
  handlers: UpstreamHandlers,
  buffers: ReadBuffers,
  announced?: Announced,
): UpstreamConnection {
  const reader = createReader(
    buffers,
    (bytes, length) => handlers.received(connection, bytes, length),
    (length) => isBulk(connection, length),
  );
  const socket = connectSocket(pool, protocols, announced, reader.onread);
  const connection: UpstreamConnection = {
    wire: http1Upstream,
    pool,
    socket,
    announced,
    out: createOutbox(socket),
    exchange: undefined,
    connected: false,
    negotiating: false,
    reused: false,
    unprocessed: false,
    partial: undefined,
    body: responseBody.none,
    left: 0,
    decoder: undefined,
    keepAlive: false,
    keepAliveSeconds: 0,
    paused: false,
    idleUntil: 0,
    connectTimer: undefined,
    error: undefined,
  };
  pool.open++;
  let timedOut = false;
  connection.connectTimer = setTimeout(() => {
    timedOut = true;
    socket.destroy();
  }, timeoutMs);
  if (pool.identity) {
    socket.on('connect', () => {
      connection.negotiating = true;
    });
    socket.on('session', (session: Buffer) => {
      pool.session = session;
    });
  }
  socket.on(pool.identity ? 'secureConnect' : 'connect', () => {
    clearTimeout(connection.connectTimer);
    connection.negotiating = false;
    connection.connectTimer = undefined;
    connection.connected = true;
    handlers.connected(connection);
  });
  // TLS over a socket that is there already cannot be read into memory of ours.
  if (announced && pool.identity) socket.on('data', (bytes) => handlers.received(connection, bytes, bytes.length));
  socket.on('end', () => handlers.ended(connection));
  socket.on('drain', () => handlers.drained(connection));
  socket.on('error', (error) => {
    connection.error = error.message;
  });
  socket.on('close', () => {
    clearTimeout(connection.connectTimer);
    reader.close();
    forgetConnection(connection);
    handlers.closed(connection, timedOut);
  });
  return connection;
}

/** Whether much of a response's body is still to come, as far as that can be told; what was read last has `length` bytes. */
function isBulk({ exchange, body, left }: UpstreamConnection, length: number): boolean {
  if (!exchange?.client.wire.borrows || exchange.status === 0 || exchange.attached?.body) return false;
  return body === responseBody.length && !exchange.tunnel ? left >= SHARED_BYTES : length >= SHARED_BYTES / 2;
}

/** ALPN offers what is spoken, so that a backend that prefers HTTP/2 does not begin with it (RFC 7301). */
const protocols = ['http/1.1'];

/** A socket to the endpoint, with TLS where its backend has that. `onread` takes what comes in place of the stream. */
export function connectSocket(
  { address, port, identity, session }: Pool,
  alpn: readonly string[],
  announced: Announced | undefined,
  onread?: OnReadOpts,
): Socket {
  const to = { host: address, port, noDelay: true, allowHalfOpen: true };
  const plain = { ...to, ...(onread && { onread }) };
  if (!identity) return announced ? connectAnnounced(plain, announced.header, undefined) : connect(plain);
  const { context, serverName, verify, check } = identity;
  const tls = {
    secureContext: context,
    servername: serverName,
    rejectUnauthorized: verify,
    checkServerIdentity: check,
    ALPNProtocols: [...alpn],
    ...(session && { session }),
  };
  if (announced) return connectAnnounced(to, announced.header, tls);
  const socket = connectTls({ ...plain, ...tls });
  // Of the options of the TCP socket below, this one is not passed on by node:tls.
  socket.setNoDelay(true);
  return socket;
}
