import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createStore } from '../../kube/store/store.ts';
import type { ServiceSpec } from '../../kube/types/index.ts';
import { createBindPolicy } from '../bind.ts';
import { createSocketRoom } from '../socket-room.ts';
import { backend, cleanUp, cleanups, fetchText, forward, greet, put } from './testing.ts';

afterEach(cleanUp);

describe('service forwarder, TCP', () => {
  it('takes endpoints in turn, on the ClusterIP, the NodePort, the load balancer and external addresses', async () => {
    const store = createStore();
    await backend('127.78.2.1', 8080, greet('a'));
    await backend('127.78.2.2', 8080, greet('b'));
    put(
      store,
      'web',
      {
        type: 'LoadBalancer',
        clusterIP: '127.78.2.100',
        externalIPs: ['127.78.2.101', '192.0.2.1'],
        ports: [{ port: 8000, nodePort: 30801 }],
      },
      ['127.78.2.1', '127.78.2.2'],
    );
    const stored = store.get('services', 'shop/web')!;
    store.put('services', { ...stored, status: { loadBalancer: { ingress: [{ ip: '127.78.2.102' }] } } } as never);
    const forwarder = await forward(store);
    const answers = [];
    for (const [address, port] of [
      ['127.78.2.100', 8000],
      ['127.78.2.101', 8000],
      ['127.78.2.102', 8000],
      ['127.78.2.250', 30801],
      ['127.0.0.1', 30801],
      ['127.78.2.100', 8000],
    ] as const)
      answers.push(await fetchText(address, port));
    expect(answers.join('')).toMatch(/^(ab){3}$|^(ba){3}$/);
    expect(forwarder.diagnostics()).toEqual([
      expect.objectContaining({ code: 'FW5104', fieldPath: 'spec.externalIPs[1]' }),
    ]);
    expect(forwarder.sockets().map(({ role }) => role)).toEqual([
      'clusterIP',
      'externalIP',
      'loadBalancer',
      'nodePort',
      'nodePort',
    ]);
  });

  it('goes on to the next endpoint when one refuses, and resets the client when none is left', async () => {
    const store = createStore();
    await backend('127.78.2.3', 8080, greet('alive'));
    put(store, 'web', { clusterIP: '127.78.2.103', ports: [{ port: 8000 }] }, ['127.78.2.4', '127.78.2.3']);
    put(store, 'dead', { clusterIP: '127.78.2.104', ports: [{ port: 8000 }] }, ['127.78.2.4', '127.78.2.5']);
    put(store, 'empty', { clusterIP: '127.78.2.105', ports: [{ port: 8000 }] }, []);
    await forward(store);
    for (let i = 0; i < 4; i++) expect(await fetchText('127.78.2.103', 8000)).toBe('alive');
    await expect(fetchText('127.78.2.104', 8000)).rejects.toThrow('ECONNRESET');
    await expect(fetchText('127.78.2.105', 8000)).rejects.toThrow('ECONNRESET');
  });

  it('carries half-closed connections both ways, and resets', async () => {
    const store = createStore();
    // Answers only after the client has finished.
    await backend('127.78.2.6', 8080, (socket) => {
      let received = 0;
      socket.on('data', (data) => {
        received += data.length;
      });
      socket.on('end', () => socket.end(`got ${received}`));
    });
    await backend('127.78.2.7', 8080, (socket) => socket.once('data', () => socket.resetAndDestroy()));
    put(store, 'sum', { clusterIP: '127.78.2.106', ports: [{ port: 8000 }] }, ['127.78.2.6']);
    put(store, 'reset', { clusterIP: '127.78.2.107', ports: [{ port: 8000 }] }, ['127.78.2.7']);
    await forward(store);
    const socket = connect({ host: '127.78.2.106', port: 8000, allowHalfOpen: true });
    socket.end(Buffer.alloc(3_000_000));
    expect(await text(socket)).toBe('got 3000000');

    const doomed = connect({ host: '127.78.2.107', port: 8000 });
    doomed.write('x');
    await expect(text(doomed)).rejects.toThrow('ECONNRESET');
  });

  it('holds a fast sender back while the endpoint does not read', async () => {
    const store = createStore();
    await backend('127.78.2.8', 8080, (socket) => socket.pause());
    put(store, 'slow', { clusterIP: '127.78.2.108', ports: [{ port: 8000 }] }, ['127.78.2.8']);
    await forward(store);
    const socket = connect({ host: '127.78.2.108', port: 8000 });
    socket.on('error', () => undefined);
    cleanups.push(() => socket.destroy());
    await once(socket, 'connect');
    const before = process.memoryUsage().rss;
    const chunk = Buffer.alloc(1 << 20);
    let sent = 0;
    const drained = () => Promise.race([once(socket, 'drain').then(() => true), delay(300, false)]);
    while (sent < 200 && (socket.write(chunk) || (await drained()))) sent++;
    expect(sent).toBeLessThan(60);
    expect(process.memoryUsage().rss - before).toBeLessThan(120e6);
  });

  it('keeps a client with one endpoint under sessionAffinity ClientIP, until the timeout', async () => {
    const store = createStore();
    for (const host of [9, 10, 11]) await backend(`127.78.2.${host}`, 8080, greet(String(host)));
    const affinity = (timeoutSeconds: number): ServiceSpec => ({
      clusterIP: '127.78.2.109',
      ports: [{ port: 8000 }],
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds } },
    });
    const addresses = ['127.78.2.9', '127.78.2.10', '127.78.2.11'];
    put(store, 'web', affinity(10), addresses);
    await forward(store);
    const ask = (client: string, times: number) =>
      Promise.all(Array.from({ length: times }, () => fetchText('127.78.2.109', 8000, client)));
    const first = await fetchText('127.78.2.109', 8000, '127.78.2.200');
    expect(new Set(await ask('127.78.2.200', 5))).toEqual(new Set([first]));
    const other = await fetchText('127.78.2.109', 8000, '127.78.2.201');
    expect(other).not.toBe(first);

    put(
      store,
      'web',
      affinity(10),
      addresses.filter((address) => !address.endsWith(`.${first}`)),
    );
    await delay(20);
    const next = await fetchText('127.78.2.109', 8000, '127.78.2.200');
    expect(next).not.toBe(first);
    put(store, 'web', affinity(0.001), addresses);
    await delay(20);
    const spread = [];
    for (let i = 0; i < 6; i++) {
      spread.push(await fetchText('127.78.2.109', 8000, '127.78.2.202'));
      await delay(5);
    }
    expect(new Set(spread).size).toBe(3);
  });

  it('shows the endpoint the address of the client', async () => {
    const store = createStore();
    await backend('127.78.2.12', 8080, (socket) => socket.end(socket.remoteAddress ?? ''));
    put(store, 'web', { clusterIP: '127.78.2.110', ports: [{ port: 8000 }] }, ['127.78.2.12']);
    await forward(store);
    expect(await fetchText('127.78.2.110', 8000, '127.78.2.203')).toBe('127.78.2.203');
    expect(await fetchText('127.78.2.110', 8000)).toBe('127.0.0.1');
  });

  it('follows changes without cutting connections of what stays', async () => {
    const store = createStore();
    await backend('127.78.2.13', 8080, (socket) => socket.pipe(socket));
    const spec: ServiceSpec = { clusterIP: '127.78.2.111', ports: [{ port: 8000 }] };
    put(store, 'stays', spec, ['127.78.2.13']);
    put(store, 'goes', { clusterIP: '127.78.2.112', ports: [{ port: 8000 }] }, ['127.78.2.13']);
    const forwarder = await forward(store);
    const socket = connect({ host: '127.78.2.111', port: 8000 });
    cleanups.push(() => socket.destroy());
    const echo = async (data: string) => {
      socket.write(data);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      return answer.toString();
    };
    expect(await echo('one')).toBe('one');

    store.remove('services', 'shop/goes');
    put(store, 'stays', { ...spec, ports: [{ port: 8000 }, { name: 'more', port: 8001 }] }, ['127.78.2.13']);
    put(store, 'comes', { clusterIP: '127.78.2.112', ports: [{ port: 8002 }] }, ['127.78.2.13']);
    await delay(50);
    expect(await echo('two')).toBe('two');
    await expect(fetchText('127.78.2.112', 8000)).rejects.toThrow('ECONNREFUSED');
    const open = forwarder.sockets().map(({ address, port, state }) => `${address}:${port} ${state}`);
    expect(open.sort()).toEqual(['127.78.2.111:8000 open', '127.78.2.111:8001 open', '127.78.2.112:8002 open']);
    expect(forwarder.load().connections).toBe(1);
  });

  it('says who holds a port that is taken, serves the rest, and opens it once it is free', async () => {
    const store = createStore();
    const holder = await backend('127.78.2.113', 8000, greet('stranger'));
    await backend('127.78.2.14', 8080, greet('pod'));
    put(store, 'taken', { clusterIP: '127.78.2.113', ports: [{ port: 8000 }, { name: 'b', port: 8001 }] }, [
      '127.78.2.14',
    ]);
    const forwarder = await forward(store, { limits: { retryMs: 30 } });
    const [finding] = forwarder.diagnostics();
    expect(finding).toMatchObject({
      code: 'FW5101',
      object: { kind: 'Service', name: 'taken' },
      fieldPath: 'spec.clusterIP',
    });
    expect(finding!.message).toContain('127.78.2.113:8000/TCP could not be opened: the port is already in use');
    if (process.platform === 'linux') expect(finding!.message).toContain(`pid ${process.pid}`);
    expect(await fetchText('127.78.2.113', 8001)).toBe('pod');
    holder.close();
    await delay(100);
    expect(await fetchText('127.78.2.113', 8000)).toBe('pod');
    expect(forwarder.diagnostics()).toEqual([]);
  });

  it('gives an address that two Services claim to the first, and to the second when the first lets go', async () => {
    const store = createStore();
    await backend('127.78.2.15', 8080, greet('first'));
    await backend('127.78.2.16', 8080, greet('second'));
    const shared: ServiceSpec = { clusterIP: 'None', externalIPs: ['127.78.2.114'], ports: [{ port: 8000 }] };
    put(store, 'first', shared, ['127.78.2.15']);
    put(store, 'second', shared, ['127.78.2.16']);
    const forwarder = await forward(store);
    expect(await fetchText('127.78.2.114', 8000)).toBe('first');
    expect(forwarder.diagnostics()).toEqual([
      expect.objectContaining({ code: 'FW5103', object: expect.objectContaining({ name: 'second' }) }),
    ]);
    store.remove('services', 'shop/first');
    await delay(20);
    expect(await fetchText('127.78.2.114', 8000)).toBe('second');
    expect(forwarder.diagnostics()).toEqual([]);
  });

  it('leaves reserved addresses alone and does not run in circles', async () => {
    const store = createStore();
    put(store, 'dns', { clusterIP: '127.78.2.115', ports: [{ port: 5300 }] }, ['127.78.2.15']);
    put(store, 'circle', { clusterIP: '127.78.2.116', ports: [{ port: 8000 }] }, ['127.78.2.117'], 8000);
    put(store, 'elcric', { clusterIP: '127.78.2.117', ports: [{ port: 8000 }] }, ['127.78.2.116'], 8000);
    const forwarder = await forward(store, { reserved: (address) => address === '127.78.2.115' });
    expect(forwarder.sockets().map(({ address }) => address)).toEqual(['127.78.2.116', '127.78.2.117']);
    await expect(fetchText('127.78.2.116', 8000)).rejects.toThrow('ECONNRESET');
    expect(forwarder.diagnostics()).toEqual([]);
  });

  it('refuses connections beyond the limit and says so', async () => {
    const store = createStore();
    await backend('127.78.2.17', 8080, (socket) => socket.write('hi'));
    put(store, 'web', { clusterIP: '127.78.2.118', ports: [{ port: 8000 }] }, ['127.78.2.17']);
    const forwarder = await forward(store, { limits: { connections: 2 } });
    for (let i = 0; i < 2; i++) {
      const socket = connect({ host: '127.78.2.118', port: 8000 });
      cleanups.push(() => socket.destroy());
      await once(socket, 'data');
    }
    await expect(fetchText('127.78.2.118', 8000)).rejects.toThrow('ECONNRESET');
    expect(forwarder.load()).toMatchObject({ connections: 2, refusedConnections: 1 });
    expect(forwarder.diagnostics()).toEqual([expect.objectContaining({ code: 'FW5105' })]);
  });

  it('opens no more sockets than there is room for, says so, and opens the rest when there is', async () => {
    const store = createStore();
    for (const n of [1, 2, 3])
      put(store, `s${n}`, { clusterIP: `127.78.2.${150 + n}`, ports: [{ port: 8000 }] }, ['127.78.2.1']);
    const room = createSocketRoom(2, () => 3);
    const forwarder = await forward(store, { room: room.services, limits: { retryMs: 20 } });
    const states = () => forwarder.sockets().map(({ state }) => state);
    expect(states().sort()).toEqual(['failed', 'open', 'open']);
    expect(forwarder.diagnostics()).toEqual([
      expect.objectContaining({ code: 'FW5101', message: expect.stringContaining('ulimit -n') }),
    ]);
    store.remove('services', 'shop/s1');
    await delay(100);
    expect(states()).toEqual(['open', 'open']);
    expect(forwarder.diagnostics()).toEqual([]);
    forwarder.stop();
    expect(room.services.take(2)).toBe(true);
  });

  it('opens 1,000 Services within 1.5 s of one core, cheaply, and closes them all', async () => {
    const store = createStore();
    for (let i = 0; i < 1000; i++) {
      const address = `127.78.${4 + (i >> 8)}.${i & 255}`;
      put(store, `s${i}`, { clusterIP: address, ports: [{ port: 8000 }] }, ['127.78.2.1']);
    }
    const before = process.memoryUsage().rss;
    // Processor time: the tests share their cores.
    const start = process.cpuUsage();
    const forwarder = await forward(store);
    const { user, system } = process.cpuUsage(start);
    expect(user + system).toBeLessThan(1_500_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(30e6);
    expect(forwarder.sockets().filter(({ state }) => state === 'open')).toHaveLength(1000);
    forwarder.stop();
    await expect(fetchText('127.78.4.7', 8000)).rejects.toThrow('ECONNREFUSED');
  });
});

describe('service forwarder, where low ports are refused', () => {
  it('finds Services and endpoints at their moved places', async () => {
    const store = createStore();
    const policy = createBindPolicy('single-address', { portRange: [21_000, 21_500] });
    const pod = policy.map('127.78.2.19', 8080, 'TCP');
    await backend(pod.address, pod.port, greet('moved'));
    put(store, 'web', { clusterIP: '127.78.2.119', ports: [{ port: 80 }] }, ['127.78.2.19']);
    const forwarder = await forward(store, { policy });
    const [socket] = forwarder.sockets();
    expect(socket).toMatchObject({ address: '127.78.2.119', port: 80, state: 'open', bound: { address: '127.0.0.1' } });
    expect(await fetchText(socket!.bound.address, socket!.bound.port)).toBe('moved');
  });
});
