/** A certificate that nobody vouches for, made by the process for itself: for names that have none (see TranslateInput). */
import type { Certificate } from '../routing/plan/plan.ts';
import { keyToPem, newKey } from './acme/csr.ts';

const subject = 'Fairway self-signed certificate';
/** Of no use as a name; ingress-nginx has it in its own. */
const host = 'ingress.local';

const dayMs = 86_400_000;
/** Longer than a process runs: nobody renews it. */
const lifetimeMs = 3_650 * dayMs;

/** `now`: milliseconds since the epoch. */
export async function createSelfSigned(now: number = Date.now()): Promise<Certificate> {
  const { writeSelfSigned } = await import('./x509.ts');
  const key = newKey();
  const names = [host];
  return {
    id: 'self-signed',
    chain: await writeSelfSigned(key, { subject, names, notBefore: now - dayMs, notAfter: now + lifetimeMs }),
    key: keyToPem(key),
    source: { object: { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', name: 'nginx' } },
  };
}
