/** Several worker processes as one data plane, with real processes, sockets and signals. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createMetricsRegistry } from '../../base/metrics.ts';
import { type LogFormat, listenerId, type Plan } from '../../routing/plan/plan.ts';
import type { ProxyOptions } from '../options.ts';
import { askFront } from '../testing/ask.ts';
import { endpoint, host, listener, planOf, route } from '../testing/plans.ts';
import { dial, listenRaw } from '../testing/sockets.ts';
import type { WorkerCommand } from './crew.ts';
import { bundleWorker, createWorkersFront, removeBundles, until, type WorkersFront } from './testing.ts';
import type { WorkersOptions } from './workers.ts';

const front = '127.77.9.1';
const behind = '127.77.9.2';
const PORT = 8080;
const id = listenerId(front, PORT, 'HTTP');
const linux = process.platform === 'linux';

let command: WorkerCommand;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  command = await bundleWorker();
});
afterAll(removeBundles);
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function open(options: ProxyOptions = {}, more: Partial<WorkersOptions> = {}): WorkersFront {
  const made = createWorkersFront(options, { count: 2, command, ...more });
  ends.push(() => made.proxy.close(0));
  return made;
}

async function app(address = behind, text = 'hello') {
  const server = await listenRaw(address, PORT, (socket) =>
    socket.on('data', () => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`)),
  );
  ends.push(server.close);
  return server;
}

const forward = (more = {}): Plan => planOf([listener(front, PORT, [host('*', [route(more)])])]);

async function ready(options: ProxyOptions = {}, more: Partial<WorkersOptions> = {}): Promise<WorkersFront> {
  await app();
  const made = open(options, more);
  await made.endpoints({ app: [endpoint(behind, PORT)] });
  await made.plan(forward());
  return made;
}

/** Value of a series of the page. */
async function figure(made: WorkersFront, series: string): Promise<number> {
  const page = await made.proxy.metricsPage('');
  const line = page.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? Number.NaN : Number(line.split(' ').at(-1));
}

const kill = (pid: number | undefined, signal: NodeJS.Signals = 'SIGKILL') => process.kill(pid!, signal);
const pause = (ms: number) => new Promise((go) => setTimeout(go, ms));

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Asks on new connections, one after the other, until told to stop; gives what became of each. */
function steadily(): () => Promise<string[]> {
  const results: string[] = [];
  let going = true;
  const done = (async () => {
    while (going) {
      await askFront(front, PORT).then(
        ({ status }) => results.push(String(status)),
        (error: Error) => results.push(error.message),
      );
    }
    return results;
  })();
  return () => {
    going = false;
    return done;
  };
}

describe.skipIf(!linux)('a data plane of two workers', () => {
  it('serves, changes and stops serving as one', async () => {
    const made = await ready();
    expect(made.proxy.pids()).toHaveLength(2);
    const answers = await Promise.all(Array.from({ length: 40 }, () => askFront(front, PORT)));
    expect(answers.map(({ body }) => body)).toEqual(Array.from({ length: 40 }, () => 'hello'));
    await app('127.77.9.3', 'other');
    const report = await made.endpoints({ app: [endpoint('127.77.9.3', PORT)] });
    expect(report.listeners).toEqual({ [id]: { bound: true } });
    for (let i = 0; i < 20; i++) expect((await askFront(front, PORT)).body).toBe('other');
    await made.plan(forward({ action: { type: 'respond', status: 418, reason: 'test' } }));
    for (let i = 0; i < 20; i++) expect((await askFront(front, PORT)).status).toBe(418);
    await made.plan(planOf([]));
    await expect(dial(front, PORT)).rejects.toThrow('ECONNREFUSED');
  });

  it('loses one worker without refusing a connection, and the other never notices', async () => {
    const made = await ready();
    const held = [];
    for (let i = 0; i < 30; i++) {
      const client = await dial(front, PORT);
      client.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
      await client.until('hello');
      held.push({ client, isOpen: true });
    }
    for (const one of held) {
      const close = () => {
        one.isOpen = false;
      };
      one.client.socket.on('end', close).on('close', close);
    }
    const stops = [steadily(), steadily(), steadily()];
    await pause(150);
    const [victim, other] = made.proxy.pids();
    kill(victim);
    await until(() => !made.proxy.pids().includes(victim!) && made.proxy.pids().length === 2, 'another worker serves');
    await pause(150);
    const results = (await Promise.all(stops.map((stop) => stop()))).flat();
    expect(made.proxy.pids()).toContain(other);
    expect(results.filter((one) => one === '200').length).toBeGreaterThan(50);
    const lost = results.filter((one) => one !== '200');
    // At most the connection that each of the three had with it; no answer but the right one, and nobody is refused.
    expect(lost.length).toBeLessThanOrEqual(3);
    expect(lost.filter((one) => /REFUSED|timed out|^[0-9]+$/.test(one))).toEqual([]);
    const survivors = held.filter(({ isOpen }) => isOpen);
    expect(survivors.length).toBeGreaterThan(0);
    expect(survivors.length).toBeLessThan(30);
    for (const { client } of survivors) {
      client.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
      await client.until((text) => text.split('hello').length === 3);
      client.socket.destroy();
    }
    expect(made.findings).toEqual([`FW5230 worker process ${victim} ended by SIGKILL`]);
  });

  it('loses all workers, and connections wait for others', async () => {
    const made = await ready();
    for (const pid of made.proxy.pids()) kill(pid);
    expect((await askFront(front, PORT)).status).toBe(200);
    await until(() => made.proxy.pids().length === 2, 'two serve again');
  });

  it('puts a plan in force without a worker that hangs, and ends that one', async () => {
    const made = await ready({}, { hungMs: 1_000 });
    const [victim] = made.proxy.pids();
    kill(victim, 'SIGSTOP');
    await made.plan(forward({ action: { type: 'respond', status: 418, reason: 'test' } }));
    expect(made.proxy.pids()).not.toContain(victim);
    expect(made.findings).toEqual([`FW5230 worker process ${victim} ended by SIGKILL`]);
    expect((await askFront(front, PORT)).status).toBe(418);
  });

  it('ends a worker that hangs though nothing changes', async () => {
    const made = await ready({}, { hungMs: 500 });
    const [victim] = made.proxy.pids();
    kill(victim, 'SIGSTOP');
    await until(() => made.proxy.pids().length === 2 && !made.proxy.pids().includes(victim!), 'another serves');
    expect(made.findings).toEqual([`FW5230 worker process ${victim} ended by SIGKILL`]);
    // Those that have nothing to tell are asked, and not ended.
    const pids = made.proxy.pids();
    await pause(1_200);
    expect(made.proxy.pids()).toEqual(pids);
  });

  it('says which listeners are not bound, and tries them again with the next plan', async () => {
    const blocker = createServer();
    await new Promise<void>((done) => blocker.listen(8090, front, done));
    const both = planOf([listener(front, PORT, [host('*', [route()])]), listener(front, 8090, [host('*', [route()])])]);
    const made = open();
    const other = listenerId(front, 8090, 'HTTP');
    const { listeners } = await made.plan(both);
    expect(listeners).toEqual({
      [id]: { bound: true },
      [other]: { bound: false, error: `listen EADDRINUSE: address already in use ${front}:8090` },
    });
    expect(made.findings.filter((one) => one.startsWith('FW5201'))).toHaveLength(1);
    await new Promise((done) => blocker.close(done));
    expect((await made.plan({ ...both })).listeners).toEqual({ [id]: { bound: true }, [other]: { bound: true } });
    expect((await askFront(front, 8090)).status).toBe(503);
  });

  it('reports a plan as not served when no worker can be had, and starts them more and more slowly', async () => {
    const broken = await bundleWorker('process.exit(3)');
    const made = open({}, { command: broken, count: 1, restartMs: 50 });
    const { listeners } = await made.plan(forward());
    expect(listeners).toEqual({
      [id]: { bound: false, error: 'no worker process runs: the last ended with exit code 3' },
    });
    const began = performance.now();
    await until(() => made.findings.length >= 5, 'it is tried again');
    // After the second, third and fourth end: 50, 100 and 200 ms.
    expect(performance.now() - began).toBeGreaterThan(300);
    expect(new Set(made.findings.map((one) => one.replace(/process [0-9]+/, 'process')))).toEqual(
      new Set(['FW5230 worker process ended with exit code 3']),
    );
  });
});

describe.skipIf(!linux)('workers that hang from the start', () => {
  it('are ended more and more slowly, and the plan is reported as not served', async () => {
    const silent = await bundleWorker(`process.on('message', () => {}); process.send({ kind: 'online' });`);
    const made = open({}, { command: silent, count: 1, hungMs: 150, soonMs: 100, restartMs: 10 });
    const { listeners } = await made.plan(forward());
    expect(listeners).toEqual({
      [id]: { bound: false, error: 'no worker process runs: the last ended by SIGKILL' },
    });
  });
});

describe.skipIf(!linux)('what two workers tell', () => {
  it('is summed: metrics, records, and findings once', async () => {
    const metrics = createMetricsRegistry();
    const made = await ready({ metrics, forwarded: { trustedProxies: ['nonsense'] } });
    for (let i = 0; i < 60; i++) await askFront(front, PORT);
    const served = `fairway_proxy_connections_total{listener="${id}"}`;
    await until(async () => (await figure(made, served)) === 60, 'all connections are counted');
    const client = await dial(front, PORT);
    await until(async () => (await figure(made, `fairway_proxy_connections_open{listener="${id}"}`)) === 1, 'open');
    expect(await figure(made, 'fairway_proxy_plan_generation')).toBe(2);
    expect(await figure(made, 'fairway_proxy_access_log_dropped_total')).toBe(0);
    expect(metrics.expose()).toContain('\nfairway_proxy_workers 2\n');
    await until(() => made.access.length >= 60, 'all records have come');
    const [victim] = made.proxy.pids();
    kill(victim, 'SIGSTOP');
    const began = performance.now();
    expect(await figure(made, served)).toBe(61);
    expect(performance.now() - began).toBeGreaterThan(400);
    expect(performance.now() - began).toBeLessThan(3_000);
    kill(victim);
    await until(() => !made.proxy.pids().includes(victim!) && made.proxy.pids().length === 2, 'another serves');
    expect(await figure(made, served)).toBe(61);
    expect(metrics.expose()).toContain('\nfairway_proxy_worker_ends_total 1\n');
    client.socket.destroy();
    await made.proxy.close(0);
    expect(made.access.filter(({ status }) => status === 200)).toHaveLength(60);
    expect(made.findings.filter((one) => one.startsWith('FW5205'))).toHaveLength(1);
  });
});

describe.skipIf(!linux)('lines of the access log that two workers make', () => {
  it('come in the order of the requests of each connection', async () => {
    await app();
    const made = open({ accessLines: true });
    await made.endpoints({ app: [endpoint(behind, PORT)] });
    const logFormat: LogFormat = { parts: ['uri=', { of: 'fact', fact: 'uri' }], escape: 'default' };
    await made.plan(planOf([listener(front, PORT, [host('*', [route()])], { logFormat })]));
    const ask = async (name: string) => {
      const client = await dial(front, PORT);
      for (let i = 1; i <= 40; i++) {
        client.send(`GET /${name}/${i} HTTP/1.1\r\nHost: a.example\r\n\r\n`);
        await client.until((text) => text.split('hello').length === i + 1);
      }
      client.socket.destroy();
    };
    await Promise.all(['a', 'b', 'c', 'd'].map(ask));
    await until(() => made.access.length === 160, 'all records have come');
    for (const name of ['a', 'b', 'c', 'd']) {
      const lines = made.access.map(({ line }) => line!).filter((line) => line.startsWith(`uri=/${name}/`));
      expect(lines).toEqual(Array.from({ length: 40 }, (_, i) => `uri=/${name}/${i + 1}`));
    }
  });
});

describe.skipIf(!linux)('the end of two workers', () => {
  it('lets requests in flight finish, accepts no more, and tells of all of them', async () => {
    const slow = await listenRaw(behind, PORT, (socket) =>
      socket.on('data', () => setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow'), 300)),
    );
    ends.push(slow.close);
    const made = open();
    await made.endpoints({ app: [endpoint(behind, PORT)] });
    await made.plan(forward());
    const pids = made.proxy.pids();
    const asked = Array.from({ length: 10 }, () => askFront(front, PORT));
    await until(() => slow.accepted() === 10, 'all are in flight');
    const closed = made.proxy.close(3_000);
    await pause(100);
    await expect(dial(front, PORT)).rejects.toThrow('ECONNREFUSED');
    expect((await Promise.all(asked)).map(({ body }) => body)).toEqual(Array.from({ length: 10 }, () => 'slow'));
    await closed;
    expect(pids.filter(runs)).toEqual([]);
    expect(made.access).toHaveLength(10);
    expect(made.findings).toEqual([]);
  });

  it('gives them all of their time, also when they owe an answer', async () => {
    const slow = await listenRaw(behind, PORT, (socket) =>
      socket.on('data', () => setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow'), 900)),
    );
    ends.push(slow.close);
    const made = open({}, { hungMs: 400 });
    await made.endpoints({ app: [endpoint(behind, PORT)] });
    await made.plan(forward());
    const asked = askFront(front, PORT);
    await until(() => slow.accepted() === 1, 'it is in flight');
    made.proxy.send({ type: 'endpoints', generation: 9, changed: { other: [] } });
    await made.proxy.close(5_000);
    expect((await asked).body).toBe('slow');
  });

  it('comes at its deadline, also for a worker that hangs', async () => {
    const silent = await listenRaw(behind, PORT, () => {});
    ends.push(silent.close);
    const made = open({}, { closeMs: 200 });
    await made.endpoints({ app: [endpoint(behind, PORT)] });
    await made.plan(forward());
    const pids = made.proxy.pids();
    kill(pids[0], 'SIGSTOP');
    const asked = askFront(front, PORT).then(
      () => 'answered',
      (error: Error) => error.message,
    );
    await until(() => silent.accepted() === 1, 'it is in flight');
    const began = performance.now();
    await made.proxy.close(300);
    expect(performance.now() - began).toBeGreaterThan(290);
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(pids.filter(runs)).toEqual([]);
    expect(await asked).toContain('closed');
  });

  it('follows when the control process dies', async () => {
    const whole = await bundleWorker(`
      import { runProxyWorker } from './worker.ts';
      import { createProxyWorkers } from './workers.ts';
      if (process.argv[2] === 'worker') {
        await runProxyWorker();
        process.exit();
      }
      const proxy = createProxyWorkers({}, { count: 2, command: { file: process.argv[1], args: ['worker'] } });
      proxy.onReport(() => console.log(JSON.stringify(proxy.pids())));
      proxy.send({ type: 'plan', generation: 1, plan: ${JSON.stringify(forward())}, bindings: {} });`);
    const child: ChildProcess = spawn(process.execPath, [whole.file], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pids = await new Promise<number[]>((resolve) =>
      child.stdout!.once('data', (text: Buffer) => resolve(JSON.parse(text.toString()) as number[])),
    );
    expect(pids.filter(runs)).toHaveLength(2);
    for (const pid of pids) kill(pid, 'SIGTERM');
    await pause(50);
    // Signals are the control process's to act on; a group gets them all at once.
    expect(pids.filter(runs)).toHaveLength(2);
    child.kill('SIGKILL');
    await until(() => pids.filter(runs).length === 0, 'the workers have ended');
    await expect(dial(front, PORT)).rejects.toThrow('ECONNREFUSED');
  });
});
