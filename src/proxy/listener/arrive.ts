/** A connection that was accepted, on its way to what serves it. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { serveHttp2 } from '../http2/session.ts';
import type { Runtime } from '../runtime.ts';
import type { Door } from './client.ts';
import { serveHttp1 } from './serve.ts';

/** Takes a connection into service; over TLS, after the handshake. `untouched`: see Arrival. */
export function arrive(socket: Socket, door: Door, runtime: Runtime, untouched: boolean): void {
  const address = runtime.announcements.addressOf(socket);
  // A client that has reset its connection by now has no address, and yet what it sent can be read: no filter that goes
  // by the address could tell whether it may come in.
  if (address === '') {
    socket.destroy();
    return;
  }
  runtime.metrics?.connected(door.id);
  const arrival = { socket, untouched, door, runtime, address };
  if ((socket as TLSSocket).alpnProtocol === 'h2') serveHttp2(arrival);
  else serveHttp1(arrival);
}
