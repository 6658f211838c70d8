/** When a certificate is to be renewed: when its authority says (RFC 9773), else at two thirds of its life. */
import { createHash, X509Certificate } from 'node:crypto';
import type { RenewalInfo } from './resources.ts';

export interface Lifetime {
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Says which certificate it is. */
  readonly fingerprint: string;
}

/** Part of the lifetime after which a certificate is renewed, and up to how much sooner by chance. */
const share = { due: 2 / 3, jitter: 1 / 50, latest: 9 / 10 };

/** In [0, 1), by chance but always the same for one certificate: restarts neither hurry nor delay it. */
function chance(fingerprint: string): number {
  return createHash('sha256').update(fingerprint).digest().readUInt32BE() / 2 ** 32;
}

/** In milliseconds since the epoch. A window that the authority gives is kept to, as long as the certificate lasts. */
export function renewalTime({ notBefore, notAfter, fingerprint }: Lifetime, info?: RenewalInfo): number {
  const life = notAfter - notBefore;
  if (!info) return notBefore + life * (share.due - share.jitter * chance(fingerprint));
  const chosen = info.start + (info.end - info.start) * chance(fingerprint);
  return Math.min(chosen, notBefore + life * share.latest);
}

/**
 * What an authority knows a certificate by (RFC 9773 section 4.1): key identifier and serial number, base64url. `chain`:
 * PEM, the certificate first. Undefined for one that has no key identifier; rejects for one that cannot be read.
 */
export async function renewalId(chain: string): Promise<string | undefined> {
  const { authorityNamesOf } = await import('../x509.ts');
  const names = authorityNamesOf(new X509Certificate(chain).raw);
  return names && `${names.keyId.toString('base64url')}.${names.serial.toString('base64url')}`;
}
