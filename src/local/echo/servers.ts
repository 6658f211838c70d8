/** What answers the connections of all echo Pods: looks at the first bytes and hands the socket to the right server. */
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { ServerCertificate } from './certificates.ts';
import { type EchoPort, remoteOf } from './connection.ts';
import { createDelays } from './delays.ts';
import { createHttp1Server } from './http1-server.ts';
import { createHttp2Server } from './http2-server.ts';
import { echoTcp, serveTcpTest } from './l4-echo.ts';
import type { EchoLimits } from './limits.ts';
import type { Speech } from './pod-ports.ts';
import { type ClientSpeech, sniff } from './sniff.ts';

export interface EchoServers {
  /** Answers a connection that was just accepted (paused, half-open). */
  accept(socket: Socket, port: EchoPort, speech: Speech, certificate: () => ServerCertificate | undefined): void;
  close(): void;
}

type Answer = (socket: Socket, port: EchoPort) => void;

export function createEchoServers(limits: EchoLimits): EchoServers {
  const delays = createDelays(limits.delayedRequests);
  const http1 = createHttp1Server(limits, delays);
  const http2 = createHttp2Server(limits, delays);
  const tcp: Answer = (socket, port) => echoTcp(socket, port, limits);
  const tcpTest: Answer = (socket, port) => serveTcpTest(socket, port, limits);
  const plain: Readonly<Record<Exclude<ClientSpeech, 'tls'>, Answer>> = { http1, http2, tcp };

  function bySniffing(socket: Socket, port: EchoPort, certificate: ServerCertificateOf): void {
    sniff(socket, limits, (speech) => {
      if (speech === 'tls') startTls(socket, port, certificate(), limits, afterTls);
      else plain[speech](socket, port);
    });
  }

  /** ALPN says what comes; without it the first bytes do. TLS within TLS is just bytes. */
  function afterTls(secure: Socket, port: EchoPort): void {
    if ((secure as TLSSocket).alpnProtocol === 'h2') http2(secure, port);
    else sniff(secure, limits, (speech) => (speech === 'tls' ? tcp : plain[speech])(secure, port));
  }

  return {
    accept(socket, port, speech, certificate) {
      // Whatever breaks a connection is the client's doing, or its leaving; the socket closes by itself.
      socket.on('error', () => socket.destroy());
      if (speech === 'tcp-test') tcpTest(socket, port);
      else if (speech === 'tls-test') startTls(socket, port, certificate(), limits, tcpTest);
      else bySniffing(socket, port, certificate);
    },
    close: delays.close,
  };
}

type ServerCertificateOf = () => ServerCertificate | undefined;

/** Time for a handshake, in ms. */
const handshakeMs = 10_000;

function startTls(
  socket: Socket,
  port: EchoPort,
  certificate: ServerCertificate | undefined,
  limits: EchoLimits,
  established: Answer,
): void {
  const server = certificate && createTlsServer(certificate, limits);
  if (!server) {
    const reason = certificate ? 'its certificate cannot be used' : 'the Pod has no certificate';
    port.log(`Refusing TLS from client (${remoteOf(socket)}): ${reason}`);
    socket.destroy();
    return;
  }
  server.once('tlsClientError', () => socket.destroy());
  server.once('secureConnection', (secure) => {
    secure.on('error', () => secure.destroy());
    secure.once('close', () => socket.destroy());
    // Go's VerifyClientCertIfGiven: none is fine, a bad one is not.
    if (certificate.clientCa && !secure.authorized && secure.getPeerX509Certificate()) secure.destroy();
    else established(secure, port);
  });
  server.emit('connection', socket);
}

/** A server for one connection, so that the certificate is always the one that the Secret holds now. */
function createTlsServer({ cert, key, clientCa }: ServerCertificate, limits: EchoLimits): Server | undefined {
  try {
    return createServer({
      cert,
      key,
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: Math.min(handshakeMs, limits.idleMs),
      ...(clientCa && { ca: clientCa, requestCert: true, rejectUnauthorized: false }),
    });
  } catch {
    // Not PEM, or key and certificate do not belong together.
    return undefined;
  }
}
