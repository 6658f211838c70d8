/** DNS over TCP on one address: length prefixes, pipelining, answers in the order in which they are ready (RFC 7766). */
import type { Socket } from 'node:net';
import type { Result } from '../../base/result.ts';
import type { Client } from '../plugins/plugin.ts';
import type { PacketHandler, Sent } from './responder.ts';
import type { TlsIdentity } from './secure.ts';
import { bindStream, type Connection, type StreamAddress } from './stream-door.ts';
import { type BoundSocket, plainAddress } from './udp.ts';

export interface TcpLimits {
  /** Open connections per address, handshakes among them; more are closed at once. Default 1,000. */
  maxConnections?: number;
  /** A connection without a query under way is closed after this, ms. Default 10,000. */
  idleTimeoutMs?: number;
  /** A query that has begun must be whole within this, and a handshake of TLS be done, ms. Default 5,000. */
  readTimeoutMs?: number;
  /** A client must have taken its answers within this, ms. Default 5,000. */
  writeTimeoutMs?: number;
  /** Queries after which a connection is closed. Default 10,000. */
  maxQueriesPerConnection?: number;
  /** Queries of one connection under way; no more are read until one is answered. Default 100. */
  maxPipelined?: number;
  /** Handshakes of TLS under way; beyond them the oldest is given up for the new one. Default 100. */
  maxHandshakes?: number;
}

type Limits = Required<TcpLimits>;

export const defaultTcpLimits: Limits = {
  maxConnections: 1000,
  idleTimeoutMs: 10_000,
  readTimeoutMs: 5000,
  writeTimeoutMs: 5000,
  maxQueriesPerConnection: 10_000,
  maxPipelined: 100,
  maxHandshakes: 100,
};

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
  const delays = { idle: limits.idleTimeoutMs, read: limits.readTimeoutMs, write: limits.writeTimeoutMs };
  let received: Buffer = Buffer.alloc(0);
  let pending = 0;
  let queries = 0;
  let ending = false;
  let timer: NodeJS.Timeout | undefined;
  let timed: keyof typeof delays | undefined;

  /** One timer; only a whole query starts it anew, so that a byte now and then buys no time. */
  function watch(): void {
    const wanted = awaited();
    if (wanted === timed && wanted !== 'idle') return;
    clearTimeout(timer);
    timed = wanted;
    if (wanted) timer = setTimeout(() => socket.destroy(), delays[wanted]);
  }

  /** What the client owes us. */
  function awaited(): keyof typeof delays | undefined {
    if (socket.writableNeedDrain) return 'write';
    if (pending === 0 && received.length === 0) return 'idle';
    return received.length > 0 && pending < limits.maxPipelined ? 'read' : undefined;
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
  listen: StreamAddress,
  /** A function is asked for each new connection. */
  limits: TcpLimits | (() => TcpLimits),
  /** Makes the connections TLS (RFC 7858); asked for each new one. */
  secure?: () => TlsIdentity | undefined,
): Promise<Result<BoundSocket, NodeJS.ErrnoException>> {
  const current = (): Limits => ({ ...defaultTcpLimits, ...(typeof limits === 'function' ? limits() : limits) });
  return bindStream(listen, {
    secure,
    limits: current,
    protocols: ['dot'],
    serve: (socket) => serve(socket, handle, current(), secure ? 'tls' : 'tcp'),
  });
}
