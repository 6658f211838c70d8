/** A server without `bind` on a machine with several addresses, asked from another machine: network namespaces. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNamespaces, type Namespace, namespacesFault } from '../support/namespaces.ts';

const root = join(import.meta.dirname, '../..');
const fault = namespacesFault('dig');
if (fault) console.warn(`skipped: ${fault}`);

/** The listeners of a Corefile alone, so that the program is whole in one file. */
const program = `
  import { createListeners } from './src/dns/server/listeners.ts';
  import { createResponder } from './src/dns/server/responder.ts';
  import { emptyAnswer } from './src/dns/wire/response.ts';
  const { handle } = createResponder({
    chain: () => ({ kind: 'answer', answer: emptyAnswer(0) }),
    recursionAvailable: false,
    onError: (error) => console.log(String(error)),
  });
  const plan = { name: 'dns://:5300', transport: 'dns', host: '', port: 5300, handle, limits: {} };
  const bound = await createListeners((wanted) => wanted).bind([plan]);
  console.log(bound.ok ? 'ready' : bound.error);
`;

const addresses = ['10.82.4.1', '10.82.4.2', 'fd00:82:4::1', 'fd00:82:4::2'];

describe.skipIf(fault)('a server with several addresses', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dns-multihomed-'));
  const namespaces = createNamespaces(`fwmh${process.pid}`);
  let host: Namespace;
  let client: Namespace;
  let child: ChildProcess;

  beforeAll(async () => {
    const outfile = join(folder, 'server.mjs');
    const require = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
    await build({
      stdin: { contents: program, resolveDir: root, loader: 'ts' },
      ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20', outfile, logLevel: 'error' },
      banner: { js: require },
    });
    host = namespaces.add('host');
    client = namespaces.add('client');
    const prefixed = (address: string) => `${address}/${address.includes(':') ? 64 : 24}`;
    namespaces.join(host, addresses.map(prefixed), client, ['10.82.4.9/24', 'fd00:82:4::9/64']);
    child = host.spawn(process.execPath, [outfile]);
    await new Promise<void>((resolve, reject) => {
      child.stdout!.on('data', (chunk) =>
        String(chunk).includes('ready') ? resolve() : reject(new Error(String(chunk))),
      );
      child.stderr!.on('data', (chunk) => reject(new Error(String(chunk))));
    });
  });
  afterAll(() => {
    namespaces.remove();
    rmSync(folder, { recursive: true });
  });

  const ask = (address: string) =>
    client.try('dig', `@${address}`, '-p', '5300', '+tries=1', '+time=1', '+noall', '+comments', 'a.test');

  it.each(addresses)('answers from %s when it was asked there', async (address) => {
    // IPv6 addresses are bound once the system has seen that nobody else has them.
    const deadline = performance.now() + 12_000;
    let seen = await ask(address);
    while (!seen.stdout.includes('NOERROR') && performance.now() < deadline) seen = await ask(address);
    expect(seen.stdout).toContain('status: NOERROR');
  });

  it('answers at an address that it gets later', async () => {
    host.run('ip', 'addr', 'add', '10.82.4.3/24', 'dev', host.run('sh', '-c', 'ls /sys/class/net | grep -v lo').trim());
    const deadline = performance.now() + 12_000;
    let seen = await ask('10.82.4.3');
    while (!seen.stdout.includes('NOERROR') && performance.now() < deadline) seen = await ask('10.82.4.3');
    expect(seen.stdout).toContain('status: NOERROR');
  });
});
