/** `fairway dns --workers N` and `multisocket`: several processes, one server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { encodeQuery } from '../../src/dns/wire/ask.ts';
import { recordType } from '../../src/dns/wire/numbers.ts';

const root = join(import.meta.dirname, '../..');
const address = '127.82.8.1';
const secondAddress = '127.82.12.5';
const port = 5380;
const folder = mkdtempSync(join(tmpdir(), 'dns-workers-'));
const running: ChildProcess[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((child) => ended(child, 'SIGKILL')));
});

function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => {
    child.once('exit', resolve);
    child.kill(signal);
  });
}

const corefile = (more = '') => `.:${port} {
  bind ${address}
  ${more}
  health ${address}:8080 {
    lameduck 200ms
  }
  ready ${address}:8181
  prometheus ${address}:9153
  whoami
}
`;

function start(text: string, flags: readonly string[] = []) {
  const file = join(folder, 'Corefile');
  writeFileSync(file, text);
  const child = spawn(process.execPath, [join(root, 'bin/fairway.js'), 'dns', '--conf', file, ...flags]);
  running.push(child);
  let output = '';
  const ready = new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('Fairway ')) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${output}`)));
  });
  return { child, ready, output: () => output };
}

/** Sends queries from many sockets, as many at a time as a socket's buffer holds; how many were answered in time. */
async function ask(count: number): Promise<number> {
  if (count > 50) return (await ask(50)) + (await ask(count - 50));
  const answers = Array.from({ length: count }, async (_, i) => {
    const socket = createSocket('udp4');
    const answered = new Promise<number>((resolve) => {
      const timer = setTimeout(() => resolve(0), 3000);
      socket.once('message', () => {
        clearTimeout(timer);
        resolve(1);
      });
      socket.once('error', () => resolve(0));
    });
    socket.send(encodeQuery(`q${i}.test`, recordType.A, { id: i }), port, address);
    const result = await answered;
    socket.close();
    return result;
  });
  return (await Promise.all(answers)).reduce((sum, one) => sum + one, 0);
}

const page = async (at: string) => {
  const response = await fetch(`http://${address}:${at}`);
  return { status: response.status, text: await response.text() };
};

async function counted(): Promise<number> {
  const { text } = await page('9153/metrics');
  const line = text.split('\n').find((one) => /^coredns_dns_requests_total\{.*proto="udp".*type="A"/.test(one));
  return Number(line?.split(' ').at(-1) ?? 0);
}

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);

async function until(check: () => Promise<boolean> | boolean): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await check()) return;
    await new Promise((resume) => setTimeout(resume, 50));
  }
  throw new Error('it did not come to pass in 10 s');
}

describe.skipIf(process.platform !== 'linux')('several worker processes', () => {
  it('answer on one port, are counted as one, and stop gently as one', async () => {
    const { child, ready } = start(corefile(), ['--workers', '2']);
    await ready;
    await until(async () => (await page('8181/ready')).status === 200);
    expect(await ask(300)).toBe(300);
    expect(await counted()).toBe(300);
    expect(await page('8080/health')).toEqual({ status: 200, text: 'OK' });
    const exit = ended(child, 'SIGTERM');
    // Lame duck: no longer ready, still answering.
    await until(async () => (await page('8181/ready')).status === 503);
    expect(await ask(20)).toBe(20);
    expect(await exit).toBe(0);
  });

  it('lose no query when one of them ends by accident, and another takes its place', async () => {
    const { child, ready, output } = start(corefile('multisocket 2'));
    await ready;
    await until(async () => (await page('8181/ready')).status === 200);
    const [victim] = childrenOf(child.pid!);
    process.kill(victim!, 'SIGKILL');
    await until(() => !childrenOf(child.pid!).includes(victim!));
    expect(await ask(100)).toBe(100);
    await until(async () => (await page('9153/metrics')).text.includes('\nfairway_dns_workers 2'));
    expect(output()).toContain(`workers: process ${victim} ended with SIGKILL`);
    expect(await ask(100)).toBe(100);
    expect(await ended(child, 'SIGTERM')).toBe(0);
  });

  it('send one NOTIFY for all, also when the one that does is replaced', async () => {
    const secondary = createSocket('udp4');
    const heard: number[] = [];
    secondary.on('message', (packet, { port: from }) => {
      heard.push(performance.now());
      const answer = Buffer.from(packet);
      answer[2]! |= 0x80;
      secondary.send(answer, from, secondAddress);
    });
    await new Promise<void>((resolve) => secondary.bind(0, secondAddress, resolve));
    writeFileSync(join(folder, 'zone'), '@ 60 SOA ns host 1 3600 600 86400 30\n@ 60 NS ns\nns 60 A 192.0.2.1\n');
    const transfer = `transfer {\n    to ${secondAddress}:${secondary.address().port}\n    source ${secondAddress}\n  }`;
    const { child, ready } = start(corefile(`${transfer}\n  file zone notify.test`), ['--workers', '3']);
    await ready;
    await until(() => childrenOf(child.pid!).length === 3 && heard.length > 0);
    await until(async () => (await page('8181/ready')).status === 200);
    // Each looks at its zones once a second: the others would have told by now.
    await new Promise((resume) => setTimeout(resume, 1500));
    expect(heard).toHaveLength(1);
    process.kill(childrenOf(child.pid!)[0]!, 'SIGKILL');
    await until(() => heard.length === 2);
    await until(async () => (await page('9153/metrics')).text.includes('\nfairway_dns_workers 3'));
    await new Promise((resume) => setTimeout(resume, 1500));
    expect(heard).toHaveLength(2);
    expect(await ended(child, 'SIGTERM')).toBe(0);
    secondary.close();
  }, 30_000);

  it('end with the reason when the first cannot start', async () => {
    const { child, ready, output } = start(corefile('nonsense'), ['--workers', '3']);
    await expect(ready).rejects.toThrow('ended with 1');
    expect(output()).toMatch(/Corefile:3: Unknown directive 'nonsense'/);
    expect(child.exitCode).toBe(1);
  });
});
