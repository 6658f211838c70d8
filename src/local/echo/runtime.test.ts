import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as delay, setImmediate as macrotask } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createStore } from '../../kube/store/store.ts';
import { createBindPolicy } from '../../service/bind.ts';
import { createSocketRoom } from '../../service/socket-room.ts';
import type { PodState } from '../runtime.ts';
import { echoPod, startRuntime } from './testing.ts';

const at = (host: number, port = 8080) => `http://127.78.14.${host}:${port}/`;

describe('echo runtime', () => {
  it('runs a Pod once it has an address, follows its changes, and stops it', async () => {
    const { runtime, states, run } = startRuntime();
    const waiting = echoPod('web-1', '127.78.14.1');
    runtime.ensure({ ...waiting, status: {} });
    await macrotask();
    expect(states.size).toBe(0);
    await run(waiting);
    expect(states.get('shop/web-1')).toEqual([{ type: 'running' }]);
    expect((await fetch(at(1))).status).toBe(200);

    const more = echoPod('web-1', '127.78.14.1', {
      containers: [{ name: 'main', ports: [{ containerPort: 8080 }, { containerPort: 8081 }] }],
    });
    runtime.ensure(more);
    await delay(20);
    expect((await fetch(at(1, 8081))).status).toBe(200);
    const open = connect({ host: '127.78.14.1', port: 8080 });
    await once(open, 'connect');
    runtime.remove('shop/web-1');
    await once(open, 'close');
    expect(states.get('shop/web-1')!.at(-1)).toEqual({ type: 'stopped' });
    await expect(fetch(at(1))).rejects.toThrow();
    expect(runtime.logs('shop/web-1')).toBeUndefined();
    await runtime.close();
  });

  it('says which address and port fails and why, and runs once the port is free', async () => {
    const holder = createServer().listen(8080, '127.78.14.2');
    await once(holder, 'listening');
    const { runtime, states, run } = startRuntime({ limits: { retryMs: 30 } });
    const two = [{ containerPort: 8080 }, { containerPort: 8081 }];
    await run(echoPod('web-1', '127.78.14.2', { containers: [{ name: 'main', ports: two }] }));
    const [first] = states.get('shop/web-1') as [PodState & { message: string }];
    expect(first.type).toBe('failing');
    expect(first.message).toMatch(/^cannot listen on 127\.78\.14\.2:8080\/TCP: the port is already in use/);
    if (process.platform === 'linux') expect(first.message).toContain(`pid ${process.pid}`);
    expect((await fetch(at(2, 8081))).status).toBe(200);
    await new Promise((resolve) => holder.close(resolve));
    await delay(100);
    expect(states.get('shop/web-1')!.slice(1)).toEqual([{ type: 'running' }]);
    await runtime.close();
  });

  it('opens all ports of a Pod or none, and those of one that waits as soon as there is room', async () => {
    const room = createSocketRoom(4, () => 1);
    const { runtime, states, run } = startRuntime({ room: room.pods, limits: { retryMs: 30 } });
    const two = [{ containerPort: 8080 }, { containerPort: 8081 }];
    const pod = (host: number) =>
      echoPod(`web-${host}`, `127.78.14.${host}`, { containers: [{ name: 'main', ports: two }] });
    await run(pod(40), pod(41));
    expect(states.get('shop/web-40')).toEqual([{ type: 'running' }]);
    expect(states.get('shop/web-41')).toEqual([
      { type: 'failing', cause: 'wants-room', message: expect.stringContaining('the 4 sockets that they may open') },
    ]);
    await expect(fetch(at(41))).rejects.toThrow();
    runtime.remove('shop/web-40');
    await delay(100);
    expect(states.get('shop/web-41')!.slice(1)).toEqual([{ type: 'running' }]);
    expect((await fetch(at(41, 8081))).status).toBe(200);
    // What could not be opened takes no room.
    runtime.remove('shop/web-41');
    await run(echoPod('lost', '203.0.113.9', { containers: [{ name: 'main', ports: two }] }));
    expect(room.pods.take(3)).toBe(true);
    await runtime.close();
  });

  it('fails a Pod whose address this machine does not have', async () => {
    const { runtime, states, run } = startRuntime();
    await run(echoPod('web-1', '203.0.113.9'));
    expect(states.get('shop/web-1')).toEqual([
      { type: 'failing', message: 'cannot listen on 203.0.113.9:8080/TCP: this machine has no such address' },
    ]);
    await runtime.close();
  });

  it('listens where the policy says', async () => {
    const policy = createBindPolicy('single-address', { portRange: [21_600, 21_700] });
    const { runtime, run } = startRuntime({ policy });
    await run(echoPod('web-1', '127.78.14.3', { containers: [{ name: 'main', ports: [{ containerPort: 80 }] }] }));
    const place = policy.map('127.78.14.3', 80, 'TCP');
    const answer = await (await fetch(`http://${place.address}:${place.port}/`)).json();
    expect(answer).toMatchObject({ httpPort: '80', pod: 'web-1' });
    await runtime.close();
  });

  it('listens on the ports that Services name when a Pod declares none', async () => {
    const store = createStore();
    const { runtime, run } = startRuntime({ store });
    const bare = { containers: [{ name: 'main' }] };
    const declared = { containers: [{ name: 'main', ports: [{ containerPort: 8080 }] }] };
    await run(echoPod('bare-1', '127.78.14.4', bare), echoPod('declared-1', '127.78.14.5', declared));
    await expect(fetch(at(4, 9000))).rejects.toThrow();
    store.put('services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'shop', name: 'web' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 9000 }] },
    } as never);
    await delay(30);
    expect((await fetch(at(4, 9000))).status).toBe(200);
    // A wrong target port of a Pod that says what it listens on must show, not be papered over.
    await expect(fetch(at(5, 9000))).rejects.toThrow();
    await runtime.close();
  });

  it('keeps a log per container, with a bound, and lets it be followed', async () => {
    const { runtime, run } = startRuntime({ limits: { logLines: 3 } });
    const containers = [
      { name: 'one', ports: [{ containerPort: 8080 }] },
      { name: 'two', ports: [{ containerPort: 8081 }] },
    ];
    await run(echoPod('web-1', '127.78.14.6', { containers }));
    const log = runtime.logs('shop/web-1', 'two')!;
    const followed: string[] = [];
    const stop = log.follow((line) => followed.push(line.text));
    for (let i = 0; i < 4; i++) await fetch(`${at(6, 8081)}${i}`);
    stop();
    await fetch(`${at(6, 8081)}late`);
    expect(followed).toHaveLength(4);
    expect(log.lines().map(({ text }) => text.split(' ')[5])).toEqual(['/2', '/3', '/late']);
    expect(runtime.logs('shop/web-1')!.lines()).toHaveLength(1);
    expect(runtime.logs('shop/web-1', 'three')).toBeUndefined();
    await runtime.close();
  });

  it('refuses connections beyond the limit', async () => {
    const { runtime, run } = startRuntime({ limits: { connections: 1 } });
    await run(echoPod('web-1', '127.78.14.7'));
    const first = connect({ host: '127.78.14.7', port: 8080 });
    first.write('x');
    await once(first, 'data');
    const second = connect({ host: '127.78.14.7', port: 8080 });
    await expect(once(second, 'data')).rejects.toThrow('ECONNRESET');
    first.destroy();
    await runtime.close();
  });

  it('starts 5,000 Pods within 2 s of one core and 60 MB, and leaves nothing', async () => {
    const { runtime, states, run } = startRuntime();
    const pods = Array.from({ length: 5000 }, (_, i) => echoPod(`p-${i}`, `127.78.${100 + (i >> 8)}.${i & 255}`));
    const before = process.memoryUsage().rss;
    // Processor time: the tests share their cores.
    const start = process.cpuUsage();
    await run(...pods);
    const { user, system } = process.cpuUsage(start);
    expect(user + system).toBeLessThan(2_000_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(60e6);
    expect([...states.values()].flat().every(({ type }) => type === 'running')).toBe(true);
    expect(await (await fetch('http://127.78.119.135:8080/')).json()).toMatchObject({ pod: 'p-4999' });
    await runtime.close();
    await expect(fetch('http://127.78.119.135:8080/')).rejects.toThrow();
  });
});
