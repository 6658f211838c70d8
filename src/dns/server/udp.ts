/** DNS over UDP on one address. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { err, ok, type Result } from '../../base/result.ts';
import type { PacketHandler } from './responder.ts';

export interface UdpLimits {
  /** Queries that wait for an answer from elsewhere; more are dropped, as an overfull network would. Default 10,000. */
  maxPendingUdp?: number;
  /** Bytes waiting in the socket's send queue; beyond it responses are dropped. Default 8 MiB. */
  maxSendQueue?: number;
}

export interface BoundSocket {
  readonly port: number;
  close(): Promise<void>;
}

export function bindUdp(
  handle: PacketHandler,
  listen: { address: string; port: number },
  limits: UdpLimits,
): Promise<Result<BoundSocket, NodeJS.ErrnoException>> {
  const { maxPendingUdp = 10_000, maxSendQueue = 8 * 1024 * 1024 } = limits;
  const v6 = listen.address.includes(':');
  const socket = createSocket({ type: v6 ? 'udp6' : 'udp4', ipv6Only: v6 });
  let pending = 0;
  let open = true;

  function send(response: Uint8Array | undefined, to: RemoteInfo): void {
    if (!response || !open || socket.getSendQueueSize() > maxSendQueue) return;
    // A client that cannot be reached is its own affair: UDP has nobody to tell.
    socket.send(response, to.port, to.address, () => {});
  }

  async function sendLater(response: Promise<Uint8Array | undefined>, to: RemoteInfo): Promise<void> {
    pending++;
    try {
      send(await response, to);
    } finally {
      pending--;
    }
  }

  function receive(packet: Uint8Array, from: RemoteInfo): void {
    // Port 0 cannot be answered; only forged packets have it.
    if (from.port === 0 || pending >= maxPendingUdp) return;
    const response = handle(packet, { address: from.address, port: from.port, protocol: 'udp' });
    if (response instanceof Promise) void sendLater(response, from);
    else send(response, from);
  }

  return new Promise((resolve) => {
    socket.once('error', (error) => {
      open = false;
      socket.close();
      resolve(err(error));
    });
    socket.bind({ address: listen.address, port: listen.port }, () => {
      socket.removeAllListeners('error');
      // Errors after binding come from single sends (ICMP), and concern their client only.
      socket.on('error', () => {});
      socket.on('message', receive);
      resolve(ok({ port: socket.address().port, close: () => closeUdp(socket, () => (open = false)) }));
    });
  });
}

function closeUdp(socket: Socket, onClosing: () => void): Promise<void> {
  onClosing();
  return new Promise((resolve) => socket.close(resolve));
}
