/** The authorities that the machine trusts, as OpenSSL and Go look for them. */
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';

/** Where distributions keep their bundle. */
const bundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/**
 * PEM certificates: the file that SSL_CERT_FILE names, or else the first bundle found, or else the roots that Node.js
 * brings along, as in an image without any.
 */
export function systemRoots(env: NodeJS.ProcessEnv = process.env): string[] {
  const named = env.SSL_CERT_FILE;
  for (const file of named ? [named] : bundles) {
    const text = read(file);
    if (text !== undefined) return [text];
  }
  return [...rootCertificates];
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Not this distribution's place: the next one is tried.
    return undefined;
  }
}
