/**
 * UDP on all addresses of a machine. An answer must come from the address that was asked, but a socket for all of them
 * leaves that choice to the kernel, and Node cannot tell it otherwise. Where there is a choice, each address gets a
 * socket of its own beside the one for all: the kernel hands packets to the closest. Interfaces are looked at again and
 * again, as addresses come and go.
 */
import { networkInterfaces } from 'node:os';
import type { Result } from '../../base/result.ts';
import type { BoundSocket } from './udp.ts';

export interface UdpAddress {
  readonly address: string;
  readonly port: number;
  readonly everywhere?: boolean;
  /** Other sockets of this port may be there, for other addresses. */
  readonly reuse?: boolean;
}

export interface EverywhereOptions {
  /** Addresses that need a socket of their own now. Default: those of the interfaces, as `contestedAddresses` says. */
  addresses?(): readonly string[];
  /** Between looks at the interfaces, ms. Default 5,000. */
  lookEveryMs?: number;
  /** Sockets besides the one for all; the addresses beyond are served by that. Default 256. */
  maxSockets?: number;
}

type Bind = (wanted: UdpAddress) => Promise<Result<BoundSocket, NodeJS.ErrnoException>>;

/**
 * The addresses of a family that has several: with one the kernel can only choose that. Loopback and link-local
 * addresses are chosen right anyway, by who asks.
 */
export function contestedAddresses(interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces()): string[] {
  const global = Object.values(interfaces)
    .flatMap((found = []) => found)
    .filter((found) => !found.internal && !(found.family === 'IPv6' && found.scopeid !== 0));
  return global
    .filter(({ family }) => global.filter((other) => other.family === family).length > 1)
    .map(({ address }) => address);
}

/** Binds the socket for all and those beside it, which all count as one. */
export async function bindUdpEverywhere(
  bind: Bind,
  wanted: UdpAddress,
  options: EverywhereOptions = {},
): Promise<Result<BoundSocket, NodeJS.ErrnoException>> {
  const { addresses = contestedAddresses, lookEveryMs = 5000, maxSockets = 256 } = options;
  const bound = await bind({ ...wanted, reuse: true });
  if (!bound.ok) return bound;
  const { port } = bound.value;
  const isWanted = (address: string) => wanted.everywhere || address.includes(':') === wanted.address.includes(':');
  const own = new Map<string, BoundSocket>();
  let closing = false;

  async function look(): Promise<void> {
    const now = new Set(addresses().filter(isWanted).slice(0, maxSockets));
    for (const [address, socket] of [...own]) {
      if (now.has(address)) continue;
      own.delete(address);
      await socket.close();
    }
    for (const address of now) {
      if (own.has(address) || closing) continue;
      const socket = await bind({ address, port, reuse: true });
      // An address that is gone, or not yet usable (IPv6 looks for duplicates first): the next look tries again.
      if (socket.ok) own.set(address, socket.value);
    }
  }

  await look();
  let looking: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, lookEveryMs);
  timer.unref();

  return {
    ok: true,
    value: {
      port,
      async close(graceMs) {
        closing = true;
        clearInterval(timer);
        await looking;
        await Promise.all([bound.value, ...own.values()].map((socket) => socket.close(graceMs)));
      },
    },
  };
}
