/** A connection to an echo Pod: whose it is travels with the socket, because all Pods share their servers. */
import type { Socket } from 'node:net';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { Identity } from './pod-identity.ts';

/** What the servers need to know of the Pod's port that a connection came to. */
export interface EchoPort {
  readonly port: number;
  readonly identity: Identity;
  /** Plain HTTP/1.1 is refused. */
  readonly h2cOnly: boolean;
  /** All HTTP answers have this status. */
  readonly status: number | undefined;
  /** Failures so far of the Pod's retry simulations, by uuid. */
  readonly retries: Map<string, number>;
  log(text: string): void;
}

/** The `tls` field of the conformance echo server's answer. */
export interface TlsAssertions {
  readonly version: string;
  readonly peerCertificates?: readonly string[];
  readonly serverName: string;
  readonly negotiatedProtocol?: string;
  readonly cipherSuite: string;
}

const owner = Symbol('echo port');
type OwnedSocket = Socket & { [owner]?: EchoPort };

export function setEchoPort(socket: Socket, port: EchoPort): void {
  (socket as OwnedSocket)[owner] = port;
}

/** Undefined only for sockets that were never given to a Pod. */
export function echoPortOf(socket: Socket): EchoPort | undefined {
  return (socket as OwnedSocket)[owner];
}

/** `127.0.0.1:40000`, as Go writes a remote address. */
export function remoteOf(socket: Socket): string {
  return `${socket.remoteAddress ?? ''}:${socket.remotePort ?? ''}`;
}

/** Facts of the TLS connection; undefined for a plain one. */
export function tlsAssertionsOf(socket: Socket): TlsAssertions | undefined {
  const secure = socket as TLSSocket;
  if (!secure.encrypted) return undefined;
  const certificates = pemChain(secure);
  return {
    version: secure.getProtocol() ?? '',
    ...(certificates.length > 0 && { peerCertificates: certificates }),
    serverName: typeof secure.servername === 'string' ? secure.servername : '',
    ...(secure.alpnProtocol && { negotiatedProtocol: secure.alpnProtocol }),
    cipherSuite: secure.getCipher()?.standardName ?? '',
  };
}

/** Longest chain of client certificates that is reported. */
const chainLimit = 10;

function pemChain(socket: TLSSocket): string[] {
  const chain: string[] = [];
  let certificate = socket.getPeerCertificate(true) as Partial<PeerCertificate> & {
    issuerCertificate?: PeerCertificate;
  };
  while (certificate?.raw && chain.length < chainLimit) {
    const lines = certificate.raw.toString('base64').match(/.{1,64}/g) ?? [];
    chain.push(`-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`);
    const issuer = certificate.issuerCertificate;
    if (!issuer || issuer === certificate) break;
    certificate = issuer;
  }
  return chain;
}
