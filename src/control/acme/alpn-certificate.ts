/** The certificate that proves a name by TLS-ALPN-01 (RFC 8737 section 3): self-signed, with a digest inside. */
import { createHash, randomBytes } from 'node:crypto';
import { ecdsaWithSha256, keyToPem, newKey, publicKeyInfo, signed, subjectAltName } from './csr.ts';
import { contextTag, encode, integer, octetString, oid, pem, sequence, tag, time } from './der.ts';

const ids = { acmeIdentifier: '1.3.6.1.5.5.7.1.31', commonName: '2.5.4.3' } as const;

const hourMs = 3_600_000;

/** Both in PEM. `answer`: the key authorization. */
export function createAlpnCertificate(host: string, answer: string): { readonly chain: string; readonly key: string } {
  const key = newKey();
  const critical = encode(tag.boolean, Buffer.from([0xff]));
  const hash = createHash('sha256').update(answer).digest();
  const identifier = sequence(oid(ids.acmeIdentifier), critical, octetString(octetString(hash)));
  const name = sequence(
    encode(tag.set, sequence(oid(ids.commonName), encode(tag.utf8, Buffer.from('ACME challenge')))),
  );
  const now = Date.now();
  const content = sequence(
    encode(contextTag(0), integer(Buffer.from([2]))),
    integer(randomBytes(16)),
    ecdsaWithSha256,
    name,
    sequence(time(now - hourMs), time(now + 7 * 24 * hourMs)),
    name,
    publicKeyInfo(key),
    encode(contextTag(3), sequence(subjectAltName([host]), identifier)),
  );
  return { chain: pem('CERTIFICATE', signed(content, key)), key: keyToPem(key) };
}
