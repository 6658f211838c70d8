import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readKubeDnsConfig } from './configmap.ts';

describe('the kube-dns ConfigMap', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kube-dns-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function read(keys: Record<string, string | Buffer>) {
    for (const [key, text] of Object.entries(keys)) writeFileSync(join(folder, key), text);
    const config = readKubeDnsConfig(folder);
    return config.ok
      ? { stubs: Object.fromEntries(config.value.stubDomains), upstreams: config.value.upstreamNameservers }
      : config.error;
  }

  it.each([
    ['{}', {}],
    ['null', {}],
    ['{"foo.com": ["1.2.3.4"]}', { 'foo.com': ['1.2.3.4'] }],
    ['{"foo.com": ["1.2.3.4:32564"]}', { 'foo.com': ['1.2.3.4:32564'] }],
    ['{"a.local": ["[2001:db8::2]:10053", "2001:db8::3"]}', { 'a.local': ['[2001:db8::2]:10053', '2001:db8::3'] }],
  ])('has stub domains %s', (stubDomains, stubs) => {
    expect(read({ stubDomains })).toEqual({ stubs, upstreams: [] });
  });

  it.each(['[]', 'null', '["1.2.3.4", "8.8.4.4", "8.8.8.8"]', '["1.2.3.4:53", "[2001:db8::1]:53"]'])(
    'has upstream nameservers %s',
    (upstreamNameservers) => {
      expect(read({ upstreamNameservers })).toEqual({ stubs: {}, upstreams: JSON.parse(upstreamNameservers) ?? [] });
    },
  );

  it.each([
    ['stubDomains', '{"": ["1.2.3.4"]}', 'invalid domain name: ""'],
    ['stubDomains', '{"$$$$": ["1.2.3.4"]}', 'invalid domain name: "$$$$"'],
    ['stubDomains', '{"foo": ["$$$$"]}', 'stubDomains of foo: not an IP address'],
    ['stubDomains', '{"foo.com": ["ns.foo.com"]}', 'not an IP address, or one with a port: "ns.foo.com"'],
    ['stubDomains', '{"foo.com": ["1.2.3.4:65564"]}', 'not an IP address'],
    ['stubDomains', '{"foo.com": []}', 'names no nameserver'],
    ['stubDomains', '{"foo.com": "1.2.3.4"}', 'must be a list'],
    ['stubDomains', '["1.2.3.4"]', 'must be an object'],
    ['stubDomains', '{"foo.com": [', 'invalid JSON'],
    ['stubDomains', '', 'invalid JSON'],
    ['upstreamNameservers', '["1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"]', 'cannot have more than 3 entries'],
    ['upstreamNameservers', '["1.1.1.1:"]', 'not an IP address'],
    ['upstreamNameservers', '["1.1.1.1:0"]', 'not an IP address'],
    ['upstreamNameservers', '["cluster.local"]', 'not an IP address'],
    ['upstreamNameservers', '[4]', 'not an IP address'],
  ])('refuses %s %s', (key, text, reason) => {
    expect(read({ [key]: text })).toEqual(expect.stringContaining(reason));
  });

  it('is read as kubelet mounts it, with other keys passed over', () => {
    mkdirSync(join(folder, '..2026'));
    writeFileSync(join(folder, '..2026', 'stubDomains'), '{"foo.com": ["1.2.3.4"]}');
    symlinkSync('..2026', join(folder, '..data'));
    symlinkSync('..data/stubDomains', join(folder, 'stubDomains'));
    expect(read({ federations: 'x' })).toEqual({ stubs: { 'foo.com': ['1.2.3.4'] }, upstreams: [] });
  });

  it('is refused when it is no text, too large, or not there', () => {
    expect(read({ stubDomains: Buffer.from([0xff, 0xfe]) })).toContain('stubDomains');
    expect(read({ stubDomains: ' '.repeat(1024 * 1024 + 1) })).toContain('more than a ConfigMap can have');
    expect(readKubeDnsConfig(join(folder, 'nowhere')).ok).toBe(false);
    expect(readKubeDnsConfig(join(folder, 'stubDomains'))).toEqual({
      ok: false,
      error: expect.stringContaining('is not a directory'),
    });
  });
});
