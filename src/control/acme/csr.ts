/** Certificate signing requests (RFC 2986) as ACME servers want them: no subject, the names as alternative names. */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { bitString, contextTag, encode, integer, octetString, oid, sequence, tag } from './der.ts';

const ids = {
  extensionRequest: '1.2.840.113549.1.9.14',
  subjectAltName: '2.5.29.17',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
} as const;

/** AlgorithmIdentifier of what `signed` signs with (RFC 5758 section 3.2). */
export const ecdsaWithSha256: Buffer = sequence(oid(ids.ecdsaWithSha256));

/** A new private key on P-256. */
export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** PKCS #8 in PEM: what TLS Secrets hold. */
export const keyToPem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

/** SubjectPublicKeyInfo of a private key. */
export const publicKeyInfo = (key: KeyObject): Buffer => createPublicKey(key).export({ type: 'spki', format: 'der' });

/** Extension with the names as dNSName (RFC 5280 section 4.2.1.6); internationalised ones in their A-label form. */
export function subjectAltName(names: readonly string[]): Buffer {
  const general = names.map((name) => encode(0x82, Buffer.from(name, 'latin1')));
  return sequence(oid(ids.subjectAltName), octetString(sequence(...general)));
}

/** What stands over a signature, with it: a PKCS #10 request or a certificate. */
export function signed(content: Buffer, key: KeyObject): Buffer {
  return sequence(content, ecdsaWithSha256, bitString(sign('sha256', content, key)));
}

/** In DER. `names`: host names, with `*.` before those of wildcards. */
export function createRequest(key: KeyObject, names: readonly string[]): Buffer {
  const extensions = sequence(oid(ids.extensionRequest), encode(tag.set, sequence(subjectAltName(names))));
  const content = sequence(
    integer(Buffer.from([0])),
    sequence(),
    publicKeyInfo(key),
    encode(contextTag(0), extensions),
  );
  return signed(content, key);
}
