/**
 * The commands of code blocks in README and docs that begin with `fairway` (those with `npx fairway` are run by
 * test/e2e/up.test.ts, transcripts by the tests of their pages): each is started as written. Those that serve are
 * stopped once they do; those that need a cluster or a node must get as far as finding none.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/package-root.ts';

const fairway = join(packageRoot, 'bin/fairway.js');
const pages = ['README.md', ...readdirSync(join(packageRoot, 'docs')).map((name) => `docs/${name}`)];
const folder = mkdtempSync(join(tmpdir(), 'doc-examples-'));
symlinkSync(join(packageRoot, 'examples'), join(folder, 'examples'));
// On other ports: the README's example runs at the same time, from the file as it is.
const corefile = readFileSync(join(packageRoot, 'examples/dns/Corefile'), 'utf8');
writeFileSync(join(folder, 'Corefile'), corefile.replaceAll('127.0.0.1', '127.82.13.1'));
afterAll(() => rmSync(folder, { recursive: true }));

const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});

const examples = pages
  .filter((page) => page.endsWith('.md'))
  .flatMap((page) => {
    const blocks = readFileSync(join(packageRoot, page), 'utf8').match(/^```(?:sh)?\n[\s\S]*?^```/gm) ?? [];
    const lines = blocks.flatMap((block) => block.replaceAll('\\\n', ' ').split('\n'));
    return lines.filter((line) => line.startsWith('fairway ')).map((line) => [page, line] as const);
  });

/** What is said when there is no cluster or node of the kind that the command is for. */
const notHere: Readonly<Record<string, RegExp>> = {
  'dns-autoscaler': /KUBERNETES_SERVICE_HOST|cannot read \S*\.kube\/config/,
  gateway: /cannot read \S*\.kube\/config/,
  'node-cache': /Corefile\.base|KUBE_DNS_UPSTREAM_SERVICE_HOST/,
};

/** Addresses and ports beside those of other tests, of which some have the port of `--health` on addresses of theirs. */
const instance = 19;
const ownAddress = '--listen 127.77.91.1 --health 127.77.91.1:8082';

const end = (child: ChildProcess) => void child.kill('SIGTERM');

/** Runs to its end, or until it serves and `onReady` ends it. */
function run(line: string, onReady = end): Promise<{ code: number | null; output: string }> {
  const env = { PATH: process.env['PATH'], HOME: folder, NO_COLOR: '1' };
  const apart = line.startsWith('fairway up ') ? ` --instance ${instance}` : '';
  const words = line.slice('fairway '.length).replace('127.0.0.1:8001', `127.0.0.1:${8001 + instance}`);
  const command = `exec node ${fairway} ${words.replace('--listen 127.0.0.1', ownAddress)}${apart}`;
  const child = spawn('sh', ['-c', command], { cwd: folder, env });
  running.add(child);
  let output = '';
  const hear = (chunk: Buffer) => {
    output += chunk;
    if (/^Fairway (\d|is ready)|ready: http/m.test(output)) onReady(child);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  return new Promise((resolve) =>
    child.once('exit', (code) => {
      running.delete(child);
      resolve({ code, output });
    }),
  );
}

function runBesideApi(line: string): ReturnType<typeof run> {
  return new Promise((resolve) => {
    void run('fairway up examples/front-door --no-gateway', (api) => {
      void run(line).then((outcome) => {
        end(api);
        resolve(outcome);
      });
    });
  });
}

describe.skipIf(!existsSync(join(packageRoot, 'dist/main.js')))('examples of the documentation', () => {
  it('are there', () => {
    const commands = new Set(examples.map(([, line]) => line.split(' ')[1]));
    expect([...commands].sort()).toEqual(expect.arrayContaining(['dns', 'dns-autoscaler', 'lint', 'node-cache']));
  });

  it.each(examples)('%s: %s', async (_page, line) => {
    const command = line.split(' ')[1]!;
    // Such a line stands below the one that starts the API.
    const needsApi = line.includes('--server http://127.0.0.1:8001');
    const { code, output } = needsApi ? await runBesideApi(line) : await run(line);
    const missing = needsApi ? undefined : notHere[command];
    if (missing) expect(output).toMatch(missing);
    // `lint` has something to say about kubeadm's Corefile.
    expect([0, 1], output).toContain(code);
    if (!missing && command !== 'lint') expect(code, output).toBe(0);
  });
});
