/** A certificate that nobody vouches for, made by the process for itself: for names that have none (see TranslateInput). */
import { randomBytes } from 'node:crypto';
import type { Certificate } from '../routing/plan/plan.ts';
import { ecdsaWithSha256, keyToPem, newKey, publicKeyInfo, signed, subjectAltName } from './acme/csr.ts';
import { contextTag, encode, integer, oid, pem, sequence, tag, time } from './acme/der.ts';

const commonName = '2.5.4.3';
const subject = 'Fairway self-signed certificate';
/** Of no use as a name; ingress-nginx has it in its own. */
const host = 'ingress.local';

const dayMs = 86_400_000;
/** Longer than a process runs: nobody renews it. */
const lifetimeMs = 3_650 * dayMs;

export function createSelfSigned(now: number = Date.now()): Certificate {
  const key = newKey();
  const name = sequence(encode(tag.set, sequence(oid(commonName), encode(tag.utf8, Buffer.from(subject)))));
  const content = sequence(
    encode(contextTag(0), integer(Buffer.from([2]))),
    integer(randomBytes(16)),
    ecdsaWithSha256,
    name,
    sequence(time(now - dayMs), time(now + lifetimeMs)),
    name,
    publicKeyInfo(key),
    encode(contextTag(3), sequence(subjectAltName([host]))),
  );
  return {
    id: 'self-signed',
    chain: pem('CERTIFICATE', signed(content, key)),
    key: keyToPem(key),
    source: { object: { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', name: 'nginx' } },
  };
}
