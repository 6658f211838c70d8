/** Time limits of routes on silence, next to the limits of the whole data plane. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { createFront } from '../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route, share } from '../testing/plans.ts';
import { type Backdrop, dial, listenRaw } from '../testing/sockets.ts';

const address = '127.79.11.1';
const port = 8080;
const front = createFront({ upstream: { responseTimeoutMs: 3_000 }, relay: { tunnelIdleTimeoutMs: 3_000 } });
let silent: Backdrop;
let sockets: WebSocketServer;

const to = (id: string, path: string, timeouts = {}) =>
  route({
    id,
    match: { path: { type: 'prefix', value: path } },
    action: { type: 'forward', backends: [share(id)] },
    timeouts,
  });

beforeAll(async () => {
  silent = await listenRaw(address, 8081, (socket) => socket.resume());
  sockets = new WebSocketServer({ host: address, port: 8082 });
  await front.endpoints({ silent: [endpoint(address, 8081)], ws: [endpoint(address, 8082)] });
  const routes = [to('silent', '/silent', { idleMs: 200 }), to('ws', '/ws', { idleMs: 200 })];
  await front.plan(planOf([listener(address, port, [host('*', routes)])], [backend('silent'), backend('ws')]));
});

afterAll(async () => {
  await front.close();
  for (const client of sockets.clients) client.terminate();
  sockets.close();
  await silent.close();
});

it('a backend that is silent for longer than the route allows', async () => {
  const client = await dial(address, port);
  const since = Date.now();
  client.send('GET /silent HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(await client.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 504 /);
  expect(Date.now() - since).toBeLessThan(2_000);
  client.socket.destroy();
});

it('a WebSocket lives while something moves, and ends when nothing has', async () => {
  const socket = new WebSocket(`ws://${address}:${port}/ws`);
  await new Promise((resolve) => socket.once('open', resolve));
  const closed = new Promise<number>((resolve) => socket.once('close', () => resolve(Date.now())));
  for (let n = 0; n < 8; n++) {
    socket.send('x');
    await new Promise((resolve) => setTimeout(resolve, 80));
  }
  const last = Date.now();
  const silence = (await closed) - last;
  expect(silence).toBeGreaterThan(0);
  expect(silence).toBeLessThan(2_000);
});
