/** The command line of `fairway lint`: what it prints and how it ends. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, expect, it, vi } from 'vitest';
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
