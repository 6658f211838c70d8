/** Certificates in files, made by openssl: an authority, a server and a client that it signed, and a stranger. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export interface TlsFolder {
  /** `path('server')` has `.crt` and `.key`; so have `ca`, `client` and `stranger`. */
  path(name: string): string;
  /** Makes another certificate of the server, with this common name, in place of the one before. */
  renew(commonName: string): void;
  remove(): void;
}

export function makeTlsFolder(commonName: string): TlsFolder {
  const folder = mkdtempSync(join(tmpdir(), 'dns-tls-'));
  const path = (name: string) => join(folder, name);
  const sign = (name: string, subject: string, usage: string) => {
    const file = path(name);
    openssl('req', ...newKey, '-subj', `/CN=${subject}`, '-keyout', `${file}.key`, '-out', `${file}.csr`);
    writeFileSync(`${file}.ext`, `subjectAltName=DNS:${subject}\nextendedKeyUsage=${usage}\n`);
    const by = ['-CA', `${path('ca')}.crt`, '-CAkey', `${path('ca')}.key`, '-CAcreateserial'];
    openssl(
      'x509',
      '-req',
      '-in',
      `${file}.csr`,
      ...by,
      '-days',
      '2',
      '-extfile',
      `${file}.ext`,
      '-out',
      `${file}.crt`,
    );
  };
  const selfSign = (name: string) =>
    openssl('req', '-x509', ...newKey, '-subj', `/CN=${name}`, '-days', '2', ...out(path(name)));
  selfSign('ca');
  selfSign('stranger');
  sign('server', commonName, 'serverAuth');
  sign('client', 'client', 'clientAuth');
  return {
    path,
    renew: (name) => sign('server', name, 'serverAuth'),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

const out = (file: string): string[] => ['-keyout', `${file}.key`, '-out', `${file}.crt`];
