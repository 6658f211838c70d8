/** Whether the certificate of a backend is for the one we mean (BackendTLSPolicy spec.validation, RFC 9525). */
import { checkServerIdentity, type DetailedPeerCertificate, type PeerCertificate } from 'node:tls';
import type { BackendTls, SubjectAltName } from '../../routing/plan/plan.ts';

/** As `checkServerIdentity` of node:tls: undefined when the certificate is the right one. */
export type CertificateCheck = (hostname: string, certificate: PeerCertificate) => Error | undefined;

type Wanted = Pick<BackendTls, 'serverName' | 'verifyName' | 'subjectAltNames' | 'depth'>;

/** The server name decides, unless there are alternative names: one of those must be in the certificate then. */
export function certificateCheck({ serverName, verifyName, subjectAltNames, depth }: Wanted): CertificateCheck {
  const byName = nameCheck(verifyName ?? serverName, subjectAltNames);
  if (depth === undefined) return byName;
  return (hostname, certificate) => {
    const between = intermediatesOf(certificate as DetailedPeerCertificate);
    if (between <= depth) return byName(hostname, certificate);
    return new Error(
      `there are ${between} certificates between that of the backend and the authority, more than ${depth}`,
    );
  };
}

/** Certificates between one and that of its authority. */
export function intermediatesOf(certificate: DetailedPeerCertificate): number {
  let issuers = 0;
  for (let at = certificate; at.issuerCertificate && at.issuerCertificate !== at; at = at.issuerCertificate) issuers++;
  return Math.max(0, issuers - 1);
}

function nameCheck(serverName: string, wanted: readonly SubjectAltName[]): CertificateCheck {
  if (wanted.length === 0) return (_hostname, certificate) => checkServerIdentity(serverName, certificate);
  const asked = wanted.map(({ type, value }) => `${type.toUpperCase()}:${value}`).join(', ');
  return (_hostname, { subjectaltname }) => {
    const had = alternativeNames(subjectaltname ?? '');
    if (wanted.some((one) => had.some((other) => fits(one, other)))) return undefined;
    return new Error(`the certificate has none of the names ${asked}; it has ${subjectaltname || 'none'}`);
  };
}

/** Node writes `DNS:a.example, URI:spiffe://b/c`, with odd values in JSON quotes so that a comma cannot make a name. */
function alternativeNames(text: string): SubjectAltName[] {
  const names: SubjectAltName[] = [];
  for (const [, type, quoted, plain] of text.matchAll(
    /(?:^|, )([A-Za-z ]+):(?:("(?:[^"\\]|\\.)*")|([^",]*))(?=, |$)/g,
  )) {
    const value = quoted === undefined ? plain! : unquote(quoted);
    if (type === 'DNS') names.push({ type: 'dns', value });
    else if (type === 'URI') names.push({ type: 'uri', value });
  }
  return names;
}

function unquote(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    // Not JSON after all: it stays as it is and equals no name that could be asked for.
    return text;
  }
}

function fits(wanted: SubjectAltName, had: SubjectAltName): boolean {
  if (wanted.type !== had.type) return false;
  if (wanted.type === 'uri') return wanted.value === had.value;
  const [a, b] = [wanted.value.toLowerCase(), had.value.toLowerCase()];
  return a === b || covers(a, b) || covers(b, a);
}

/** A star stands for the whole first label (RFC 9525 section 6.3). */
function covers(wildcard: string, name: string): boolean {
  const dot = name.indexOf('.');
  return wildcard.startsWith('*.') && dot > 0 && !name.startsWith('*') && name.slice(dot) === wildcard.slice(1);
}
