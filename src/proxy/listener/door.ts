/** One bound socket of a listener: plain TCP or TLS, serving whatever table is in force. */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import type { Listener } from '../../routing/plan/plan.ts';
import type { Table } from '../routes/table.ts';
import type { Runtime } from '../runtime.ts';
import { type Identities, MIN_TLS_VERSION } from '../tls/contexts.ts';
import { closeClient, type Door } from './client.ts';
import { serveConnection } from './serve.ts';

export interface BoundDoor extends Door {
  readonly address: string;
  readonly port: number;
  readonly protocol: Listener['protocol'];
  /** Settles when it listens or has failed to; never rejects. */
  readonly settled: Promise<void>;
  /** Why it does not listen. */
  error: string | undefined;
  /** Swaps what answers the next request and the next handshake. */
  update(table: Table, identities: Identities): void;
  /** Stops accepting; idle connections close now, the others after their response. */
  close(): void;
}

/** Connections that wait to be accepted. */
const BACKLOG = 1_024;

export function openDoor(
  table: Table,
  identities: Identities,
  bind: { readonly address: string; readonly port: number },
  runtime: Runtime,
): BoundDoor {
  const { listener } = table;
  let current = identities;
  /** By the client's address and port, which the socket before and after the handshake have in common. */
  const handshakes = new Map<string, Socket>();
  const isTls = listener.protocol === 'HTTPS';
  const server = isTls ? createTls(() => current, runtime) : createServer({ allowHalfOpen: true, noDelay: true });
  const settled = listen(server, bind);

  const door: BoundDoor = {
    id: listener.id,
    scheme: isTls ? 'https' : 'http',
    table,
    removed: false,
    address: bind.address,
    port: bind.port,
    protocol: listener.protocol,
    settled: settled.then((error) => {
      door.error = error;
    }),
    error: undefined,
    update(next, nextIdentities) {
      door.table = next;
      if (isTls && !sameFallback(current, nextIdentities)) setFallback(server as TlsServer, nextIdentities);
      current = nextIdentities;
    },
    close() {
      door.removed = true;
      server.close();
      for (const socket of handshakes.values()) socket.destroy();
      for (const client of runtime.connections) if (client.door === door && !client.exchange) closeClient(client);
    },
  };

  const isFull = () => runtime.connections.size + handshakes.size >= runtime.settings.client.maxConnections;
  if (isTls) acceptTls(server as TlsServer, handshakes, isFull, (socket) => serveConnection(socket, door, runtime));
  else acceptPlain(server, isFull, (socket) => serveConnection(socket, door, runtime));
  return door;
}

function acceptPlain(server: Server, isFull: () => boolean, serve: (socket: Socket) => void): void {
  server.on('connection', (socket: Socket) => {
    if (isFull()) socket.destroy();
    else serve(socket);
  });
}

/** `handshakes` holds the connections that are not served yet. */
function acceptTls(
  server: TlsServer,
  handshakes: Map<string, Socket>,
  isFull: () => boolean,
  serve: (socket: Socket) => void,
): void {
  server.on('connection', (socket: Socket) => {
    if (isFull()) {
      socket.destroy();
      return;
    }
    const peer = peerOf(socket);
    handshakes.set(peer, socket);
    socket.on('close', () => handshakes.delete(peer));
  });
  server.on('secureConnection', (socket: Socket) => {
    handshakes.delete(peerOf(socket));
    serve(socket);
  });
  // A handshake that takes too long is announced like this, and its socket left open.
  server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy());
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** ALPN offers HTTP/1.1 alone; unknown names are refused within the handshake. */
function createTls(identities: () => Identities, runtime: Runtime): TlsServer {
  return createTlsServer({
    ...identities().fallback,
    minVersion: MIN_TLS_VERSION,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: runtime.settings.client.tlsHandshakeTimeoutMs,
    allowHalfOpen: true,
    noDelay: true,
    SNICallback(serverName, done) {
      const context = identities().find(serverName);
      if (context) done(null, context);
      else done(new Error('no certificate for this name'));
    },
  });
}

function sameFallback({ fallback: a }: Identities, { fallback: b }: Identities): boolean {
  return a.cert === b.cert && a.key === b.key;
}

function setFallback(server: TlsServer, { fallback }: Identities): void {
  server.setSecureContext({ ...fallback, minVersion: MIN_TLS_VERSION });
}

/** Resolves to why it failed, or undefined. */
function listen(
  server: Server,
  { address, port }: { readonly address: string; readonly port: number },
): Promise<string | undefined> {
  return new Promise((resolve) => {
    server.on('error', (error) => resolve(error.message));
    // A door that is closed before it was open.
    server.on('close', () => resolve('closed'));
    server.listen({ host: address, port, backlog: BACKLOG }, () => resolve(undefined));
  });
}
