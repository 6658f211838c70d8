/** Requests and certificates that we write, as openssl reads them. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasOpenssl } from '../../proxy/testing/certificates.ts';
import { createAlpnCertificate } from './alpn-certificate.ts';
import { createRequest, newKey } from './csr.ts';
import { elementsOf, encode, integer, oid, pem, tag, time } from './der.ts';

const missing = hasOpenssl() ? undefined : 'there is no openssl';
if (missing) console.log(`requests and certificates as openssl reads them: skipped, ${missing}`);

const openssl = (args: readonly string[], input: string | Buffer) =>
  execFileSync('openssl', args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });

describe.skipIf(missing)('a signing request', () => {
  it('is signed, without a subject, for its names', () => {
    const names = ['a.example.com', '*.example.com', ...Array.from({ length: 98 }, (_, i) => `host-${i}.example.org`)];
    const request = pem('CERTIFICATE REQUEST', createRequest(newKey(), names));
    const text = openssl(['req', '-noout', '-text', '-verify'], request);
    expect(text).toContain('Subject: \n');
    expect(text).toContain('id-ecPublicKey');
    expect(text).toContain(names.map((name) => `DNS:${name}`).join(', '));
  });
});

describe.skipIf(missing)('the certificate of TLS-ALPN-01', () => {
  it('has the name, and the digest in a critical extension', () => {
    const { chain, key } = createAlpnCertificate('a.example.com', 'token.thumbprint');
    const text = openssl(['x509', '-noout', '-text'], chain);
    expect(text).toContain('DNS:a.example.com');
    expect(text).toMatch(/1\.3\.6\.1\.5\.5\.7\.1\.31: critical\n/);
    const certificate = new X509Certificate(chain);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(key).toContain('BEGIN PRIVATE KEY');
    expect(Date.parse(certificate.validFrom)).toBeLessThan(Date.now());
  });
});

describe.skipIf(missing)('der', () => {
  const parsed = (bytes: Buffer) => openssl(['asn1parse', '-inform', 'DER'], bytes);

  it.each(['1.3.6.1.5.5.7.1.31', '2.5.29.17', '1.2.840.113549.1.9.14', '1.2.840.10045.4.3.2'])('writes %s', (text) => {
    expect(openssl(['asn1parse', '-inform', 'DER', '-oid', '/dev/null'], oid(text))).toMatch(/OBJECT/);
    expect(oid(text)[0]).toBe(tag.oid);
  });

  it('writes numbers that are not negative', () => {
    expect(parsed(integer(Buffer.from([0])))).toMatch(/INTEGER +:00/);
    expect(parsed(integer(Buffer.from([0, 0, 0x80])))).toMatch(/INTEGER +:80/);
  });

  it('writes times with two digits for the year until 2049', () => {
    expect(parsed(time(Date.UTC(2049, 11, 31)))).toContain('UTCTIME           :491231000000Z');
    expect(parsed(time(Date.UTC(2050, 0, 1)))).toContain('GENERALIZEDTIME   :20500101000000Z');
  });

  it('reads what it has written, of any length', () => {
    const content = fc.uint8Array({ maxLength: 70_000 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.array(content, { maxLength: 4 }), (contents) => {
        const bytes = Buffer.concat(contents.map((each) => encode(tag.octetString, each)));
        expect(elementsOf(bytes)?.map((each) => each.content)).toEqual(contents);
      }),
      { numRuns: 30 },
    );
  });

  it('never throws at bytes that are none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const found = elementsOf(Buffer.from(bytes));
        expect((found ?? []).every(({ content }) => content.length <= bytes.length)).toBe(true);
      }),
    );
  });
});
