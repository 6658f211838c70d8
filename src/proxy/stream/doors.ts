/** Bound sockets of stream listeners. */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import type { StreamListener } from '../../routing/plan/plan.ts';
import { acceptTcp, acceptTls, type Handover } from './accept.ts';
import type { StreamDoor, StreamShelf } from './connection.ts';
import type { StreamTable } from './table.ts';
import { familyOf, numericLookup, type UdpDoor, type UdpFlows } from './udp.ts';

export interface BoundStream extends StreamDoor {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  /** Settles when it is open or has failed to; never rejects. */
  readonly settled: Promise<void>;
  /** Why it is not open. */
  error: string | undefined;
  /** Stops accepting; connections go on, UDP flows end. */
  close(): void;
}

export interface StreamPlace {
  readonly address: string;
  readonly port: number;
}

type Opener = (table: StreamTable, place: StreamPlace, parts: StreamParts) => BoundStream;

export interface StreamParts {
  readonly shelf: StreamShelf;
  readonly flows: UdpFlows;
  readonly handover: Handover;
}

/** Connections that wait to be accepted. */
const backlog = 1_024;

const openers: Readonly<Record<StreamListener['protocol'], Opener>> = {
  TCP: (table, place, { shelf }) => openServer(table, place, shelf, (server, door) => acceptTcp(server, door, shelf)),
  TLS: (table, place, { shelf, handover }) =>
    openServer(table, place, shelf, (server, door) => acceptTls(server, door, shelf, handover)),
  UDP: openUdp,
};

export function openStream(table: StreamTable, place: StreamPlace, parts: StreamParts): BoundStream {
  return openers[table.listener.protocol](table, place, parts);
}

function openServer(
  table: StreamTable,
  { address, port }: StreamPlace,
  shelf: StreamShelf,
  accept: (server: Server, door: StreamDoor) => void,
): BoundStream {
  const highWaterMark = shelf.runtime.settings.relay.bufferBytes;
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true, highWaterMark });
  const opening = shelf.runtime.listen(server, { address, port, backlog });
  const door = boundStream(table, { address, port }, opening, () => void server.close());
  accept(server, door);
  return door;
}

function openUdp(table: StreamTable, { address, port }: StreamPlace, { flows }: StreamParts): BoundStream {
  const socket = createSocket({ type: familyOf(address), lookup: numericLookup });
  const opening = new Promise<string | undefined>((resolve) => {
    socket.on('error', (error) => resolve(error.message));
    socket.on('close', () => resolve('closed'));
    socket.bind({ address, port, exclusive: true }, () => resolve(undefined));
  });
  const door = Object.assign(
    boundStream(table, { address, port }, opening, () => {
      flows.drop(door);
      closeOnce(socket);
    }),
    { socket },
  ) satisfies UdpDoor;
  socket.on('message', (data, client) => flows.receive(door, data, client));
  return door;
}

/** A datagram socket that failed to bind may be closed like any other, but only once. */
function closeOnce(socket: DatagramSocket): void {
  socket.removeAllListeners('message');
  socket.close();
}

function boundStream(
  table: StreamTable,
  place: StreamPlace,
  opening: Promise<string | undefined>,
  close: () => void,
): BoundStream {
  const door: BoundStream = {
    id: table.listener.id,
    table,
    address: place.address,
    port: place.port,
    settled: opening.then((error) => {
      door.error = error;
    }),
    error: undefined,
    close,
  };
  return door;
}
