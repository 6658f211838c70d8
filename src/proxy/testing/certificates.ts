/** Certificates for tests, made by openssl. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

export interface Authority {
  /** PEM. */
  readonly certificate: string;
  /** A certificate with subject CN=`id` for subject alternative names as openssl writes them, `DNS:a.example`. */
  issue(id: string, names: readonly string[]): Certificate;
  /** An authority that this one vouches for: what it issues comes with the certificates between the two. */
  intermediate(name: string): Authority;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** An authority of its own, which signs what it is asked to. */
export function authority(name: string): Authority {
  return authorityOf(makeRoot(name), '');
}

type Signer = Pick<Certificate, 'chain' | 'key'>;

/** `between`: what comes after the certificates that it issues. */
function authorityOf(signer: Signer, between: string): Authority {
  return {
    certificate: signer.chain,
    issue(id, names) {
      const issued = inFolder((folder) => sign(folder, signer, id, `subjectAltName=${names.join(',')}`));
      return { ...issued, chain: issued.chain + between };
    },
    intermediate(name) {
      const own = inFolder((folder) => sign(folder, signer, name, 'basicConstraints=critical,CA:TRUE'));
      return authorityOf(own, own.chain + between);
    },
  };
}

function makeRoot(name: string): Signer {
  const pem = openssl(['req', '-x509', ...newKey, '-days', '2', '-subj', `/CN=${name}`, '-keyout', '-', '-out', '-']);
  return { chain: partOf(pem, 'CERTIFICATE'), key: partOf(pem, 'PRIVATE KEY') };
}

function sign(folder: string, signer: Signer, id: string, extension: string): Certificate {
  const file = (part: string) => join(folder, part);
  writeFileSync(file('ca'), signer.chain);
  writeFileSync(file('ca-key'), signer.key);
  writeFileSync(file('ext'), `${extension}\n`);
  const request = openssl(['req', ...newKey, '-subj', `/CN=${id}`, '-keyout', '-', '-out', '-']);
  writeFileSync(file('csr'), request);
  const chain = openssl([
    ...['x509', '-req', '-in', file('csr'), '-CA', file('ca'), '-CAkey', file('ca-key'), '-days', '2'],
    ...['-CAcreateserial', '-CAserial', file('serial'), '-extfile', file('ext')],
  ]);
  return { id, chain: partOf(chain, 'CERTIFICATE'), key: partOf(request, 'PRIVATE KEY'), source };
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-ca-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function openssl(args: readonly string[]): string {
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

function partOf(pem: string, label: string): string {
  return new RegExp(`-----BEGIN ${label}-----[^]+?-----END ${label}-----\n`).exec(pem)![0];
}
