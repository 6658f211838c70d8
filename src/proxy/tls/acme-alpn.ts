/**
 * TLS-ALPN-01 (RFC 8737): a client that offers `acme-tls/1` and nothing else, for a name with an open challenge, gets the
 * certificate of that challenge and no service. All others go on as if nobody had looked.
 */
import type { Socket } from 'node:net';
import { createSecureContext, createServer, type SecureContext } from 'node:tls';
import type { Plan } from '../../routing/plan/plan.ts';
import type { Runtime } from '../runtime.ts';
import { readHello } from './client-names.ts';

export interface AlpnChallenges {
  /** Reads the ClientHello of a connection; `other` gets it back, unread, when it is not one of ours. */
  take(socket: Socket, other: (socket: Socket) => void): void;
}

const protocol = 'acme-tls/1';

/** Undefined when no challenge is open, so that connections cost nothing more then. */
export function compileAlpnChallenges(plan: Plan, runtime: Runtime): AlpnChallenges | undefined {
  const names = Object.entries(plan.challenges?.tlsAlpn ?? {});
  if (names.length === 0) return undefined;
  const contexts = new Map<string, SecureContext>();
  for (const [name, id] of names) {
    const certificate = plan.certificates[id];
    if (certificate) contexts.set(name, createSecureContext({ cert: certificate.chain, key: certificate.key }));
  }
  const server = createServer({
    ALPNProtocols: [protocol],
    handshakeTimeout: runtime.settings.client.tlsHandshakeTimeoutMs,
    SNICallback: (name, done) => done(null, contexts.get(name)),
  });
  // RFC 8737 section 3: with the handshake everything is said.
  server.on('secureConnection', (socket) => socket.on('error', ignoreError).end());
  server.on('tlsClientError', (_error, socket) => socket.destroy());

  return {
    take(socket, other) {
      runtime.handshakes.waiting++;
      const left = () => void runtime.handshakes.waiting--;
      socket.once('close', left);
      readHello(socket, runtime.settings, (hello) => {
        socket.off('close', left);
        left();
        const isOurs = hello?.protocols.length === 1 && hello.protocols[0] === protocol;
        if (isOurs && contexts.has(hello.serverName ?? '')) server.emit('connection', socket);
        else other(socket);
      });
    },
  };
}

/** What an error means is said by the close that follows it. */
function ignoreError(): void {}
