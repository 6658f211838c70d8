/** What is said of the certificate that a client has shown (nginx $ssl_client_*). */
import { TLSSocket } from 'node:tls';
import type { Client } from '../exchange/wire.ts';

export interface CertificateFacts {
  /** PEM percent-encoded; '' without one. */
  readonly pem: string;
  /** `NONE`, `SUCCESS` or `FAILED:` and why. */
  readonly verify: string;
  readonly subject: string;
  readonly issuer: string;
}

const absent: CertificateFacts = { pem: '', verify: 'NONE', subject: '', issuer: '' };

/** A connection has one certificate for all its requests. */
const known = new WeakMap<TLSSocket, CertificateFacts>();

/** Over plain TCP, the same as without a certificate. */
export function certificateOf({ socket }: Pick<Client, 'socket'>): CertificateFacts {
  if (!(socket instanceof TLSSocket)) return absent;
  let facts = known.get(socket);
  if (!facts) {
    facts = readCertificate(socket);
    known.set(socket, facts);
  }
  return facts;
}

function readCertificate(socket: TLSSocket): CertificateFacts {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return absent;
  return {
    pem: encodeURIComponent(certificate.toString()),
    verify: socket.authorized ? 'SUCCESS' : `FAILED:${socket.authorizationError}`,
    subject: distinguishedName(certificate.subject),
    issuer: distinguishedName(certificate.issuer),
  };
}

/**
 * RFC 2253: last part first, with commas between them and, in the same order, pluses within one, and bytes beyond ASCII as `\C3\A9`. Node
 * writes a part to a line, escaped like that already but for such bytes.
 */
export function distinguishedName(lines: string | undefined): string {
  return (lines ?? '')
    .split('\n')
    .reverse()
    .map((part) => part.split(' + ').reverse().join('+'))
    .join(',')
    .replace(/[^\x20-\x7e]/gu, escapedBytes);
}

function escapedBytes(character: string): string {
  return [...Buffer.from(character)].map((byte) => `\\${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
