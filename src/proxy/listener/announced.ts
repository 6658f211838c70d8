/** Connections of balancers that announce their clients by the PROXY protocol: see ProxyProtocolOptions. */
import type { Socket } from 'node:net';
import { plainAddress } from '../exchange/forwarded.ts';
import type { ProxyProtocolOptions } from '../options.ts';
import { parseProxyHeader } from './proxy-header.ts';

export interface Announcements {
  /** Some peers announce their clients. */
  readonly awaited: boolean;
  /** Passes a new connection on: after the header, with what follows it put back, if its peer is to send one. */
  receive(socket: Socket, pass: () => void): void;
  /** Address of the client: the one announced, else the socket's own. */
  addressOf(socket: Socket): string;
  /** Connections whose header is awaited. */
  waiting(): number;
  close(): void;
}

/** A connection as its socket and a TLS socket over it both know it. */
const placeOf = ({ remoteAddress, remotePort, localAddress, localPort }: Socket) =>
  `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;

export function createAnnouncements(
  { from, maxHeaderBytes, timeoutMs }: ProxyProtocolOptions,
  announces: (address: string) => boolean,
): Announcements {
  const addresses = new Map<string, string>();
  const waiting = new Set<Socket>();

  function awaitHeader(socket: Socket, pass: () => void): void {
    let bytes: Buffer = Buffer.alloc(0);
    const timer = setTimeout(() => socket.destroy(), timeoutMs);
    const leave = () => {
      clearTimeout(timer);
      waiting.delete(socket);
    };
    const take = (chunk: Buffer) => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const outcome = parseProxyHeader(bytes, maxHeaderBytes);
      if (outcome === 'incomplete') return;
      leave();
      // Nobody can be told why: the peer speaks for a client it has not named.
      if ('reason' in outcome) socket.destroy();
      else go(outcome.length, outcome.address);
    };
    const go = (length: number, address: string | undefined) => {
      socket.off('data', take).off('end', giveUp).off('close', leave);
      socket.pause();
      if (address !== undefined) remember(socket, address);
      if (length < bytes.length) socket.unshift(bytes.subarray(length));
      pass();
    };
    const giveUp = () => socket.destroy();
    waiting.add(socket);
    socket.on('data', take).on('end', giveUp).on('close', leave);
    // What an error means is said by the close that follows it.
    socket.on('error', () => {});
  }

  function remember(socket: Socket, address: string): void {
    const place = placeOf(socket);
    addresses.set(place, plainAddress(address));
    socket.on('close', () => addresses.delete(place));
  }

  return {
    awaited: from.length > 0,
    receive(socket, pass) {
      if (announces(plainAddress(socket.remoteAddress))) awaitHeader(socket, pass);
      else pass();
    },
    addressOf(socket) {
      const announced = addresses.size > 0 ? addresses.get(placeOf(socket)) : undefined;
      return announced ?? plainAddress(socket.remoteAddress);
    },
    waiting: () => waiting.size,
    close() {
      for (const socket of waiting) socket.destroy();
    },
  };
}
