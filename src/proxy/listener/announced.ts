/** Connections of balancers that announce their clients by the PROXY protocol: see ProxyProtocolOptions. */
import type { Socket } from 'node:net';
import { plainAddress } from '../exchange/forwarded.ts';
import type { ProxyProtocolOptions } from '../options.ts';
import { type ConnectionEnds, endsOfSocket } from './ends.ts';
import { parseProxyHeader } from './proxy-header.ts';

export interface Announcements {
  /** Some peers announce their clients. */
  readonly awaited: boolean;
  /**
   * Passes a new connection on: after the header, with what follows it put back, if its peer is to send one, and with
   * the bytes of that header. A connection without a good one goes to `refuse`, which closes it unless told otherwise.
   */
  receive(socket: Socket, pass: (headerBytes: number) => void, refuse?: (reason: string) => void): void;
  /** Address of the client: the one announced, else the socket's own. */
  addressOf(socket: Socket): string;
  /** Both ends of the client's connection: those announced, else the socket's own. */
  endsOf(socket: Socket): ConnectionEnds;
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
  const announced = new Map<string, ConnectionEnds>();
  const waiting = new Set<Socket>();

  function awaitHeader(
    socket: Socket,
    pass: (headerBytes: number) => void,
    refuse: (reason: string) => void = () => socket.destroy(),
  ): void {
    let bytes: Buffer = Buffer.alloc(0);
    const timer = setTimeout(() => giveUp('the PROXY header did not arrive in time'), timeoutMs);
    const leave = () => {
      clearTimeout(timer);
      waiting.delete(socket);
      socket.off('data', take).off('end', onEnd).off('close', leave);
    };
    const take = (chunk: Buffer) => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const outcome = parseProxyHeader(bytes, maxHeaderBytes);
      if (outcome === 'incomplete') return;
      // Nobody can be told why: the peer speaks for a client it has not named.
      if ('reason' in outcome) giveUp(outcome.reason);
      else go(outcome.length, outcome.ends);
    };
    const go = (length: number, ends: ConnectionEnds | undefined) => {
      leave();
      socket.pause();
      if (ends !== undefined) remember(socket, ends);
      if (length < bytes.length) socket.unshift(bytes.subarray(length));
      pass(length);
    };
    const giveUp = (reason: string) => {
      leave();
      refuse(reason);
    };
    const onEnd = () => giveUp('the connection ended before its PROXY header did');
    waiting.add(socket);
    socket.on('data', take).on('end', onEnd).on('close', leave);
    // What an error means is said by the close that follows it.
    socket.on('error', () => {});
  }

  function remember(socket: Socket, { client, local }: ConnectionEnds): void {
    const place = placeOf(socket);
    announced.set(place, {
      client: { address: plainAddress(client.address), port: client.port },
      local: { address: plainAddress(local.address), port: local.port },
    });
    socket.on('close', () => announced.delete(place));
  }

  const announcedFor = (socket: Socket) => (announced.size > 0 ? announced.get(placeOf(socket)) : undefined);

  return {
    awaited: from.length > 0,
    receive(socket, pass, refuse) {
      if (announces(plainAddress(socket.remoteAddress))) awaitHeader(socket, pass, refuse);
      else pass(0);
    },
    addressOf: (socket) => announcedFor(socket)?.client.address ?? plainAddress(socket.remoteAddress),
    endsOf: (socket) => announcedFor(socket) ?? endsOfSocket(socket),
    waiting: () => waiting.size,
    close() {
      for (const socket of waiting) socket.destroy();
    },
  };
}
