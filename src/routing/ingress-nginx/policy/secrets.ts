/** What Secrets of ingress-nginx hold: PEM under well-known keys. */
import { X509Certificate } from 'node:crypto';
import { err, ok, type Result } from '../../../base/result.ts';
import type { Secret } from '../../../kube/types/index.ts';

/** Undefined: the Secret has no such key, or nothing under it. */
export function textIn({ data }: Secret, key: string): string | undefined {
  const encoded: unknown = data?.[key];
  return typeof encoded === 'string' && encoded !== '' ? Buffer.from(encoded, 'base64').toString('utf8') : undefined;
}

/** Certificates of one bundle; a whole machine's has about 150. */
const maxCertificates = 1_000;

/** The bundle under a key, or what is wrong with it: a clause about the Secret. */
export function certificatesIn(secret: Secret, key: string): Result<string, string> {
  const text = textIn(secret, key);
  if (text === undefined) return err(`has nothing under the key ${key}`);
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  if (!blocks) return err(`has no PEM certificate under the key ${key}`);
  if (blocks.length > maxCertificates) return err(`has more than ${maxCertificates} certificates under the key ${key}`);
  const bad = blocks.findIndex((block) => !isCertificate(block));
  return bad < 0
    ? ok(`${blocks.join('\n')}\n`)
    : err(`has a certificate under the key ${key} that cannot be read (number ${bad + 1})`);
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).fingerprint256 !== '';
  } catch {
    // What is wrong with it is in the words of OpenSSL, which help nobody.
    return false;
  }
}
