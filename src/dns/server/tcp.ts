/** DNS over TCP on one address: length prefixes, pipelining, answers in the order in which they are ready (RFC 7766). */
import { createServer, type Socket } from 'node:net';
import { TLSSocket, type TLSSocketOptions } from 'node:tls';
import { err, ok, type Result } from '../../base/result.ts';
import type { Client } from '../plugins/plugin.ts';
import type { PacketHandler, Sent } from './responder.ts';
import { type BoundSocket, drained, plainAddress } from './udp.ts';

export interface TcpLimits {
  /** Open connections per address; more are closed at once. Default 1,000. */
  maxConnections?: number;
  /** A connection without a query under way is closed after this, ms. Default 10,000. */
  idleTimeoutMs?: number;
  /** A query that has begun must be whole within this, and a client must have taken its answers, ms. Default 5,000. */
  transferTimeoutMs?: number;
  /** Queries after which a connection is closed. Default 10,000. */
  maxQueriesPerConnection?: number;
  /** Queries of one connection under way; no more are read until one is answered. Default 100. */
  maxPipelined?: number;
}

type Limits = Required<TcpLimits>;
type TlsOptions = Pick<TLSSocketOptions, 'cert' | 'key' | 'ca' | 'requestCert' | 'rejectUnauthorized'>;

const defaultTcpLimits: Limits = {
  maxConnections: 1000,
  idleTimeoutMs: 10_000,
  transferTimeoutMs: 5000,
  maxQueriesPerConnection: 10_000,
  maxPipelined: 100,
};

/** What a server that is going away asks of a connection. */
interface Connection {
  /** Ends it as soon as nothing is under way. */
  finish(): void;
  isBusy(): boolean;
}

/** Serves one connection until either side has enough. Never holds more than one partial query, plus what one read brings. */
export function serve(
  socket: Socket,
  handle: PacketHandler,
  limits: Limits,
  protocol: 'tcp' | 'tls' = 'tcp',
): Connection {
  const client: Client = {
    address: plainAddress(socket.remoteAddress ?? ''),
    port: socket.remotePort ?? 0,
    protocol,
    local: { address: plainAddress(socket.localAddress ?? ''), port: socket.localPort ?? 0 },
  };
  let received: Buffer = Buffer.alloc(0);
  let pending = 0;
  let queries = 0;
  let ending = false;
  let timer: NodeJS.Timeout | undefined;
  let timed: 'idle' | 'transfer' | undefined;

  /** One timer; only a whole query starts it anew, so that a byte now and then buys no time. */
  function watch(): void {
    const transferring = pending < limits.maxPipelined && (received.length > 0 || socket.writableNeedDrain);
    const wanted = transferring ? 'transfer' : pending > 0 ? undefined : 'idle';
    if (wanted === timed && wanted !== 'idle') return;
    clearTimeout(timer);
    timed = wanted;
    if (!wanted) return;
    const delay = wanted === 'idle' ? limits.idleTimeoutMs : limits.transferTimeoutMs;
    timer = setTimeout(() => socket.destroy(), delay);
  }

  function write(sent: Sent): void {
    if (socket.destroyed || !sent) return;
    socket.cork();
    for (const response of sent instanceof Uint8Array ? [sent] : sent) {
      const length = Buffer.allocUnsafe(2);
      length.writeUInt16BE(response.length);
      socket.write(length);
      socket.write(response);
    }
    socket.uncork();
  }

  function answered(response: Sent): void {
    pending--;
    write(response);
    advance();
  }

  function start(packet: Buffer): void {
    pending++;
    queries++;
    timed = undefined;
    const response = handle(packet, client);
    if (response instanceof Promise) {
      void response.then(answered);
      return;
    }
    pending--;
    write(response);
  }

  /** Cuts off the next whole query; undefined when there is none, or none may be taken now. */
  function nextQuery(): Buffer | undefined {
    if (pending >= limits.maxPipelined || queries >= limits.maxQueriesPerConnection) return undefined;
    if (socket.writableNeedDrain || received.length < 2) return undefined;
    const end = 2 + received.readUInt16BE(0);
    if (received.length < end) return undefined;
    const packet = received.subarray(2, end);
    received = received.subarray(end);
    return packet;
  }

  function advance(): void {
    if (socket.destroyed) return;
    for (let packet = nextQuery(); packet; packet = nextQuery()) start(packet);
    const full = pending >= limits.maxPipelined || socket.writableNeedDrain;
    if (full) socket.pause();
    else socket.resume();
    const finished = ending || queries >= limits.maxQueriesPerConnection;
    if (finished && pending === 0 && !socket.writableNeedDrain) socket.end();
    watch();
  }

  socket.on('data', (chunk: Buffer) => {
    if (queries >= limits.maxQueriesPerConnection) return;
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    advance();
  });
  socket.on('drain', advance);
  socket.on('end', () => {
    ending = true;
    advance();
  });
  // A reset is how some clients say goodbye; `close` follows.
  socket.on('error', () => socket.destroy());
  socket.on('close', () => clearTimeout(timer));
  watch();
  return {
    finish() {
      ending = true;
      advance();
    },
    isBusy: () => !socket.destroyed && (pending > 0 || socket.writableLength > 0),
  };
}

export function bindTcp(
  handle: PacketHandler,
  listen: { address: string; port: number; everywhere?: boolean },
  /** A function is asked for each new connection. */
  limits: TcpLimits | (() => TcpLimits),
  /** Makes the connections TLS (RFC 7858); asked for each new one. */
  secure?: () => TlsOptions | undefined,
): Promise<Result<BoundSocket, NodeJS.ErrnoException>> {
  const current = (): Limits => ({ ...defaultTcpLimits, ...(typeof limits === 'function' ? limits() : limits) });
  const connections = new Map<Socket, Connection>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (plain) => {
    const tls = secure?.();
    const socket: Socket = tls ? new TLSSocket(plain, { ...tls, isServer: true, ALPNProtocols: ['dot'] }) : plain;
    if (tls) plain.on('error', () => socket.destroy());
    connections.set(socket, serve(socket, handle, current(), tls ? 'tls' : 'tcp'));
    socket.once('close', () => connections.delete(socket));
  });
  server.maxConnections = current().maxConnections;
  const close = async (graceMs = 0) => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const connection of connections.values()) connection.finish();
    await drained(() => [...connections.values()].some((connection) => connection.isBusy()), graceMs);
    for (const socket of connections.keys()) socket.destroy();
    await closed;
  };
  return new Promise((resolve) => {
    server.once('error', (error) => resolve(err(error)));
    server.listen(
      { host: listen.address, port: listen.port, ipv6Only: listen.address.includes(':') && !listen.everywhere },
      () => {
        server.removeAllListeners('error');
        // Errors after binding come from single accepts (out of descriptors); the server goes on.
        server.on('error', () => {});
        const bound = server.address();
        resolve(ok({ port: bound && typeof bound === 'object' ? bound.port : listen.port, close }));
      },
    );
  });
}
