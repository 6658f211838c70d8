/** Connections to one upstream, over TCP or TLS, kept for the next question. One question at a time on each. */
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { err, ok, type Result } from '../../../base/result.ts';
import { isResponseTo } from '../../wire/ask.ts';
import type { Query } from '../../wire/query.ts';
import { type ExchangeOptions, framed, settleOnce } from './exchange.ts';
import type { Upstream } from './upstreams.ts';

export interface PoolOptions {
  /** An idle connection is closed after this, ms. */
  readonly expireMs: number;
  /** No connection is used for longer, ms; 0: no limit. */
  readonly maxAgeMs: number;
  /** Idle connections kept; 0: no limit. */
  readonly maxIdle: number;
  /** TLS instead of plain TCP. */
  readonly tls?: ConnectionOptions;
  /** A connection was there (`hit`) or had to be made. */
  onDial?(hit: boolean): void;
}

export interface Pool {
  exchange(query: Query, options: ExchangeOptions): Promise<Result<Uint8Array, string>>;
  close(): void;
}

interface Idle {
  readonly socket: Socket;
  readonly madeAt: number;
  readonly idleSince: number;
}

export function createPool(upstream: Upstream, options: PoolOptions): Pool {
  let idle: Idle[] = [];
  let sweeper: NodeJS.Timeout | undefined;

  const usable = ({ socket, madeAt, idleSince }: Idle): boolean => {
    const now = performance.now();
    const young = options.maxAgeMs === 0 || now - madeAt < options.maxAgeMs;
    return !socket.destroyed && young && now - idleSince < options.expireMs;
  };

  function sweep(): void {
    const left = idle.filter((entry) => !usable(entry));
    idle = idle.filter(usable);
    for (const { socket } of left) socket.destroy();
    if (idle.length > 0) return;
    clearInterval(sweeper);
    sweeper = undefined;
  }

  function put(socket: Socket, madeAt: number): void {
    if (socket.destroyed || options.expireMs === 0 || (options.maxIdle > 0 && idle.length >= options.maxIdle)) {
      socket.destroy();
      return;
    }
    socket.removeAllListeners();
    const forget = () => {
      idle = idle.filter((entry) => entry.socket !== socket);
      socket.destroy();
    };
    // Whatever comes while nothing was asked, the connection is of no use any more.
    socket.on('error', forget).on('close', forget).on('data', forget);
    idle.push({ socket, madeAt, idleSince: performance.now() });
    sweeper ??= setInterval(sweep, Math.max(100, Math.min(options.expireMs, 1000))).unref();
  }

  function dial(localAddress: string | undefined): Socket {
    const at = { host: upstream.address, port: upstream.port, ...(localAddress && { localAddress }) };
    return options.tls ? connectTls({ ...at, ...options.tls }) : connect({ ...at, noDelay: true });
  }

  function take(): Idle | undefined {
    sweep();
    const entry = idle.pop();
    entry?.socket.removeAllListeners();
    return entry;
  }

  function ask(
    query: Query,
    socket: Socket,
    madeAt: number,
    isNew: boolean,
    asked: ExchangeOptions,
  ): Promise<Result<Uint8Array, string>> {
    return new Promise((resolve) => {
      let received: Buffer = Buffer.alloc(0);
      let good = false;
      const finish = settleOnce(resolve, asked, () => (good ? put(socket, madeAt) : socket.destroy()));
      socket.on('error', (error) => finish(err(error.message)));
      socket.on('close', () => finish(err('connection closed before the answer')));
      socket.on('data', (chunk: Buffer) => {
        received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
        const size = received.length >= 2 ? received.readUInt16BE(0) : Number.POSITIVE_INFINITY;
        if (received.length < 2 + size) return;
        const packet = received.subarray(2, 2 + size);
        good = received.length === 2 + size && isResponseTo(query, packet);
        finish(good ? ok(Buffer.from(packet)) : err('the answer is to another question'));
      });
      const send = () => socket.write(framed(query.packet));
      if (isNew) socket.once(options.tls ? 'secureConnect' : 'connect', send);
      else send();
    });
  }

  return {
    async exchange(query, asked) {
      for (let entry = take(); entry; entry = take()) {
        options.onDial?.(true);
        const result = await ask(query, entry.socket, entry.madeAt, false, asked);
        // The other side may have closed it just now; that says nothing about the upstream.
        if (result.ok || result.error.startsWith('no answer') || result.error === 'stopped') return result;
      }
      options.onDial?.(false);
      return ask(query, dial(asked.localAddress), performance.now(), true, asked);
    },
    close() {
      clearInterval(sweeper);
      for (const { socket } of idle.splice(0)) socket.destroy();
    },
  };
}
