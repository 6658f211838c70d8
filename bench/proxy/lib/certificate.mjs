/** One certificate (ECDSA P-256) for all proxies. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { folder, read, write } from './stage.mjs';

export const serverName = 'bench.example';

/** Makes it: paths of key, chain, and both in one file (HAProxy). */
export function makeCertificate() {
  const key = join(folder, 'key.pem');
  const chain = join(folder, 'chain.pem');
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', `/CN=${serverName}`, '-addext', `subjectAltName=DNS:${serverName},DNS:*.${serverName}`],
      ...['-keyout', key, '-out', chain],
    ],
    { stdio: 'ignore' },
  );
  return { key, chain, both: write('both.pem', read(chain) + read(key)) };
}
