/** Plans and endpoints that change while there is traffic. */
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ProxyReport } from '../channel.ts';
import { createProxy } from '../proxy.ts';
import { OK, type RecordingBackend, recordingBackend } from '../testing/backend.ts';
import { createFront, type Front } from '../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route, share } from '../testing/plans.ts';
import { type Backdrop, type Conversation, dial, listenRaw, shout } from '../testing/sockets.ts';

const address = '127.79.8.1';
const port = 8080;
let front: Front;
let one: RecordingBackend;
let two: RecordingBackend;
let slow: Backdrop;
/** Connections that wait for an answer. */
let waiting: Socket[] = [];

const answer = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const names = ['one', 'two', 'slow'];
const to = (id: string) => route({ action: { type: 'forward', backends: [share(id)] } });
const planTo = (id: string) =>
  planOf(
    [listener(address, port, [host('*', [to(id)])])],
    names.map((name) => backend(name)),
  );
const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const gone = async (at: number) => expect(dial(address, at)).rejects.toThrow(/ECONNREFUSED/);

beforeAll(async () => {
  one = await recordingBackend(address, 8081, answer('one'));
  two = await recordingBackend(address, 8082, answer('two'));
  slow = await listenRaw(address, 8083, (socket) => socket.on('data', () => waiting.push(socket)));
});

beforeEach(async () => {
  waiting = [];
  await front?.close();
  front = createFront();
  await front.endpoints({
    one: [endpoint(address, 8081)],
    two: [endpoint(address, 8082)],
    slow: [endpoint(address, 8083)],
  });
});

afterAll(async () => {
  await front.close();
  await one.close();
  await two.close();
  await slow.close();
});

/** Sends a request on an open connection and returns the text of its response. */
async function again(client: Conversation): Promise<string> {
  const before = client.text().length;
  client.send(get);
  const text = await client.until((all) => /\r\n\r\n(one|two)$/.test(all.slice(before)));
  return text.slice(-3);
}

describe('a plan', () => {
  it('is acknowledged when its listeners listen, and not before', async () => {
    const proxy = createProxy();
    const reports: ProxyReport[] = [];
    proxy.onReport((report) => reports.push(report));
    for (let generation = 1; generation <= 20; generation++) {
      proxy.send({ type: 'plan', generation, plan: JSON.parse(JSON.stringify(planTo('one'))), bindings: {} });
      proxy.send({ type: 'endpoints', generation: 100 + generation, changed: { one: [endpoint(address, 8081)] } });
    }
    expect(reports).toEqual([]);
    await expect.poll(() => reports.length).toBe(40);
    expect(reports.map(({ generation }) => generation)).toEqual(
      Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? i / 2 + 1 : 101 + (i - 1) / 2)),
    );
    expect(await again(await dial(address, port))).toBe('one');
    await proxy.close(0);
    await gone(port);
  });

  it('answers the next request of a connection that stays open', async () => {
    await front.plan(planTo('one'));
    const client = await dial(address, port);
    expect(await again(client)).toBe('one');
    await front.plan(planTo('two'));
    expect(await again(client)).toBe('two');
    client.socket.destroy();
  });

  it('leaves a request in flight to the plan on which it began', async () => {
    await front.plan(planTo('slow'));
    const client = await dial(address, port);
    client.send(get);
    await expect.poll(() => waiting.length).toBe(1);
    await front.plan(planTo('two'));
    waiting[0]!.write(answer('one'));
    await client.until('\r\n\r\none');
    expect(await again(client)).toBe('two');
    client.socket.destroy();
  });

  it('that drops a listener closes its idle connections now and busy ones when they are done', async () => {
    const both = planOf(
      [listener(address, port, [host('*', [to('slow')])]), listener(address, 8090, [host('*', [to('slow')])])],
      [backend('slow')],
    );
    await front.plan(both);
    const [idle, busy, other] = await Promise.all([dial(address, 8090), dial(address, 8090), dial(address, port)]);
    busy.send(get);
    await expect.poll(() => waiting.length).toBe(1);
    await front.plan(planTo('one'));
    await gone(8090);
    expect(await idle.closed()).toBe('');
    waiting[0]!.write(answer('two'));
    expect(await busy.closed()).toMatch(/\r\nConnection: close\r\n\r\ntwo$/);
    expect(await again(other)).toBe('one');
    for (const { socket } of [idle, busy, other]) socket.destroy();
  });

  it('serves without the listeners that cannot be bound, and tries them again', async () => {
    const squatter = await listenRaw(address, 8091, () => {});
    const hosts = [host('*', [to('one')])];
    const plan = planOf(
      [listener(address, port, hosts), listener(address, 8091, hosts), listener('203.0.113.1', 80, hosts)],
      [backend('one')],
    );
    const report = await front.plan(plan);
    expect(report.listeners).toEqual({
      [`${address}:${port}/HTTP`]: { bound: true },
      [`${address}:8091/HTTP`]: { bound: false, error: expect.stringContaining('EADDRINUSE') },
      '203.0.113.1:80/HTTP': { bound: false, error: expect.stringContaining('EADDRNOTAVAIL') },
    });
    expect(front.findings).toHaveLength(2);
    expect(await shout(address, port, get.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))).toMatch(/one$/);
    await squatter.close();
    const { listeners } = await front.plan(plan);
    expect(listeners[`${address}:8091/HTTP`]).toEqual({ bound: true });
  });

  it('is bound where the bindings say', async () => {
    const { id } = planTo('one').listeners[0]!;
    await front.plan(planTo('one'), { [id]: { address, port: 8092 } });
    expect(await again(await dial(address, 8092))).toBe('one');
    await gone(port);
    await front.plan(planTo('two'));
    expect(await again(await dial(address, port))).toBe('two');
    await gone(8092);
  });
});

describe('endpoints', () => {
  it('that go take no new requests, and finish the ones they have', async () => {
    await front.plan(planTo('slow'));
    const client = await dial(address, port);
    client.send(get);
    await expect.poll(() => waiting.length).toBe(1);
    await front.endpoints({ slow: [endpoint(address, 8081)] });
    const closed = new Promise((resolve) => waiting[0]!.once('close', resolve));
    waiting[0]!.write(answer('two'));
    await client.until('\r\n\r\ntwo');
    await closed;
    expect(await again(client)).toBe('one');
    client.socket.destroy();
  });

  it('that go have their idle connections closed', async () => {
    await front.plan(planTo('one'));
    const client = await dial(address, port);
    await again(client);
    expect(one.sockets.size).toBeGreaterThan(0);
    await front.endpoints({ one: null });
    await expect.poll(() => one.sockets.size).toBe(0);
    client.send(get);
    await client.until('503 Service Unavailable');
    client.socket.destroy();
  });

  it('may come after the plan that names them', async () => {
    await front.endpoints({ one: null });
    await front.plan(planTo('one'));
    const client = await dial(address, port);
    client.send(get);
    await client.until('503 Service Unavailable');
    await front.endpoints({ one: [endpoint(address, 8081)] });
    expect(await again(client)).toBe('one');
    client.socket.destroy();
  });
});

describe('under load', () => {
  it('500 swaps of plans and endpoints cost no request', async () => {
    const weights = (a: number, b: number) =>
      route({ action: { type: 'forward', backends: [share('one', a), share('two', b)] } });
    let running = true;
    let served = 0;
    const client = async () => {
      const connection = await dial(address, port);
      while (running) {
        await again(connection);
        served++;
      }
      connection.socket.destroy();
    };
    await front.plan(planTo('one'));
    const clients = Array.from({ length: 8 }, client);
    for (let i = 0; i < 250; i++) {
      const hosts = Array.from({ length: i % 20 }, (_, n) => host(`h${n}.example`, [to('two')]));
      const first = listener(address, port, [...hosts, host('*', [weights(i % 3, (i % 2) + 1)])]);
      await front.plan(planOf([first], [backend('one'), backend('two')]));
      await front.endpoints({ one: [endpoint(address, i % 2 === 0 ? 8081 : 8082)] });
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    running = false;
    await Promise.all(clients);
    expect(served).toBeGreaterThan(250);
    expect(front.records.filter(({ status, flag }) => status !== 200 || flag !== undefined)).toEqual([]);
  });
});

describe('closing', () => {
  it('lets requests in flight finish, closes idle connections and takes no new ones', async () => {
    await front.plan(planTo('slow'));
    const [idle, busy] = await Promise.all([dial(address, port), dial(address, port)]);
    busy.send(get);
    await expect.poll(() => waiting.length).toBe(1);
    const closing = front.proxy.close(5_000);
    expect(await idle.closed()).toBe('');
    idle.socket.destroy();
    await gone(port);
    waiting[0]!.write(OK);
    expect(await busy.closed()).toMatch(/\r\nConnection: close\r\n\r\nok$/);
    busy.socket.destroy();
    await closing;
  });

  it('answers requests that were on their way, on kept connections and on new ones, and says that they are the last', async () => {
    await front.plan(planTo('one'));
    const [kept, fresh] = await Promise.all([dial(address, port), dial(address, port)]);
    expect(await again(kept)).toBe('one');
    const closing = front.proxy.close(5_000);
    for (const connection of [kept, fresh]) {
      connection.send(get);
      expect(await connection.closed()).toMatch(/\r\nConnection: close\r\n\r\none$/);
      connection.socket.destroy();
    }
    await closing;
  });

  it('cuts what is left when the grace is over', async () => {
    await front.plan(planTo('slow'));
    const busy = await dial(address, port);
    busy.send(get);
    await expect.poll(() => waiting.length).toBe(1);
    await front.proxy.close(100);
    expect(await busy.closed()).toBe('');
    expect(front.records.at(-1)).toMatchObject({ flag: 'shutdown', status: 0 });
  });
});

describe('limits', () => {
  it('of connections are kept, and connections that go make room', async () => {
    await front.close();
    front = createFront({ client: { maxConnections: 3 } });
    await front.plan(planTo('one'));
    const held = [await dial(address, port), await dial(address, port), await dial(address, port)];
    const refused = await dial(address, port);
    expect(await refused.closed()).toBe('');
    held[0]!.socket.resetAndDestroy();
    await front.endpoints({ one: [endpoint(address, 8081)] });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await again(await dial(address, port))).toBe('one');
  });

  it('of idling close a connection without a word', async () => {
    await front.close();
    front = createFront({ client: { keepAliveTimeoutMs: 200 }, upstream: { idleTimeoutMs: 200 } });
    await front.endpoints({ one: [endpoint(address, 8081)] });
    await front.plan(planTo('one'));
    const client = await dial(address, port);
    await again(client);
    const { length } = client.text();
    expect(await client.closed()).toHaveLength(length);
    await expect.poll(() => one.sockets.size).toBe(0);
    client.socket.destroy();
  });
});
