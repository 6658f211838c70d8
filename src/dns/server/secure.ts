/** The TLS side of accepted connections: who we are, whom we let in, and bounds for handshakes that are never finished. */
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';

/** Certificate and key in PEM, the CAs of clients, and whether clients are asked for a certificate. */
export type TlsFiles = Pick<TlsOptions, 'cert' | 'key' | 'ca' | 'requestCert' | 'rejectUnauthorized'>;

export interface TlsIdentity {
  /** What is in force: the same object until it changes. */
  current(): TlsFiles;
  /** Whether a client whose handshake is done may stay. */
  welcomes(client: TLSSocket): boolean;
  /** Hears each line of the key log: the secrets of every connection. */
  readonly onKeys?: ((line: Buffer) => void) | undefined;
}

export interface HandshakeLimits {
  /** A handshake must be done within this, ms. */
  readonly readTimeoutMs: number;
  /** Handshakes under way; beyond them the oldest is given up for the new one. */
  readonly maxHandshakes: number;
}

export interface Handshakes {
  /** Takes over a new connection; it is closed when its handshake fails. */
  begin(plain: Socket, identity: TlsIdentity): void;
}

export interface HandshakeOptions {
  /** Protocols to choose from (ALPN), best first. */
  readonly protocols: readonly string[];
  /** Asked for each handshake. */
  limits(): HandshakeLimits;
  /** The handshake is done. */
  onSecure(socket: TLSSocket): void;
}

/** Both ends of a connection: what TLS knows of the plain socket below it. */
const endsOf = ({ remoteAddress, remotePort, localAddress, localPort }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;

export function createHandshakes(options: HandshakeOptions): Handshakes {
  /** One for each state of an identity: it keeps the session tickets, so that clients can resume. */
  const servers = new WeakMap<TlsFiles, Server>();
  /** Oldest first. */
  const underWay = new Map<string, Socket>();

  function makeServer(identity: TlsIdentity, files: TlsFiles): Server {
    const server = createServer({
      ...files,
      ALPNProtocols: [...options.protocols],
      handshakeTimeout: options.limits().readTimeoutMs,
      minVersion: 'TLSv1.2',
    });
    server.on('secureConnection', (socket) => {
      underWay.delete(endsOf(socket));
      if (identity.welcomes(socket)) options.onSecure(socket);
      else socket.destroy();
    });
    // A failed handshake concerns its client only.
    server.on('tlsClientError', (_, socket) => socket.destroy());
    if (identity.onKeys) server.on('keylog', identity.onKeys);
    return server;
  }

  return {
    begin(plain, identity) {
      const files = identity.current();
      let server = servers.get(files);
      if (!server) {
        server = makeServer(identity, files);
        servers.set(files, server);
      }
      const ends = endsOf(plain);
      underWay.set(ends, plain);
      // Resets before and during the handshake; `close` follows.
      plain.on('error', () => plain.destroy());
      plain.once('close', () => underWay.delete(ends));
      if (underWay.size > options.limits().maxHandshakes) underWay.values().next().value?.destroy();
      server.emit('connection', plain);
    },
  };
}
