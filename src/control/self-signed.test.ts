import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { expect, it } from 'vitest';
import { createSelfSigned } from './self-signed.ts';

it('is a certificate with its key, signed by itself, and another one each time', async () => {
  const now = Date.parse('2026-11-23T00:00:00Z');
  const { chain, key, id } = await createSelfSigned(now);
  const certificate = new X509Certificate(chain);
  expect(id).toBe('self-signed');
  expect(certificate.subject).toBe('CN=Fairway self-signed certificate');
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(certificate.subjectAltName).toBe('DNS:ingress.local');
  expect(Date.parse(certificate.validFrom)).toBeLessThan(now);
  expect(Date.parse(certificate.validTo) - now).toBe(3_650 * 86_400_000);
  expect(() => createSecureContext({ cert: chain, key })).not.toThrow();
  expect((await createSelfSigned(now)).key).not.toBe(key);
});
