import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { formatDiagnostic } from '../base/diagnostics/index.ts';
import { parseDataPlane, readDataPlaneFile } from './data-plane-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'data-plane-file-'));
afterAll(() => rmSync(folder, { recursive: true }));

function read(text: string) {
  const outcome = parseDataPlane('dp.yaml', text);
  if ('unread' in outcome) return formatDiagnostic(outcome.unread);
  return { options: outcome.options, findings: outcome.diagnostics.map(formatDiagnostic) };
}

describe('the file of --data-plane', () => {
  it('holds options in YAML and in JSON', () => {
    const options = { client: { headTimeoutMs: 10_000 }, relay: { bufferBytes: 131_072 }, zone: 'a' };
    const yaml = '# ours\nclient:\n  headTimeoutMs: 10s\nrelay: { bufferBytes: 128KiB }\nzone: a\nhttp2:\n';
    expect(read(yaml)).toEqual({ options, findings: [] });
    expect(read(JSON.stringify(options))).toEqual({ options, findings: [] });
    expect(read('')).toEqual({ options: {}, findings: [] });
    expect(read('# nothing\n')).toEqual({ options: {}, findings: [] });
  });

  it('tells of every fault with its place, and keeps the rest', () => {
    const yaml = `client:
  maxHeaders: 50
  headTimeout: 10s
  bodyTimeoutMs: soon
forwarded:
  trustedProxies:
    - 10.0.0.0/8
    - localhost
clients: {}
`;
    expect(read(yaml)).toEqual({
      options: { client: { maxHeaders: 50 }, forwarded: { trustedProxies: ['10.0.0.0/8'] } },
      findings: [
        'dp.yaml:3:3: error FW5010 client.headTimeout: there is no option of client of this name; did you mean client.headTimeoutMs?',
        'dp.yaml:4:3: error FW5010 client.bodyTimeoutMs: "soon" is not a time from 1ms to 24d: milliseconds, or as in 500ms, 10s, 1m30s',
        'dp.yaml:8:7: error FW5010 forwarded.trustedProxies[1]: "localhost" is not an address or CIDR; the entry is left out',
        'dp.yaml:9:1: error FW5010 clients: there is no section of this name; did you mean client?',
      ],
    });
    expect(read('- client\n')).toMatchObject({
      findings: [expect.stringMatching(/^dp.yaml:1:1: error FW5010 the doc/)],
    });
  });

  it.each([
    ['client: {', /^dp.yaml:1:\d+: error FW5009 /],
    ['client:\n  maxHeaders: 1\n  maxHeaders: 2\n', /^dp.yaml:3:\d+: error FW5009 .*duplicat/],
    ['zone: a\n---\nzone: b\n', /2 documents/],
    [`a: &a [1]\nb: &b [*a,*a]\n${'c: [*b]\n'.repeat(2)}`, /FW5009/],
  ])('is refused as a whole: %j', (text, finding) => expect(read(text)).toMatch(finding));

  it('is read from the disk, unless it is not there or too large', () => {
    const path = join(folder, 'dp.yaml');
    writeFileSync(path, 'zone: b\n');
    expect(readDataPlaneFile(path)).toEqual({ options: { zone: 'b' }, diagnostics: [] });
    writeFileSync(path, '#'.repeat(1_048_577));
    expect(readDataPlaneFile(path)).toMatchObject({ unread: { message: expect.stringContaining('limit') } });
    for (const none of [join(folder, 'none.yaml'), folder])
      expect(readDataPlaneFile(none)).toMatchObject({ unread: { code: 'FW5009', position: { file: none } } });
  });
});
