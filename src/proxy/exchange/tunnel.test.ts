/** Upgrades: WebSocket through `ws` as an independent judge, and the edges of tunnels by hand. */
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { createFront } from '../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route, share } from '../testing/plans.ts';
import { type Backdrop, dial, listenRaw } from '../testing/sockets.ts';

const address = '127.79.6.1';
const port = 8080;
const front = createFront({ relay: { tunnelIdleTimeoutMs: 600 } });
let sockets: WebSocketServer;
let raw: Backdrop;
let play: (socket: Socket) => void = () => {};

const routes = [
  route({
    id: 'raw',
    match: { path: { type: 'prefix', value: '/raw' } },
    action: { type: 'forward', backends: [share('raw')] },
    timeouts: { requestMs: 300 },
  }),
  route(),
];
const plan = planOf([listener(address, port, [host('*', routes)])], [backend('app'), backend('raw')]);

beforeAll(async () => {
  sockets = new WebSocketServer({ host: address, port: 8081 });
  sockets.on('connection', (socket, request) => {
    socket.send(`hello ${request.url}`);
    socket.on('message', (data, binary) => socket.send(data, { binary }));
  });
  raw = await listenRaw(address, 8082, (socket) => play(socket));
  await front.endpoints({ app: [endpoint(address, 8081)], raw: [endpoint(address, 8082)] });
  await front.plan(plan);
});

beforeEach(() => {
  front.records.length = 0;
});

afterAll(async () => {
  await front.close();
  for (const client of sockets.clients) client.terminate();
  sockets.close();
  await raw.close();
});

const message = (socket: WebSocket) =>
  new Promise<string>((resolve) => socket.once('message', (data) => resolve(String(data))));
const upgrade = 'GET /raw HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: chat\r\n\r\n';
const switched = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n';
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('a WebSocket', () => {
  it('echoes, in both directions and large messages too', async () => {
    const socket = new WebSocket(`ws://${address}:${port}/chat?x=1`);
    expect(await message(socket)).toBe('hello /chat?x=1');
    for (const text of ['a', 'b'.repeat(200), 'c'.repeat(3_000_000)]) {
      const answer = message(socket);
      socket.send(text);
      expect((await answer) === text).toBe(true);
    }
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    socket.close(4_001);
    expect(await closed).toBe(4_001);
    expect(await front.record(1)).toMatchObject({ status: 101, target: '/chat?x=1', route: 'Test/test/rules/0' });
    expect(front.records[0]?.flag).toBeUndefined();
    expect(front.records[0]?.responseBytes).toBeGreaterThan(3_000_000);
  });

  it('lives through plans and endpoints that change', async () => {
    const socket = new WebSocket(`ws://${address}:${port}/`);
    await message(socket);
    for (let i = 0; i < 5; i++) {
      await front.plan(
        planOf([listener(address, port, [host('*', routes.slice(i % 2))])], [backend('app'), backend('raw')]),
      );
      await front.endpoints({ app: [] });
      const answer = message(socket);
      socket.send(`still ${i}`);
      expect(await answer).toBe(`still ${i}`);
    }
    await front.endpoints({ app: [endpoint(address, 8081)] });
    await front.plan(plan);
    socket.terminate();
  });

  it('lasts as long as something moves, whatever the route’s timeout', async () => {
    const socket = new WebSocket(`ws://${address}:${port}/`);
    await message(socket);
    for (let i = 0; i < 10; i++) {
      await sleep(100);
      const answer = message(socket);
      socket.send('x');
      await answer;
    }
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await closed;
    await expect.poll(() => front.records.map(({ flag }) => flag)).toContain('tunnel_idle');
  });
});

describe('a tunnel', () => {
  it('carries bytes sent with the heads', async () => {
    play = (socket) => socket.once('data', () => socket.write(`${switched}first`));
    const client = await dial(address, port);
    client.send(upgrade);
    const text = await client.until('first');
    expect(text).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\nfirst$/);
    client.socket.resetAndDestroy();
  });

  it('holds what the client says too early', async () => {
    let seen = '';
    play = (socket) => {
      socket.once('data', (head) => {
        expect(head.toString()).toMatch(/\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n$/);
        setTimeout(() => socket.write(switched), 50);
        socket.on('data', (chunk) => {
          seen += chunk;
        });
      });
    };
    const client = await dial(address, port);
    client.send(`${upgrade}early`);
    await client.until('101');
    await expect.poll(() => seen).toBe('early');
    client.socket.resetAndDestroy();
  });

  it('closes half by half', async () => {
    play = (socket) => {
      socket.removeAllListeners('end');
      socket.once('data', () => socket.write(switched));
      socket.on('end', () => setTimeout(() => socket.end('last words'), 50));
    };
    const client = await dial(address, port);
    client.send(upgrade);
    await client.until('101');
    client.socket.end();
    expect(await client.closed()).toMatch(/last words$/);
    expect(await front.record(1)).toMatchObject({ status: 101 });
  });

  it('closes from the other half', async () => {
    let seen = '';
    play = (socket) => {
      socket.once('data', () => socket.end(switched));
      socket.on('data', (chunk) => {
        seen += chunk;
      });
    };
    const client = await dial(address, port);
    client.send(upgrade);
    await client.closed();
    client.send('after the end');
    client.socket.end();
    await expect.poll(() => seen).toContain('after the end');
    expect(await front.record(1)).toMatchObject({ status: 101 });
  });

  it('is refused as other answers are, and the connection goes on', async () => {
    play = (socket) => socket.on('data', () => socket.write('HTTP/1.1 426 No\r\nContent-Length: 2\r\n\r\nno'));
    const client = await dial(address, port);
    client.send(upgrade);
    await client.until('\r\n\r\nno');
    client.send(upgrade);
    await client.until((text) => text.split('426 No').length === 3);
    client.socket.destroy();
  });

  it('is never one for h2c', async () => {
    let head = '';
    play = (socket) => {
      socket.on('data', (chunk) => {
        head += chunk;
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    };
    await raw.drop();
    const client = await dial(address, port);
    client.send(
      'GET /raw HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n',
    );
    await client.until('\r\n\r\nok');
    expect(head).not.toMatch(/upgrade|http2/i);
    client.socket.destroy();
  });
});
