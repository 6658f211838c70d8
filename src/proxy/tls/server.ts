/**
 * The TLS end of a listener: takes accepted connections and hands over those whose handshake has been finished.
 *
 * There are three servers of node:tls behind it. Where certificates are chosen by name, each handshake is suspended until
 * a callback has named one, which costs a tenth of a full handshake; where every name gets the same certificate, the
 * first one answers without asking. Whether clients are asked for certificates is a server's to say before a handshake
 * begins: for listeners on which that depends on the name, the ClientHello is read first (client-names.ts), and the third
 * server has the names that ask.
 */
import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type SecureContextOptions, type Server, type TlsOptions } from 'node:tls';
import { diagnostic } from '../../base/diagnostics/index.ts';
import type { ClientValidation } from '../../routing/plan/plan.ts';
import type { Runtime } from '../runtime.ts';
import { readServerName } from './client-names.ts';
import { type Identities, MIN_TLS_VERSION, sessionIdContext } from './contexts.ts';
import { isCurrent, noteValidation } from './validated.ts';

export interface TlsEnd {
  /** A connection that was accepted; what was read of it must have been put back. */
  take(socket: Socket): void;
  /** Swaps what answers the next handshake; true when something is another than before. */
  update(identities: Identities): boolean;
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
  /** Unknown names are refused within the handshake. */
  const SNICallback: TlsOptions['SNICallback'] = (serverName, done) => {
    const context = identities.find(serverName);
    if (context) done(null, context);
    else done(new Error('no certificate for this name'));
  };
  const byName = createServer({ ...options, SNICallback });
  const asking = createServer({ ...options, SNICallback, requestCert: true, rejectUnauthorized: false });
  const servers = [forAnyName, byName];
  /** What the clients of handshakes under way were asked to show, by the same place. */
  const asked = new Map<string, ClientValidation>();
  const finish = (peer: string) => {
    asked.delete(peer);
    if (handshakes.delete(peer)) runtime.handshakes.waiting--;
  };
  const secureAll = () => {
    for (const server of servers) secure(server, identities, runtime);
    secureAsking(asking, identities, runtime);
  };
  secureAll();
  for (const server of [...servers, asking]) {
    server.on('secureConnection', (socket: Socket) => {
      const peer = peerOf(socket);
      const validation = asked.get(peer);
      if (validation && isCurrent(validation, identities.validationById)) noteValidation(socket, validation);
      finish(peer);
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

  /** The ClientHello has been put back. */
  function begin(socket: Socket, peer: string, serverName: string | undefined): void {
    const validation = identities.ownValidation(serverName);
    if (validation) asked.set(peer, validation);
    (validation ? asking : byName).emit('connection', socket);
  }

  return {
    take(socket) {
      const peer = peerOf(socket);
      handshakes.set(peer, socket);
      runtime.handshakes.waiting++;
      socket.on('close', () => finish(peer));
      if (identities.differs) readServerName(socket, runtime.settings, (serverName) => begin(socket, peer, serverName));
      else (identities.sameForAll ? forAnyName : byName).emit('connection', socket);
    },
    update(next) {
      const changed = next.fingerprint !== identities.fingerprint;
      identities = next;
      if (changed) secureAll();
      return changed;
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
function secure(server: Server, identities: Identities, runtime: Runtime): void {
  const { fallback, clientValidation, fingerprint, versions, ciphers } = identities;
  install(server, runtime, {
    ...fallback,
    ...(clientValidation && validated(clientValidation)),
    ...(ciphers !== undefined && { ciphers }),
    ...versions,
    sessionIdContext,
  });
  server.setTicketKeys(runtime.tickets.keys(fingerprint));
  Object.assign(server, {
    requestCert: clientValidation !== undefined,
    rejectUnauthorized: clientValidation?.mode === 'require',
  });
}

/**
 * For names that ask. No session is resumed: one that began under another name would bring along that its client was, or
 * was not, validated.
 */
function secureAsking(
  server: Server,
  { fallback, versions, ciphers, ownValidation }: Identities,
  runtime: Runtime,
): void {
  const validation = ownValidation(undefined);
  install(server, runtime, {
    ...fallback,
    ...(validation && validated(validation)),
    ...(ciphers !== undefined && { ciphers }),
    ...versions,
    secureOptions: constants.SSL_OP_NO_TICKET,
    sessionIdContext: `${sessionIdContext}-asking`,
  });
}

/** What cannot be used leaves the server without a certificate: handshakes fail that name nobody, and no process does. */
function install(server: Server, { reporter }: Runtime, options: SecureContextOptions): void {
  try {
    server.setSecureContext(options);
  } catch (error) {
    const message = `TLS of a listener: ${error instanceof Error ? error.message : String(error)}`;
    reporter.report(diagnostic('FW5202', { message }));
    const { sessionIdContext: context, secureOptions } = options;
    server.setSecureContext({ minVersion: MIN_TLS_VERSION, sessionIdContext: context, secureOptions });
  }
}

function validated({ ca, crl }: ClientValidation): { ca: string; crl?: string } {
  return { ca, ...(crl !== undefined && { crl }) };
}
