/** The command line of `fairway lint`: what it prints and how it ends. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, expect, it, vi } from 'vitest';
import { packageRoot } from '../base/package-root.ts';
import { defineLint } from './lint.ts';

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

const folder = mkdtempSync(join(tmpdir(), 'lint-'));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function run(...args: string[]): Promise<{ text: string; code: unknown }> {
  let text = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  const command = new Command('lint').exitOverride();
  defineLint(command);
  await command.parseAsync(args, { from: 'user' });
  return { text, code: process.exitCode };
}

const good = file('good', '. {\n errors\n cache 30\n forward . 192.0.2.1\n}\n');
const remark = file('remark', 'example.org {\n errors\n cache 30\n forward . 192.0.2.1\n}\n');
const bad = file('bad', '. {\n forwrd . 192.0.2.1\n}\n');
const hostResolver = file('host', '. {\n errors\n cache\n loop\n forward . /etc/resolv.conf\n}\n');

it('ends with 0 for a good Corefile and for remarks, with 1 for errors and warnings', async () => {
  expect(await run(good)).toEqual({ text: `${good}: no findings\n`, code: 0 });
  expect(await run('--conf', remark)).toMatchObject({ text: expect.stringContaining('1 remark'), code: 0 });
  const broken = await run(bad);
  expect(broken.code).toBe(1);
  expect(broken.text).toContain(
    `${bad}:2:2: error FW4121 Unknown directive 'forwrd'; did you mean 'forward'?\n    why:`,
  );
});

it('prints findings as JSON', async () => {
  const { text } = await run(bad, '-o', 'json');
  expect(JSON.parse(text)).toMatchObject({
    file: bad,
    findings: [
      {
        ...{ code: 'FW4121', severity: 'error', position: { line: 2, column: 2 }, docs: 'docs/diagnostics.md#fw4121' },
        why: expect.stringContaining('does not start'),
        hint: expect.stringContaining('Correct the name'),
      },
    ],
  });
});

it('takes the resolv.conf of another machine', async () => {
  const node = file('resolv.conf', 'nameserver 127.0.0.53\n');
  expect((await run(hostResolver, '--resolv-conf', node)).text).toContain('FW4143');
  const plain = file('plain.conf', 'nameserver 192.0.2.1\n');
  expect((await run(hostResolver, '--resolv-conf', plain)).text).toContain('no findings');
});

it.each([
  [['/nowhere/Corefile'], 'cannot read /nowhere/Corefile'],
  [[good, '--conf', good], 'name the Corefile once'],
  [[good, '-o', 'xml'], '-o takes text or json'],
])('%j is wrong usage', async (args, message) => {
  await expect(run(...args)).rejects.toMatchObject({ message: expect.stringContaining(message), exitCode: 2 });
});

it.each([
  [['-f', 'x', '--conf', good], '--conf says nothing about objects: ask for one or the other'],
  [['-f', 'x', good], `the Corefile ${good} says nothing about objects: ask for one or the other`],
  [[good, '--configmap', 'a/b'], '--configmap says nothing about a Corefile: name manifests with -f, or an API'],
  [[folder, '--kubeconfig', good], `${folder} says nothing about an API: ask for one or the other`],
  [[good, '--controller-name', 'a.example/b'], '--controller-name says nothing about a Corefile'],
  [[good, '--no-adopt'], '--no-adopt says nothing about a Corefile: name manifests with -f, or an API'],
])('refuses %j', async (args, message) => {
  await expect(run(...args)).rejects.toThrow(message);
});

it('reads manifests with -f, and ends as with a Corefile', async () => {
  const route = 'apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: web}\nspec: {}\n';
  const path = file('route.yaml', route);
  const { text, code } = await run('-f', path);
  expect(code).toBe(1);
  expect(text).toMatch(
    /route\.yaml:4:\d+: warning FW3207 HTTPRoute default\/web: spec: the route names no Gateway; fix: Add the Gateway/,
  );
  expect(JSON.parse((await run('-f', path, '-o', 'json')).text)).toMatchObject({
    source: path,
    findings: expect.arrayContaining([expect.objectContaining({ code: 'FW3207', position: expect.anything() })]),
  });
});

it('takes a folder for manifests, and sums up what is there of ingress-nginx', async () => {
  const estate = join(packageRoot, 'examples/ingress-nginx');
  const { text, code } = await run(estate, '--enable-ssl-passthrough');
  expect(code).toBe(/^\S*: .*warning/m.test(text.slice(text.lastIndexOf(`${estate}:`))) ? 1 : 0);
  expect(text).not.toContain('--enable-ssl-passthrough is not set');
  expect(text).toMatch(/remarks\nIngresses of ingress-nginx: 20\n +\d+ run as they are\n/);
  expect(await run(estate)).toMatchObject({
    code: 1,
    text: expect.stringContaining('--enable-ssl-passthrough is not set'),
  });
  const told = JSON.parse((await run(estate, '-o', 'json', '--enable-ssl-passthrough')).text);
  expect(told).toMatchObject({ source: estate, ingressNginx: { ingresses: 20, withoutSome: 0, shut: [] } });
});

it('sums up in the form that docs/lint.md shows', async () => {
  const page = readFileSync(join(packageRoot, 'docs/lint.md'), 'utf8');
  const [shown = ''] = /^Ingresses of ingress-nginx: [^`]*/m.exec(page) ?? [];
  const { text } = await run(join(packageRoot, 'examples/ingress-nginx'));
  const form = (lines: string) =>
    lines
      .trim()
      .replace(/ *\d+/g, ' N')
      .replace(/:? (?:[a-z-]+ \( N\)(?:, )?)*…?$/gm, '');
  expect(form(text.slice(text.indexOf('Ingresses of ingress-nginx')))).toBe(form(shown));
});

it('ends with 1 where something that protects is refused', async () => {
  const path = file(
    'guarded.yml',
    `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: in, annotations: {nginx.ingress.kubernetes.io/auth-type: digest, nginx.ingress.kubernetes.io/auth-secret: users}}
spec:
  ingressClassName: nginx
  defaultBackend: {service: {name: web, port: {number: 80}}}
`,
  );
  const { text, code } = await run(path);
  expect(code).toBe(1);
  expect(text).toContain('guarded.yml:3:');
  expect(text).toMatch(/error FW5501 Ingress default\/in: .*1 with locations that answer 503, 1 of 1 in all/s);
});
