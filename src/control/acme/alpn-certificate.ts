/** The certificate that proves a name by TLS-ALPN-01 (RFC 8737 section 3): self-signed, with a digest inside. */
import { createHash } from 'node:crypto';
import { keyToPem, newKey } from './csr.ts';

const acmeIdentifier = '1.3.6.1.5.5.7.1.31';

const hourMs = 3_600_000;

export interface AlpnCertificate {
  /** PEM. */
  readonly chain: string;
  /** PEM. */
  readonly key: string;
}

/** `answer`: the key authorization. */
export async function createAlpnCertificate(host: string, answer: string): Promise<AlpnCertificate> {
  const { writeSelfSigned } = await import('../x509.ts');
  const key = newKey();
  const now = Date.now();
  const chain = await writeSelfSigned(key, {
    subject: 'ACME challenge',
    names: [host],
    notBefore: now - hourMs,
    notAfter: now + 7 * 24 * hourMs,
    criticalExtension: { id: acmeIdentifier, value: identifierOf(answer) },
  });
  return { chain, key: keyToPem(key) };
}

/** OCTET STRING of 32 bytes. */
function identifierOf(answer: string): Buffer {
  return Buffer.concat([Buffer.of(0x04, 32), createHash('sha256').update(answer).digest()]);
}
