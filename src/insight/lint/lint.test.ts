/** What `fairway lint` says about whole Corefiles: the usual ones, and some with every mistake that it knows. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { corefileRules } from '../../base/diagnostics/corefile.ts';
import { packageRoot } from '../../base/package-root.ts';
import { lintCorefile, renderFindings } from './index.ts';

const golden = join(import.meta.dirname, 'golden');
const fixtures = join(packageRoot, 'src/dns/corefile/fixtures');
const resolvConf = 'nameserver 192.0.2.9\nsearch example.org\n';

const lint = (text: string, conf = resolvConf) =>
  lintCorefile(text, { file: 'Corefile', resolvConf: conf, environment: {} });
const codes = async (text: string, conf?: string) =>
  (await lint(text, conf)).map(({ code, position }) => `${position.line} ${code}`);

describe('the Corefile that everybody has', () => {
  it('of kubeadm has one finding: its insecure pods', async () => {
    const text = readFileSync(join(fixtures, 'kubeadm'), 'utf8');
    const line = text.split('\n').findIndex((one) => one.includes('pods insecure')) + 1;
    expect(line).toBeGreaterThan(0);
    expect(await codes(text)).toEqual([`${line} FW4150`]);
  });

  it('of kubeadm loops where the node uses the stub of systemd-resolved', async () => {
    const findings = await lint(readFileSync(join(fixtures, 'kubeadm'), 'utf8'), 'nameserver 127.0.0.53\n');
    const found = findings.find(({ code }) => code === 'FW4143');
    expect(found).toMatchObject({
      severity: 'warning',
      message: "/etc/resolv.conf names 127.0.0.53, systemd-resolved's stub",
      hint: expect.stringContaining('/run/systemd/resolve/resolv.conf'),
    });
  });

  it.each(['eks', 'aks', 'k3s', 'node-local'])('of %s has the findings that it deserves', async (name) => {
    const text = readFileSync(join(fixtures, name), 'utf8');
    await expect(renderFindings('Corefile', await lint(text))).toMatchFileSnapshot(join(golden, `${name}.txt`));
  });
});

const cases = readdirSync(golden).filter((name) => name.endsWith('.corefile'));

describe('a Corefile', () => {
  it.each(cases)('%s has the findings of its golden file', async (name) => {
    const text = readFileSync(join(golden, name), 'utf8');
    const conf = name === 'loops.corefile' ? 'nameserver 127.0.0.53\nnameserver 192.0.2.53\n' : resolvConf;
    const found = renderFindings('Corefile', await lint(text, conf));
    await expect(found).toMatchFileSnapshot(join(golden, name.replace('.corefile', '.txt')));
  });

  it('has every finding that there is somewhere in these files', () => {
    const all = readdirSync(golden)
      .filter((name) => name.endsWith('.txt'))
      .map((name) => readFileSync(join(golden, name), 'utf8'))
      .join('\n');
    const seen = Object.keys(corefileRules).filter((code) => all.includes(code));
    // FW4120 ends a run and has tests of its own below.
    expect(seen).toEqual(Object.keys(corefileRules).filter((code) => code !== 'FW4120'));
  });

  it('without fault has no finding', async () => {
    expect(renderFindings('Corefile', await lint(readFileSync(join(golden, 'good.corefile'), 'utf8')))).toBe(
      'Corefile: no findings',
    );
  });

  it.each([
    ['. {\n whoami\n', 1, 'Unexpected end of file'],
    ['. {\n import /nowhere/file\n}', 2, 'File to import not found'],
    ['', 1, 'there is no server block'],
  ])('%j that cannot be read has one error with its place', async (text, line, message) => {
    const findings = await lint(text);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ code: 'FW4120', severity: 'error', message: expect.stringContaining(message) });
    expect(findings[0]!.position.line).toBe(line);
  });
});

describe('single rules', () => {
  const cluster = (lines: string) => `. {\nerrors\nhealth {\nlameduck 5s\n}\nready\nreload\n${lines}\n}`;

  it.each<[string, string, string[]]>([
    [
      'kubernetes without fallthrough does not hide forward',
      'kubernetes cluster.local\nforward . 192.0.2.1\ncache',
      ['8 FW4152'],
    ],
    [
      'a second forward is reached with next',
      'cache\nforward . 192.0.2.1 {\nnext NXDOMAIN\n}\nforward . 192.0.2.2',
      [],
    ],
    [
      'a second forward is reached for what the first excepts',
      'cache\nforward . 192.0.2.1 {\nexcept a.test\n}\nforward a.test 192.0.2.2',
      [],
    ],
    ['a longer zone after a shorter one', 'cache\nforward . 192.0.2.1\nforward a.test 192.0.2.2', ['10 FW4140']],
    ['a template for one type hides nothing', 'template IN AAAA . {\nrcode NXDOMAIN\n}\nwhoami', []],
    ['a template for all types does', 'template ANY ANY {\nrcode NXDOMAIN\n}\nwhoami', ['11 FW4140']],
    ['hosts with fallthrough for some zones', 'hosts {\nfallthrough a.test\n}\nforward a.test 192.0.2.1\ncache', []],
    [
      'reverse zones that fall through',
      'kubernetes cluster.local in-addr.arpa {\nfallthrough\n}\nforward . 192.0.2.1\ncache',
      [],
    ],
    [
      'reverse zones that do not',
      'kubernetes cluster.local in-addr.arpa {\nfallthrough cluster.local\n}\nforward . 192.0.2.1\ncache',
      ['8 FW4151'],
    ],
    ['a loopback server of its own', 'cache\nforward . 127.0.0.1:5300', []],
    ['this very server', 'cache\nforward . 127.0.0.1', ['9 FW4144']],
    ['IPv6 loopback', 'cache\nforward . [::1]:53', ['9 FW4144']],
    ['a health page elsewhere', 'kubernetes cluster.local in-addr.arpa\nready :9999', ['9 FW4161']],
  ])('%s', async (_, lines, expected) => {
    const text = cluster(lines).replace(/^ready$/m, lines.includes('ready :') ? '' : 'ready');
    expect((await codes(text)).filter((one) => !one.endsWith('FW4123'))).toEqual(expected);
  });

  it('a block for a longer zone takes it from the others, on the same listener only', async () => {
    const text = (key: string) =>
      `. {\nerrors\ncache\nforward a.test 192.0.2.1\nforward . 192.0.2.2\n}\n${key} {\nwhoami\n}\n`;
    expect(await codes(text('a.test'))).toEqual(['4 FW4134']);
    expect(await codes(text('test'))).toEqual(['4 FW4134']);
    expect(await codes(text('a.test:54'))).toEqual([]);
    expect(await codes(text('x.a.test'))).toEqual([]);
  });
});

describe('whatever is written', () => {
  const words = [
    ...[
      '.',
      '{',
      '}',
      '\n',
      '\n',
      'a.test',
      'cluster.local',
      'kubernetes',
      'forward',
      'hosts',
      'template',
      'cache',
      'view',
    ],
    ...[
      'expr',
      'true',
      'pods',
      'insecure',
      'fallthrough',
      '192.0.2.1',
      '/etc/resolv.conf',
      'bind',
      '30',
      'import',
      '(a)',
    ],
    ...[
      '10.0.0.0/9',
      'IN',
      'ANY',
      'match',
      '.*',
      '"',
      '#',
      'tls://',
      ':53',
      'whoami',
      'rewrite',
      'denial',
      'except',
      'x',
    ],
  ];
  it('lint ends with findings in order, never with an exception', async () => {
    const text = fc.array(fc.constantFrom(...words), { maxLength: 40 }).map((parts) => parts.join(' '));
    await fc.assert(
      fc.asyncProperty(text, async (source) => {
        const lines = (await lint(source)).map(({ position }) => position.line);
        return lines.every((line, i) => i === 0 || lines[i - 1]! <= line);
      }),
      { numRuns: 300 },
    );
  });
});
