/** A certificate that is renewed while the server runs. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, describe, expect, it } from 'vitest';
import { bindTcp } from '../../server/tcp.ts';
import { clientAuth, createTls } from './tls.ts';

const folder = mkdtempSync(join(tmpdir(), 'dns-tls-'));
afterAll(() => rmSync(folder, { recursive: true }));
const paths = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
const read = () => ({ cert: readFileSync(paths.cert), key: readFileSync(paths.key) });

function makeCertificate(commonName: string): void {
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const wanted = ['-subj', `/CN=${commonName}`, '-keyout', paths.key, '-out', paths.cert];
  execFileSync('openssl', ['req', ...kind, ...wanted], { stdio: 'ignore' });
}

function servedName(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.82.4.7', port, rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

async function until<T>(look: () => T | Promise<T>, wanted: T): Promise<void> {
  while ((await look()) !== wanted) await new Promise((resume) => setTimeout(resume, 5));
}

describe('tls', () => {
  it('serves a renewed certificate, and the one before while the files are no good', async () => {
    makeCertificate('first.test');
    const lines: string[] = [];
    const { plugin, identity } = createTls({
      ...{ paths, first: read(), auth: clientAuth.nocert, lookEveryMs: 10 },
      log: (level, text) => lines.push(`${level} ${text}`),
    });
    const bound = await bindTcp(
      () => undefined,
      { address: '127.82.4.7', port: 0 },
      {},
      () => identity,
    );
    if (!bound.ok) throw bound.error;
    await plugin.start?.();
    const { port } = bound.value;
    expect(await servedName(port)).toBe('first.test');
    makeCertificate('second.test');
    await until(() => servedName(port), 'second.test');
    expect(lines.at(-1)).toBe(`info the certificate ${paths.cert} was read again`);
    writeFileSync(paths.cert, 'half a certif');
    await until(() => lines.at(-1)?.startsWith('error the certificate'), true);
    const said = lines.length;
    await new Promise((resume) => setTimeout(resume, 60));
    expect(lines).toHaveLength(said);
    expect(await servedName(port)).toBe('second.test');
    await plugin.close?.();
    await bound.value.close();
  });
});
