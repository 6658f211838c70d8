/**
 * Clients let in by their certificate (nginx ssl_verify_client), which the handshake has only asked for: what is wrong
 * with it is answered in HTTP, so that a client can be told.
 */
import { TLSSocket } from 'node:tls';
import { compileFinder } from '../../../routing/match/pattern.ts';
import type { ClientCertificateFilter } from '../../../routing/plan/plan.ts';
import { validationOf } from '../../tls/validated.ts';
import { intermediatesOf } from '../../upstream/certificate-check.ts';
import { certificateOf } from '../../values/certificate.ts';
import { refuseAll } from '../refuse-all.ts';
import type { CompiledFilter, Denial, FilterComplaint } from '../types.ts';

const flag = 'certificate_denied';

const missing: Denial = { status: 400, flag, reason: 'no client certificate was sent, and one is required' };
const invalid: Denial = { status: 400, flag, reason: 'the client certificate is not valid' };
const stranger: Denial = { status: 403, flag, reason: 'the client certificate is of somebody who is not let in' };
/** The client may try again over a connection that it makes for this host (RFC 9110 section 15.5.20). */
const elsewhere: Denial = {
  status: 421,
  flag: 'misdirected',
  reason: 'the connection was made for a host that asks for other client certificates',
};

/** What a certificate may have against it with mode `any`: only that nobody known has signed it. */
const unknownSigner = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

export function compileClientCertificate(filter: ClientCertificateFilter, complain: FilterComplaint): CompiledFilter {
  const { mode, validation, errorPage } = filter;
  const subject = filter.subject === undefined ? undefined : compileFinder(filter.subject);
  if (subject && !subject.ok) return refuseAll(`the pattern of the subject cannot be used: ${subject.error}`, complain);
  const denial = (plain: Denial): Denial =>
    errorPage === undefined ? plain : { ...plain, status: 302, lines: `Location: ${errorPage}\r\n` };
  const denials = { missing: denial(missing), invalid: denial(invalid) };
  return {
    gate({ client }) {
      const { socket } = client;
      // nginx verifies in handshakes only; who wants more redirects to HTTPS.
      if (!(socket instanceof TLSSocket)) return undefined;
      const asked = validationOf(socket);
      if (asked?.id !== validation) return elsewhere;
      const certificate = certificateOf(client);
      if (certificate.verify === 'NONE') return mode === 'required' ? denials.missing : undefined;
      const fault = faultOf(socket, asked.depth);
      if (fault !== undefined && !(mode === 'any' && unknownSigner.has(fault))) return denials.invalid;
      return subject && !subject.value.find(certificate.subject) ? stranger : undefined;
    },
  };
}

/** OpenSSL's name for what is wrong with the certificate shown. */
function faultOf(socket: TLSSocket, depth: number | undefined): string | undefined {
  if (!socket.authorized) return String(socket.authorizationError);
  return depth !== undefined && intermediatesOf(socket.getPeerCertificate(true)) > depth
    ? 'CERT_CHAIN_TOO_LONG'
    : undefined;
}
