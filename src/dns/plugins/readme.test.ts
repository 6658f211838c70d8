/** The page of every plugin: its headings, and a server from every example. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { serveCorefile } from '../testing.ts';
import { pluginOrder } from './order.ts';

const served = pluginOrder.filter(({ setup }) => setup).map(({ name }) => name);
const pageOf = (name: string) => join(import.meta.dirname, name, 'README.md');
const headings = ['Name', 'Description', 'Syntax', 'Examples', 'Metrics', 'Bugs'];

/** Path without extension of a certificate and its key, made once. */
let made: string | undefined;
function certificate(): string {
  if (made) return made;
  made = join(mkdtempSync(join(tmpdir(), 'dns-tls-')), 'server');
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', '/CN=dns.test', '-keyout', `${made}.key`, '-out', `${made}.crt`],
    ],
    { stdio: 'ignore' },
  );
  return made;
}

describe('plugins', () => {
  it('are all in the one list', () => {
    const folders = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    // The front door's names are not for Corefiles.
    expect(
      folders
        .map(({ name }) => name)
        .filter((name) => name !== 'frontdoor')
        .sort(),
    ).toEqual([...served].sort());
    expect(new Set(pluginOrder.map(({ name }) => name)).size).toBe(pluginOrder.length);
  });
});

describe.each(served)('the page of %s', (name) => {
  it('is there, with all headings', () => {
    expect(existsSync(pageOf(name))).toBe(true);
    const found = [...readFileSync(pageOf(name), 'utf8').matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    expect(found).toEqual(headings);
  });

  it('has examples that start', async () => {
    const examples = [...readFileSync(pageOf(name), 'utf8').matchAll(/^```corefile\n([\s\S]*?)^```/gm)].map(
      ([, text]) => text!,
    );
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      expect(example).toContain(name);
      const text = example.includes('dns-tls') ? example.replaceAll('examples/dns-tls', certificate()) : example;
      const server = await serveCorefile(text, { address: '127.81.5.1', graceMs: 10 });
      expect(server.server.doors().length).toBeGreaterThan(0);
      await server.stop();
    }
  });
});
