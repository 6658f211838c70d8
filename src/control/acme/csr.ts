/** Private keys, and signing requests for them as ACME servers want them: no subject, the names as alternative names. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';

/** A new private key on P-256. */
export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** PKCS #8 in PEM: what TLS Secrets hold. */
export const keyToPem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

/** In DER. `names`: host names, with `*.` before those of wildcards; internationalised ones in their A-label form. */
export async function createRequest(key: KeyObject, names: readonly string[]): Promise<Buffer> {
  const { writeRequest } = await import('../x509.ts');
  return writeRequest(key, names);
}
