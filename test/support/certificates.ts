/** Certificates that sign themselves, made by openssl, as the Secrets that Ingresses and Gateways refer to. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Manifest } from './manifests.ts';

/** A Secret of type kubernetes.io/tls; the first host is the common name. */
export function certificateSecret(name: string, hosts: readonly string[], namespace = 'default') {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'));
  const [key, certificate] = [join(folder, 'tls.key'), join(folder, 'tls.crt')];
  const names = hosts.map((host) => `DNS:${host}`).join(',');
  const wanted = ['-subj', `/CN=${hosts[0]}`, '-addext', `subjectAltName=${names}`, '-days', '2'];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', ['req', ...kind, ...wanted, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  const base64 = (file: string) => readFileSync(file).toString('base64');
  const data = { 'tls.crt': base64(certificate), 'tls.key': base64(key) };
  rmSync(folder, { recursive: true });
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    type: 'kubernetes.io/tls',
    data,
  } as const satisfies Manifest;
}
