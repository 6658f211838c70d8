/** One bound socket of a listener: plain TCP or TLS, serving whatever table is in force. */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import type { Listener } from '../../routing/plan/plan.ts';
import type { Table } from '../routes/table.ts';
import type { Runtime } from '../runtime.ts';
import { type Identities, MIN_TLS_VERSION, sessionIdContext } from '../tls/contexts.ts';
import { arrive } from './arrive.ts';
import { conductOf, type Door } from './client.ts';

/** Where a listener takes its connections from. */
export interface DoorPlace {
  readonly address: string;
  readonly port: number;
  /** Nothing is bound: whoever holds the place brings connections to `adopt`. */
  readonly adopted: boolean;
}

export interface BoundDoor extends Door, DoorPlace {
  readonly protocol: Listener['protocol'];
  /** Settles when it listens or has failed to; never rejects. */
  readonly settled: Promise<void>;
  /** Why it does not listen. */
  error: string | undefined;
  /** Swaps what answers the next request and the next handshake. */
  update(table: Table, identities: Identities): void;
  /** Takes a connection that was accepted elsewhere; what was read of it must have been put back. */
  adopt(socket: Socket): void;
  /** Stops accepting; idle connections close now, the others after their response. */
  close(): void;
}

/** Connections that wait to be accepted. */
const BACKLOG = 1_024;

export function openDoor(table: Table, identities: Identities, place: DoorPlace, runtime: Runtime): BoundDoor {
  const { listener } = table;
  let current = identities;
  /** By the client's address and port, which the socket before and after the handshake have in common. */
  const handshakes = new Map<string, Socket>();
  const isTls = listener.protocol === 'HTTPS';
  // Connections that come from elsewhere have been read, if only in search of a PROXY header.
  const untouched = !isTls && !runtime.announcements.awaited;
  const server = isTls
    ? createTls(() => current, runtime)
    : createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: untouched });
  const entry = runtime.announcements.awaited ? announcedEntry(server, isTls, runtime) : server;
  const settled = place.adopted ? Promise.resolve(undefined) : runtime.listen(entry, { ...place, backlog: BACKLOG });

  const door: BoundDoor = {
    id: listener.id,
    scheme: isTls ? 'https' : 'http',
    table,
    removed: false,
    address: place.address,
    port: place.port,
    adopted: place.adopted,
    protocol: listener.protocol,
    settled: settled.then((error) => {
      door.error = error;
    }),
    error: undefined,
    update(next, nextIdentities) {
      door.table = next;
      const changed = nextIdentities.fingerprint !== current.fingerprint;
      current = nextIdentities;
      if (isTls && changed) secure(server as TlsServer, current, runtime);
    },
    adopt: (socket) => void server.emit('connection', socket),
    close() {
      door.removed = true;
      forgetTurns();
      entry.close();
      if (entry !== server) server.close();
      for (const socket of handshakes.values()) socket.destroy();
      for (const served of runtime.connections) if (served.door === door) conductOf(served).retire(served);
    },
  };

  const forgetTurns = isTls
    ? runtime.tickets.onTurn(() => (server as TlsServer).setTicketKeys(runtime.tickets.keys(current.fingerprint)))
    : () => {};
  const isFull = () =>
    runtime.connections.size + runtime.announcements.waiting() + handshakes.size >=
    runtime.settings.client.maxConnections;
  const entrance: Entrance = {
    admit() {
      if (!isFull()) return true;
      runtime.metrics?.refused(door.id);
      return false;
    },
    serve: (socket) => arrive(socket, door, runtime, untouched),
    handshakeFailed: () => runtime.metrics?.handshakeFailed(door.id),
  };
  if (isTls) acceptTls(server as TlsServer, handshakes, entrance);
  else acceptPlain(server, entrance);
  return door;
}

/** Accepts in place of `server` and hands over what has told whose it is. */
function announcedEntry(server: Server, isTls: boolean, { announcements, connections, settings }: Runtime): Server {
  return createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    if (connections.size + announcements.waiting() >= settings.client.maxConnections) {
      socket.destroy();
      return;
    }
    announcements.receive(socket, () => {
      server.emit('connection', socket);
      // A TLS socket has taken what was read and reads on by itself.
      if (!isTls) socket.resume();
    });
  });
}

/** What becomes of connections. */
interface Entrance {
  /** False when there are too many. */
  admit(): boolean;
  serve(socket: Socket): void;
  handshakeFailed(): void;
}

function acceptPlain(server: Server, { admit, serve }: Entrance): void {
  server.on('connection', (socket: Socket) => {
    if (admit()) serve(socket);
    else socket.destroy();
  });
}

/** `handshakes` holds the connections that are not served yet. */
function acceptTls(server: TlsServer, handshakes: Map<string, Socket>, entrance: Entrance): void {
  server.on('connection', (socket: Socket) => {
    if (!entrance.admit()) {
      socket.destroy();
      return;
    }
    const peer = peerOf(socket);
    handshakes.set(peer, socket);
    socket.on('close', () => handshakes.delete(peer));
  });
  server.on('secureConnection', (socket: Socket) => {
    handshakes.delete(peerOf(socket));
    entrance.serve(socket);
  });
  // A handshake that takes too long is announced like this, and its socket left open.
  server.on('tlsClientError', (_error: Error, socket: Socket) => {
    entrance.handshakeFailed();
    socket.destroy();
  });
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** Unknown names are refused within the handshake. */
function createTls(identities: () => Identities, runtime: Runtime): TlsServer {
  const server = createTlsServer({
    minVersion: MIN_TLS_VERSION,
    // curl --http1.0 offers nothing but its version; without a name in common the handshake would fail (RFC 7301).
    ALPNProtocols: ['h2', 'http/1.1', 'http/1.0'],
    handshakeTimeout: runtime.settings.client.tlsHandshakeTimeoutMs,
    allowHalfOpen: true,
    noDelay: true,
    SNICallback(serverName, done) {
      const context = identities().find(serverName);
      if (context) done(null, context);
      else done(new Error('no certificate for this name'));
    },
  });
  secure(server, identities(), runtime);
  return server;
}

/**
 * Puts in force what handshakes without SNI, clients' certificates and resumed sessions depend on. node:tls reads both
 * of the properties for each new connection and has no call that sets them.
 */
function secure(server: TlsServer, { fallback, clientValidation, fingerprint }: Identities, runtime: Runtime): void {
  server.setSecureContext({
    ...fallback,
    ...(clientValidation && { ca: clientValidation.ca }),
    minVersion: MIN_TLS_VERSION,
    sessionIdContext,
  });
  server.setTicketKeys(runtime.tickets.keys(fingerprint));
  Object.assign(server, {
    requestCert: clientValidation !== undefined,
    rejectUnauthorized: clientValidation?.mode === 'require',
  });
}
