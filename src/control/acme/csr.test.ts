/** Requests and certificates that we write, as openssl reads them. */
import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hasOpenssl } from '../../proxy/testing/certificates.ts';
import { createAlpnCertificate } from './alpn-certificate.ts';
import { createRequest, newKey } from './csr.ts';

const missing = hasOpenssl() ? undefined : 'there is no openssl';
if (missing) console.log(`requests and certificates as openssl reads them: skipped, ${missing}`);

const openssl = (args: readonly string[], input: string | Buffer) =>
  execFileSync('openssl', args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });

describe.skipIf(missing)('a signing request', () => {
  it('is signed, without a subject, for its names', async () => {
    const names = ['a.example.com', '*.example.com', ...Array.from({ length: 98 }, (_, i) => `host-${i}.example.org`)];
    const request = await createRequest(newKey(), names);
    const text = openssl(['req', '-inform', 'DER', '-noout', '-text', '-verify'], request);
    expect(text).toContain('Subject: \n');
    expect(text).toContain('id-ecPublicKey');
    expect(text).toContain(names.map((name) => `DNS:${name}`).join(', '));
  });
});

describe.skipIf(missing)('the certificate of TLS-ALPN-01', () => {
  it('has the name, and the digest in a critical extension', async () => {
    const { chain, key } = await createAlpnCertificate('a.example.com', 'token.thumbprint');
    const text = openssl(['x509', '-noout', '-text'], chain);
    expect(text).toContain('DNS:a.example.com');
    expect(text).toMatch(/1\.3\.6\.1\.5\.5\.7\.1\.31: critical\n/);
    const certificate = new X509Certificate(chain);
    // The extension's value, around the OCTET STRING of RFC 8737 section 3.
    const digest = createHash('sha256').update('token.thumbprint').digest();
    expect(certificate.raw.includes(Buffer.concat([Buffer.from('04220420', 'hex'), digest]))).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(Date.parse(certificate.validFrom)).toBeLessThan(Date.now());
  });
});
