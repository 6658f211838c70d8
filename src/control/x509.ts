/**
 * Certification requests and certificates (RFC 2986, RFC 5280), by the library for them. It takes some 100 ms to load: this
 * file is imported with `import()` only, by what writes or reads its first certificate.
 */
// First: the library keeps what it knows of ASN.1 types in metadata of classes.
import 'reflect-metadata';
import { createPublicKey, type KeyObject, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  Extension,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

const curve = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** The library signs with Web Crypto. */
async function webKeys(key: KeyObject) {
  const { subtle } = webcrypto;
  const secret = key.export({ type: 'pkcs8', format: 'der' });
  const known = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return {
    privateKey: await subtle.importKey('pkcs8', secret, curve, false, ['sign']),
    publicKey: await subtle.importKey('spki', known, curve, true, ['verify']),
  };
}

const namesExtension = (names: readonly string[]) =>
  new SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value })));

/** In DER; without a subject. `key`: on P-256. `names`: host names, with `*.` before those of wildcards. */
export async function writeRequest(key: KeyObject, names: readonly string[]): Promise<Buffer> {
  const keys = await webKeys(key);
  const extensions = [namesExtension(names)];
  const request = await Pkcs10CertificateRequestGenerator.create({ keys, signingAlgorithm, extensions });
  return Buffer.from(request.rawData);
}

export interface CertificateContent {
  /** Common name of subject and issuer. */
  readonly subject: string;
  readonly names: readonly string[];
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** `value`: DER. */
  readonly criticalExtension?: { readonly id: string; readonly value: Buffer };
}

/** In PEM, signed with the key that it is for, which is on P-256. */
export async function writeSelfSigned(key: KeyObject, content: CertificateContent): Promise<string> {
  const { subject, names, notBefore, notAfter, criticalExtension } = content;
  const extensions: Extension[] = [namesExtension(names)];
  if (criticalExtension) extensions.push(new Extension(criticalExtension.id, true, criticalExtension.value));
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [subject] }],
    notBefore: new Date(notBefore),
    notAfter: new Date(notAfter),
    keys: await webKeys(key),
    signingAlgorithm,
    extensions,
  });
  return `${certificate.toString('pem')}\n`;
}

/** What names a certificate to its authority. */
export interface AuthorityNames {
  /** Identifier of the authority's key. */
  readonly keyId: Buffer;
  /** Content of the serial number's INTEGER: with a zero before it where the first bit is set. */
  readonly serial: Buffer;
}

/** `certificate`: DER. Undefined for one without the identifier; throws at what the library cannot read. */
export function authorityNamesOf(certificate: Buffer): AuthorityNames | undefined {
  const { serialNumber, extensions } = new X509Certificate(certificate);
  const extension = extensions.find((each) => each instanceof AuthorityKeyIdentifierExtension);
  if (!extension?.keyId) return undefined;
  const serial = Buffer.from(serialNumber, 'hex');
  const zero = Buffer.alloc((serial[0] ?? 0) >= 0x80 ? 1 : 0);
  return { keyId: Buffer.from(extension.keyId, 'hex'), serial: Buffer.concat([zero, serial]) };
}
