/** DNS over UDP on one address. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { err, ok, type Result } from '../../base/result.ts';
import type { RepeatedAnswers } from './repeats.ts';
import type { PacketHandler, Sent } from './responder.ts';
import { sharing } from './reuse-port.ts';
import type { UdpAddress } from './udp-everywhere.ts';

export interface UdpLimits {
  /** Queries that wait for an answer from elsewhere; more are dropped, as an overfull network would. Default 10,000. */
  maxPendingUdp?: number;
  /** Bytes waiting in the socket's send queue; beyond it responses are dropped. Default 8 MiB. */
  maxSendQueue?: number;
}

/**
 * Bytes for queries that wait to be read, so that a pause of some milliseconds loses none. The kernel gives at most
 * net.core.rmem_max, which holds some 500 queries by default.
 */
const receiveBuffer = 4 * 1024 * 1024;

export interface BoundSocket {
  readonly port: number;
  /** Stops. Queries under way are answered first, for at most `graceMs` (default 0: not at all). */
  close(graceMs?: number): Promise<void>;
}

/** Waits until nothing is under way, or the time is over. */
export async function drained(isBusy: () => boolean, graceMs: number): Promise<void> {
  const end = performance.now() + graceMs;
  while (isBusy() && performance.now() < end) await new Promise((resume) => setTimeout(resume, 5));
}

/** Longest that `emptied` reads on: what one second brings is more than any socket's buffer holds. */
const longestBacklogMs = 1000;

/** Node reads what waits in each socket once between two turns; the first may have begun before this was asked. */
export async function wholeTurn(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resume) => setImmediate(resume));
}

/** Waits until a turn has found nothing left in the kernel of what came before, for at most `graceMs`. */
export async function emptied(heard: () => number, graceMs: number): Promise<void> {
  const end = performance.now() + Math.min(graceMs, longestBacklogMs);
  let before = -1;
  while (before !== heard() && performance.now() < end) {
    before = heard();
    await wholeTurn();
  }
}

export function bindUdp(
  handle: PacketHandler,
  listen: UdpAddress,
  limits: UdpLimits,
  repeats?: RepeatedAnswers,
): Promise<Result<BoundSocket, NodeJS.ErrnoException>> {
  const { maxPendingUdp = 10_000, maxSendQueue = 8 * 1024 * 1024 } = limits;
  const v6 = listen.address.includes(':');
  const { reusePort, exclusive } = sharing(listen.port);
  const socket = createSocket({
    recvBufferSize: receiveBuffer,
    ...(reusePort && { reusePort }),
    ...(listen.reuse && { reuseAddr: true }),
    type: v6 ? 'udp6' : 'udp4',
    ipv6Only: v6 && !listen.everywhere,
    // Every address here is one already: without this, each send asks the resolver's machinery first.
    lookup: (address, _options, found) => found(null, address, v6 ? 6 : 4),
  });
  let pending = 0;
  /** Packets read. */
  let heard = 0;
  let open = true;
  /** Responses wait in the socket's queue. */
  let queued = false;
  let local = { address: listen.address, port: listen.port };

  function send(response: Sent, to: RemoteInfo): void {
    if (!(response instanceof Uint8Array) || !open) return;
    // Nearly always what is sent is on its way at once; asking each time costs more than sending again.
    if (queued && socket.getSendQueueSize() > maxSendQueue) return;
    // A client that cannot be reached is its own affair: UDP has nobody to tell. A callback would cost a tick.
    socket.send(response, to.port, to.address);
    queued = socket.getSendQueueCount() > 0;
  }

  async function sendLater(response: Promise<Sent>, to: RemoteInfo): Promise<void> {
    pending++;
    try {
      send(await response, to);
    } finally {
      pending--;
    }
  }

  function receive(packet: Uint8Array, from: RemoteInfo): void {
    heard++;
    // Port 0 cannot be answered; only forged packets have it.
    if (from.port === 0) return;
    const address = v6 ? plainAddress(from.address) : from.address;
    const known = repeats?.answer(packet, address);
    if (known) {
      send(known, from);
      // What was lent to us is still needed.
      if (queued) repeats!.release();
      return;
    }
    if (pending >= maxPendingUdp) return;
    const response = handle(packet, { address, port: from.port, protocol: 'udp', local });
    if (response instanceof Promise) void sendLater(response, from);
    else send(response, from);
  }

  return new Promise((resolve) => {
    socket.once('error', (error) => {
      open = false;
      socket.close();
      resolve(err(error));
    });
    socket.bind({ address: listen.address, port: listen.port, ...(exclusive && { exclusive }) }, () => {
      socket.removeAllListeners('error');
      // Errors after binding come from single sends (ICMP), and concern their client only.
      socket.on('error', () => {});
      socket.on('message', receive);
      local = { address: listen.address, port: socket.address().port };
      const close = async (graceMs = 0) => {
        const end = performance.now() + graceMs;
        await emptied(() => heard, graceMs);
        await drained(() => pending > 0, end - performance.now());
        await closeUdp(socket, () => (open = false));
      };
      resolve(ok({ port: local.port, close }));
    });
  });
}

/** An IPv4 client of a socket for both families (RFC 4291 section 2.5.5.2) by its own address. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

function closeUdp(socket: Socket, onClosing: () => void): Promise<void> {
  onClosing();
  return new Promise((resolve) => socket.close(resolve));
}
