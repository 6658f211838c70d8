/**
 * The TLS end of a listener: takes accepted connections and hands over those whose handshake has been finished.
 *
 * There are two servers of node:tls behind it. Where certificates are chosen by name, each handshake is suspended until
 * a callback has named one, which costs a tenth of a full handshake; where every name gets the same certificate, the
 * other one answers without asking.
 */
import type { Socket } from 'node:net';
import { createServer, type Server, type TlsOptions } from 'node:tls';
import type { Runtime } from '../runtime.ts';
import { type Identities, MIN_TLS_VERSION, sessionIdContext } from './contexts.ts';

export interface TlsEnd {
  /** A connection that was accepted; what was read of it must have been put back. */
  take(socket: Socket): void;
  /** Swaps what answers the next handshake. */
  update(identities: Identities): void;
  /** Ends the handshakes under way. */
  close(): void;
}

export interface TlsEvents {
  /** `socket` is the decrypted one. */
  secured(socket: Socket): void;
  failed(): void;
}

export function createTlsEnd(first: Identities, events: TlsEvents, runtime: Runtime): TlsEnd {
  let identities = first;
  /** By the client's address and port, which the socket before and after the handshake have in common. */
  const handshakes = new Map<string, Socket>();
  const options: TlsOptions = {
    minVersion: MIN_TLS_VERSION,
    // curl --http1.0 offers nothing but its version; without a name in common the handshake would fail (RFC 7301).
    ALPNProtocols: ['h2', 'http/1.1', 'http/1.0'],
    handshakeTimeout: runtime.settings.client.tlsHandshakeTimeoutMs,
    allowHalfOpen: true,
    noDelay: true,
  };
  const forAnyName = createServer(options);
  const byName = createServer({
    ...options,
    /** Unknown names are refused within the handshake. */
    SNICallback(serverName, done) {
      const context = identities.find(serverName);
      if (context) done(null, context);
      else done(new Error('no certificate for this name'));
    },
  });
  const servers = [forAnyName, byName];
  const finish = (peer: string) => {
    if (handshakes.delete(peer)) runtime.handshakes.waiting--;
  };
  for (const server of servers) {
    secure(server, identities, runtime);
    server.on('secureConnection', (socket: Socket) => {
      finish(peerOf(socket));
      events.secured(socket);
    });
    // A handshake that takes too long is announced like this, and its socket left open.
    server.on('tlsClientError', (_error: Error, socket: Socket) => {
      events.failed();
      socket.destroy();
    });
  }
  const forgetTurns = runtime.tickets.onTurn(() => {
    for (const server of servers) server.setTicketKeys(runtime.tickets.keys(identities.fingerprint));
  });

  return {
    take(socket) {
      const peer = peerOf(socket);
      handshakes.set(peer, socket);
      runtime.handshakes.waiting++;
      socket.on('close', () => finish(peer));
      (identities.sameForAll ? forAnyName : byName).emit('connection', socket);
    },
    update(next) {
      const changed = next.fingerprint !== identities.fingerprint;
      identities = next;
      if (changed) for (const server of servers) secure(server, identities, runtime);
    },
    close() {
      forgetTurns();
      for (const socket of handshakes.values()) socket.destroy();
    },
  };
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/**
 * Puts in force what handshakes without SNI, clients' certificates and resumed sessions depend on. node:tls reads both
 * of the properties for each new connection and has no call that sets them.
 */
function secure(server: Server, { fallback, clientValidation, fingerprint }: Identities, runtime: Runtime): void {
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
