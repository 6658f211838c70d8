/** docs/insight-dns.md and the examples of --help, pasted: the commands, over a `fairway dns` that runs. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/package-root.ts';
import { encodeQuery } from '../../src/dns/wire/ask.ts';
import type { Pod } from '../../src/kube/types/index.ts';
import { openManifestStore } from '../../src/local/manifest-store.ts';
import { canBind } from '../support/door.ts';

const fairway = join(packageRoot, 'bin/fairway.js');
const page = readFileSync(join(packageRoot, 'docs/insight-dns.md'), 'utf8');
const corefile = /```corefile\n([\s\S]*?)```/.exec(page)![1]!;
const address = '127.82.7.11';
const port = 5397;
const door = `http://${address}:9153`;

/** Commands with what they print, in the order of the page. */
const examples = [...page.matchAll(/```console\n([\s\S]*?)```/g)].flatMap(([, transcript]) =>
  [...transcript!.matchAll(/^\$ (.*)\n([\s\S]*?)(?=^\$ |$(?![\s\S]))/gm)].map(([, command, output]) => ({
    command: command!,
    output: output!,
  })),
);

let folder: string;
let server: ChildProcess | undefined;

interface Ran {
  code: number;
  output: string;
}

function run(command: string): Promise<Ran> {
  const args = command.replace(/^fairway /, '').split(' ');
  return new Promise((resolve) => {
    const env = { PATH: process.env['PATH'], HOME: folder, NO_COLOR: '1' };
    execFile(process.execPath, [fairway, ...args], { cwd: folder, env }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, output: stdout + stderr }),
    );
  });
}

async function startServer(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [fairway, 'dns', '--conf', 'Corefile', '--manifests', 'examples/front-door'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  await new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      text += chunk;
      if (text.includes('Fairway ')) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('exit', () => reject(new Error(text)));
  });
  return child;
}

/** Asks from an address, as a Pod does; resolves when as many answers have come. */
function askFrom(client: string, names: readonly string[]): Promise<void> {
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('answers are missing')), 5000);
    let open = names.length;
    socket.on('error', reject);
    socket.on('message', () => {
      open--;
      if (open > 0) return;
      clearTimeout(timer);
      socket.close(() => resolve());
    });
    socket.bind(0, client, () => {
      for (const name of names) socket.send(encodeQuery(name, 1), port, address);
    });
  });
}

async function podAddress(prefix: string): Promise<string> {
  const manifests = await openManifestStore({ paths: [join(packageRoot, 'examples/front-door')], onError: () => {} });
  const pod = manifests.store.list<Pod>('pods', 'default').find(({ metadata }) => metadata.name.startsWith(prefix));
  await manifests.close();
  return pod!.status!.podIP!;
}

const times = <T>(count: number, make: () => T[]): T[] => Array.from({ length: count }, make).flat();
const searched = (name: string) => ['default.svc.', 'svc.', ''].map((part) => `${name}.${part}cluster.local.`);
/** Without what depends on the moment: the time, and how long an answer of the cache holds. */
const still = (text: string) =>
  text
    .replace(/since \d{4}-[\d:.TZ-]+/g, 'since TIME')
    .replace(/by cache, TTL \d+/g, 'by cache, TTL N')
    .replace(/hit, \d+ s left([\s\S]*)\. \d+ A /g, 'hit, N s left$1. N A ')
    .trim();

describe.skipIf(!canBind)('what fairway dns tells', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'insight-'));
    writeFileSync(join(folder, 'Corefile'), corefile);
    symlinkSync(join(packageRoot, 'examples'), join(folder, 'examples'));
    server = await startServer();
    const web = await podAddress('web-frontend-');
    await askFrom(web, [...times(30, () => searched('www.example.com')), ...times(10, () => searched('example.org'))]);
  });
  afterAll(async () => {
    const ended = new Promise((resolve) => server?.on('exit', resolve));
    server?.kill('SIGTERM');
    if (server) await ended;
    rmSync(folder, { recursive: true });
  });

  it('has examples on its page', () => {
    expect(examples.map(({ command }) => command.split(' ').slice(0, 3).join(' '))).toEqual([
      'fairway get records',
      'fairway get records',
      'fairway lookup shop.example',
      'fairway lookup www.example.com.',
      'fairway lookup www.example.com.',
      'fairway get dns-waste',
    ]);
  });

  it('prints what the page shows', async () => {
    for (const { command, output } of examples)
      expect([command, still((await run(command)).output)]).toEqual([command, still(output)]);
  }, 60_000);

  it.each(['get records', 'get dns-waste', 'lookup'])('runs the examples of %s --help', async (command) => {
    const help = await run(`fairway ${command} --help`);
    const commands = help.output.split('\n').filter((line) => line.startsWith('  fairway '));
    expect(commands.length).toBeGreaterThanOrEqual(2);
    for (const line of commands) {
      // What stands for the default server is this one; without the option the server is named too.
      const named = line.trim().replace('http://127.0.0.1:9153', door);
      const waste = named.startsWith('fairway get dns-waste') && !named.includes('--server');
      const { code, output } = await run(waste ? `${named} --server ${door}` : named);
      expect([line, code, output]).toEqual([line, 0, expect.stringMatching(/\S/)]);
    }
  });

  it('gives programs the same', async () => {
    const waste = JSON.parse((await run(`fairway get dns-waste --server ${door} -o json`)).output);
    expect(waste).toMatchObject({
      ...{ queries: 120, stages: [40, 40, 40], dots: [0, 30, 90, 0, 0, 0] },
      autopath: { kind: 'autopath', saves: 120 },
      groups: [{ namespace: 'default', workload: 'Deployment/web-frontend', wasted: 120, sent: 160 }],
    });
    const none = JSON.parse((await run(`fairway get dns-waste --server ${door} -n shop -o json`)).output);
    expect(none).toMatchObject({ queries: 0, groups: [] });
    const records = JSON.parse((await run('fairway get records -A -f examples/front-door -o json')).output);
    expect(records.items).toContainEqual({
      ...{ name: 'mysql-0.mysql.default.svc.cluster.local.', type: 'A', ttl: 5, data: '127.244.32.21' },
      from: { apiVersion: 'v1', kind: 'Service', namespace: 'default', name: 'mysql' },
      endpoint: {
        slice: expect.stringMatching(/^mysql-/),
        target: { kind: 'Pod', namespace: 'default', name: 'mysql-0' },
      },
    });
    const traced = JSON.parse(
      (await run(`fairway lookup www.example.com. A --trace --dns-server ${door} -o json`)).output,
    );
    expect(traced.steps[0].queries[0].answer.trace).toMatchObject({ rcode: 'NOERROR', steps: expect.any(Array) });
  });

  it('shows the waste as metrics', async () => {
    const text = await (await fetch(`${door}/metrics`)).text();
    expect(text).toContain(
      'fairway_dns_search_waste_queries_total{namespace="default",workload="Deployment/web-frontend"} 120\n',
    );
  });

  it.each([
    ['fairway get records', 1, 'nothing to ask'],
    ['fairway get records -f examples/front-door -n nowhere', 0, 'No records found in nowhere namespace.'],
    ['fairway get records nope -f examples/front-door', 1, 'no Service nope in namespace default'],
    ['fairway get records -f examples/front-door -o yaml', 2, '-o takes table, wide or json'],
    ['fairway get records -f examples/front-door --conf missing', 1, 'cannot read the Corefile'],
    ['fairway get dns-waste --server http://127.82.7.11:1', 1, 'fairway up has no such door'],
    ['fairway get dns-waste --server nonsense', 1, 'not a URL: nonsense'],
    ['fairway get nothing', 2, "unknown command 'nothing'"],
    ['fairway lookup a --conf Corefile --pod default/x -f examples/front-door', 2, 'go with --trace'],
    ['fairway lookup a -f examples/front-door', 2, 'name a Pod with --pod'],
    ['fairway lookup a --trace --conf missing -f examples/front-door', 1, 'cannot read the Corefile'],
    ['fairway lookup a --trace --dns-server http://127.82.7.11:1', 1, 'cannot read http://127.82.7.11:1'],
  ])('%s ends with %i and says why', async (command, code, text) => {
    expect(await run(command)).toEqual({ code, output: expect.stringContaining(text) });
  });
});
