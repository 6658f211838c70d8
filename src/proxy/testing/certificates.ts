/** Self-signed certificates for tests, made by openssl. */
import { execFileSync } from 'node:child_process';
import type { Certificate } from '../../routing/plan/plan.ts';
import { source } from './plans.ts';

/** False where there is no openssl command. */
export function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A certificate whose subject is `name`, good for the DNS names given. */
export function selfSigned(id: string, name: string, names: readonly string[] = [name]): Certificate {
  const alternatives = names.map((one) => `DNS:${one}`).join(',');
  const pem = execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', `/CN=${name}`, '-addext', `subjectAltName=${alternatives}`, '-keyout', '-', '-out', '-'],
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const part = (label: string) => new RegExp(`-----BEGIN ${label}-----[^]+?-----END ${label}-----\n`).exec(pem)![0];
  return { id, chain: part('CERTIFICATE'), key: part('PRIVATE KEY'), source };
}
