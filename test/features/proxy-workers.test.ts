/** `fairway up --workers 2`: the command, its processes, and clients that know nothing of them. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/package-root.ts';
import { clusterConfigOf } from '../../src/local/config.ts';
import { canBind, eventually } from '../support/door.ts';

if (!canBind) console.log('skipped: the front door on its own addresses needs Linux and root');

const fairway = join(packageRoot, 'bin/fairway.js');
const example = join(packageRoot, 'examples/front-door');
const instance = 27;
const address = clusterConfigOf(instance).ingressAddress;
const run = promisify(execFile);

const workersOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);

const socketsOf = (pid: number): number =>
  readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;

/** Status of one request on a connection of its own. */
async function curl(scheme: 'http' | 'https' = 'http'): Promise<string> {
  const { stdout } = await run('curl', [
    ...['-sk', '-o', '/dev/null', '-w', '%{http_code}', '--max-time', '5'],
    ...['--connect-to', `api.example.com::${address}:`, `${scheme}://api.example.com/v1/workers`],
  ]);
  return stdout;
}

describe.skipIf(!canBind)('fairway up --workers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'proxy-workers-'));
  const log = join(folder, 'access.log');
  const events: Record<string, unknown>[] = [];
  let child: ChildProcess;
  let pid: number;
  let metricsUrl: string;

  beforeAll(async () => {
    const flags = ['--workers', '2', '--instance', String(instance), '--api-port', '0', '--dns-port', '0'];
    const telling = ['--metrics', '127.77.9.8:0', '--access-log', log];
    child = spawn(process.execPath, [fairway, 'up', example, '--json', '--no-watch', ...flags, ...telling], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const lines = text.split('\n');
      text = lines.pop()!;
      for (const line of lines) events.push(JSON.parse(line) as Record<string, unknown>);
    });
    const [ready] = await eventually(
      () => events,
      ([event]) => event !== undefined,
      20_000,
    );
    pid = child.pid!;
    metricsUrl = ready!['metrics'] as string;
  });
  afterAll(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  async function figure(series: string): Promise<number> {
    const page = await (await fetch(metricsUrl)).text();
    const line = page.split('\n').find((one) => one.startsWith(`${series} `));
    return line === undefined ? Number.NaN : Number(line.split(' ').at(-1));
  }

  /** Lines of the access log about requests of `curl`. */
  function answered(): number {
    const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
    const records = lines.map((line) => JSON.parse(line) as { target: string; status: number });
    return records.filter(({ target, status }) => target === '/v1/workers' && status === 200).length;
  }

  it('serves HTTP and HTTPS from both processes, and counts them as one', async () => {
    const workers = workersOf(pid);
    expect(workers).toHaveLength(2);
    const before = workers.map(socketsOf);
    const clients: Socket[] = [];
    for (let i = 0; i < 40; i++) {
      const client = connect(80, address);
      await new Promise((done) => client.once('connect', done));
      clients.push(client);
      await new Promise((done) => setTimeout(done, 5));
    }
    await eventually(
      () => workers.map((worker, i) => socketsOf(worker) - before[i]!),
      ([one = 0, two = 0]) => one + two === 40 && one > 0 && two > 0,
    );
    for (const client of clients) client.destroy();
    const statuses = await Promise.all(Array.from({ length: 10 }, (_, i) => curl(i % 2 === 0 ? 'http' : 'https')));
    expect(new Set(statuses)).toEqual(new Set(['200']));
    const listener = `listener="${address}:80/HTTP"`;
    await eventually(
      () => figure(`fairway_proxy_connections_total{${listener}}`),
      (count) => count === 45,
    );
    expect(await figure('fairway_proxy_workers')).toBe(2);
  });

  it('goes on without one of them, says so, and has another soon', async () => {
    const [victim, other] = workersOf(pid);
    // What a killed worker has not sent yet would be missing.
    await eventually(answered, (count) => count === 10);
    process.kill(victim!, 'SIGKILL');
    for (let i = 0; i < 5; i++) expect(await curl()).toBe('200');
    await eventually(
      () => figure('fairway_proxy_workers'),
      (count) => count === 2,
    );
    const now = workersOf(pid);
    expect(now).toHaveLength(2);
    expect(now).toContain(other);
    expect(now).not.toContain(victim);
    const crash = { code: 'FW5230', message: `worker process ${victim} ended by SIGKILL` };
    await eventually(
      () => events.filter(({ event }) => event === 'diagnostic').map(({ diagnostic }) => diagnostic),
      (findings) => findings.some((one) => (one as typeof crash).message === crash.message),
    );
    expect(await figure('fairway_proxy_worker_ends_total')).toBe(1);
    await eventually(answered, (count) => count === 15);
    process.kill(other!, 'SIGKILL');
    expect(await curl()).toBe('200');
  });

  it('ends with all of them, and has logged every request on a line of its own', async () => {
    await eventually(
      () => workersOf(pid).length,
      (count) => count === 2,
    );
    const workers = workersOf(pid);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    for (const worker of workers) expect(() => process.kill(worker, 0)).toThrow('ESRCH');
    expect(answered()).toBe(16);
  });
});

describe('fairway up --workers, wrong', () => {
  it.each(['65', '1.5'])('refuses %j', async (value) => {
    const failed = await run(process.execPath, [fairway, 'up', example, `--workers=${value}`]).then(
      () => undefined,
      (error: { code: number; stderr: string }) => error,
    );
    expect(failed?.code).toBe(2);
    expect(failed?.stderr).toContain('worker processes are a number from 0 (none of its own) to 64');
  });
});
