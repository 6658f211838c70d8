/** A connection that was accepted, on its way to what serves it. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { serveHttp2 } from '../http2/session.ts';
import type { Runtime } from '../runtime.ts';
import type { Door } from './client.ts';
import { serveHttp1 } from './serve.ts';

/** Takes a connection into service; over TLS, after the handshake. `untouched`: see Arrival. */
export function arrive(socket: Socket, door: Door, runtime: Runtime, untouched: boolean): void {
  runtime.metrics?.connected(door.id);
  const arrival = { socket, untouched, door, runtime, address: runtime.announcements.addressOf(socket) };
  if ((socket as TLSSocket).alpnProtocol === 'h2') serveHttp2(arrival);
  else serveHttp1(arrival);
}
