/** Hosts files as CoreDNS reads them: wildcards, zones, and what falls through. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { serveCorefile, type TestServer } from '../../testing.ts';

const open: TestServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.stop()));
});

async function serve(lines: string): Promise<TestServer> {
  const server = await serveCorefile(`. {\n${lines}\n}\n`, { address: '127.82.6.4' });
  open.push(server);
  return server;
}

describe('hosts', () => {
  it('gives names one label below a wildcard its addresses, unless they have their own', async () => {
    const server = await serve(
      'hosts /nowhere {\n 192.0.2.10 *.example.com\n 2001:db8::10 *.example.com\n 192.0.2.11 a.example.com\n}',
    );
    expect(await server.answers('a.example.com')).toBe('NOERROR a.example.com. 3600 A 192.0.2.11');
    expect(await server.answers('a.example.com', 'AAAA')).toBe('NOERROR');
    expect(await server.answers('Apps.example.com')).toBe('NOERROR Apps.example.com. 3600 A 192.0.2.10');
    expect(await server.answers('apps.example.com', 'AAAA')).toContain('2001:db8::10');
    expect(await server.answers('example.com')).toBe('SERVFAIL');
    expect(await server.answers('deep.apps.example.com')).toBe('SERVFAIL');
    expect(await server.answers('10.2.0.192.in-addr.arpa', 'PTR')).toBe('REFUSED');
  });

  it('leaves out names of other zones, also in PTR answers', async () => {
    const server = await serve('hosts /nowhere example.com {\n 192.0.2.10 a.example.com a.other.com\n}\nwhoami');
    expect(await server.answers('10.2.0.192.in-addr.arpa', 'PTR')).toBe(
      'NOERROR 10.2.0.192.in-addr.arpa. 3600 PTR a.example.com.',
    );
  });

  it('answers other types without records, or passes them on', async () => {
    const names = '192.0.2.10 a.test\n';
    expect(await (await serve(`hosts /nowhere {\n${names}}\nerratic`)).answers('a.test', 'TXT')).toBe('NOERROR');
    const passing = await serve(
      `hosts /nowhere {\n${names}fallthrough\nfallthrough_unsupported\n}\ntemplate IN TXT other {\n}\nerratic`,
    );
    expect(await passing.answers('a.test', 'TXT')).not.toContain('192.0.2.10');
    expect((await passing.ask('a.test', 'A')).answers).toHaveLength(1);
  });

  it('counts what it has by file', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'hosts-')), 'hosts');
    writeFileSync(file, '192.0.2.10 a.test b.test\n');
    const server = await serve(`hosts ${file} {\n 192.0.2.11 a.test\n}`);
    expect(server.server.metrics.expose()).toContain(`coredns_hosts_entries{hostsfile="${file}"} 6`);
    expect(await server.answers('a.test')).toBe('NOERROR a.test. 3600 A 192.0.2.10 a.test. 3600 A 192.0.2.11');
  });

  it.each([
    ['hosts /nowhere {\n fallthrough_unsupported\n}', 'Corefile:3: fallthrough_unsupported requires fallthrough'],
    ['hosts /nowhere {\n fallthrough\n 192.0.2.1 a.test\n}', "Corefile:4: unknown property '192.0.2.1' of hosts"],
    ['hosts /nowhere {\n ttl 0\n}', 'Corefile:3'],
    ['hosts /nowhere {\n reload -1s\n}', 'Corefile:3'],
  ])('%j is refused', async (lines, expected) => {
    await expect(serve(lines)).rejects.toThrow(expected);
  });
});
