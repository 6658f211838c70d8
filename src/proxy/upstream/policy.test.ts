/** Policies of backends, over real connections. */
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMetricsRegistry } from '../../base/metrics.ts';
import type { BackendPolicy } from '../../routing/plan/backend-policy.ts';
import type { Backend } from '../../routing/plan/plan.ts';
import { askFront, type PlainRequest } from '../testing/ask.ts';
import { OK, type RecordingBackend, recordingBackend } from '../testing/backend.ts';
import { authority, hasOpenssl } from '../testing/certificates.ts';
import { createFront } from '../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route, source } from '../testing/plans.ts';
import { dial } from '../testing/sockets.ts';

const address = '127.77.10.1';
const port = 8080;
const registry = createMetricsRegistry();
const front = createFront({ metrics: registry });
const apps: RecordingBackend[] = [];
/** Connections of requests that an endpoint has not answered. */
let held: Socket[] = [];

beforeAll(async () => {
  for (const last of [11, 12, 13]) apps.push(await recordingBackend(`127.77.10.${last}`, port));
});

beforeEach(async () => {
  await front.endpoints({ app: [] });
  for (const app of apps) {
    await app.drop();
    app.requests.length = 0;
    app.answer(OK);
  }
  held = [];
  front.records.length = 0;
  await front.endpoints({ app: [11, 12, 13].map((last) => endpoint(`127.77.10.${last}`, port)) });
});

afterAll(async () => {
  await front.close();
  for (const app of apps) await app.close();
});

const use = (policy?: BackendPolicy, more: Partial<Backend> = {}) =>
  front.plan(
    planOf(
      [listener(address, port, [host('*', [route()])])],
      [{ ...backend('app'), ...more, ...(policy && { policy }) }],
    ),
  );
const ask = (request?: PlainRequest) => askFront(address, port, request);
const status = async (request?: PlainRequest) => (await ask(request)).status;
const only = (count: number) =>
  front.endpoints({ app: [11, 12, 13].slice(0, count).map((last) => endpoint(`127.77.10.${last}`, port)) });
const seen = () => apps.map(({ requests }) => requests.length);
const hold = (app: RecordingBackend) => app.answer((_, socket) => void held.push(socket));
const request = 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n';
const late = (ms: number) => new Promise((_, reject) => setTimeout(reject, ms, new Error('too late')).unref());
const figure = (series: string) => {
  const line = registry
    .expose()
    .split('\n')
    .find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.split(' ')[1]);
};

describe('a hash', () => {
  it.each([
    ['a header', { by: 'header', name: 'x-user' }, (i: number) => `X-User: user-${i}`],
    ['a cookie', { by: 'cookie', name: 'sid' }, (i: number) => `Cookie: theme=dark; sid=${i}`],
  ] as const)('of %s sends the same to the same', async (_, by, line) => {
    await use({ balance: { type: 'hash', by: [by] } });
    const endpoints = new Set<string>();
    for (let user = 0; user < 8; user++) {
      front.records.length = 0;
      for (let i = 0; i < 3; i++) await ask({ lines: [line(user)] });
      const used = new Set(front.records.map((record) => record.endpoint!));
      expect(used.size).toBe(1);
      for (const one of used) endpoints.add(one);
    }
    expect(endpoints.size).toBeGreaterThan(1);
  });

  it('of the address, with turns for what has no key', async () => {
    await use({ balance: { type: 'hash', by: [{ by: 'address' }] } });
    for (let i = 0; i < 6; i++) await ask();
    expect(seen().sort()).toEqual([0, 0, 6]);
    await use({ balance: { type: 'hash', by: [{ by: 'header', name: 'x-user' }] } });
    for (let i = 0; i < 6; i++) await ask();
    expect(seen().sort()).toEqual([2, 2, 8]);
  });
});

describe('zones', () => {
  it('keep requests near, while there is enough', async () => {
    const near = createFront({ zone: 'a' });
    const zones = (...names: string[]) =>
      near.endpoints({ app: names.map((zone, i) => endpoint(`127.77.10.${11 + i}`, port, { zone })) });
    await near.plan(planOf([listener(address, 8081, [host('*', [route()])])]));
    await zones('a', 'b', 'a');
    for (let i = 0; i < 6; i++) await askFront(address, 8081);
    expect(seen()).toEqual([3, 0, 3]);
    await zones('a', 'b', 'b');
    for (let i = 0; i < 6; i++) await askFront(address, 8081);
    expect(seen()).toEqual([5, 2, 5]);
    await near.close();
  });
});

describe('least request', () => {
  it('keeps away from an endpoint that does not answer', async () => {
    await only(2);
    await use({ balance: { type: 'least-request' } });
    hold(apps[0]!);
    const clients = await Promise.all([1, 2, 3, 4].map(() => dial(address, port)));
    let answered = 0;
    for (const client of clients) {
      const before = answered + held.length;
      client.socket.once('data', () => void answered++);
      client.send(request);
      await expect.poll(() => answered + held.length).toBe(before + 1);
    }
    expect(held.length).toBeLessThanOrEqual(1);
    for (let i = 0; i < 10; i++) expect(await status()).toBe(200);
    // Drawn first and idle, it may be taken once; with a request under way it never is.
    expect(held.length).toBeLessThanOrEqual(1);
    for (const client of clients) client.socket.destroy();
  });
});

describe('ejection', () => {
  const policy: BackendPolicy = {
    outlierEjection: {
      consecutive5xx: 3,
      consecutiveGatewayFailures: 3,
      baseEjectionMs: 1_000,
      maxEjectionMs: 1_000,
      maxEjectionPercent: 50,
      panicPercent: 0,
    },
  };

  it.each([
    ['answers 500', (app: RecordingBackend) => app.answer('HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n')],
    ['resets', (app: RecordingBackend) => app.answer((_, socket) => socket.resetAndDestroy())],
    ['talks nonsense', (app: RecordingBackend) => app.answer('hello\r\n\r\n')],
  ])('leaves out an endpoint that %s, for a while', async (_, spoil) => {
    await use(policy);
    spoil(apps[1]!);
    const before = figure('fairway_proxy_endpoint_ejections_total{backend="app"}')!;
    for (let i = 0; i < 12; i++) await ask();
    expect(apps[1]!.requests.length).toBe(3);
    expect(figure('fairway_proxy_endpoint_ejections_total{backend="app"}')).toBe(before + 1);
    expect(figure('fairway_proxy_endpoints{backend="app",state="ejected"}')).toBe(1);
    apps[1]!.answer(OK);
    const ejected = () => figure('fairway_proxy_endpoints{backend="app",state="ejected"}');
    await expect.poll(ejected, { timeout: 3_000 }).toBe(0);
    for (let i = 0; i < 6; i++) expect(await status()).toBe(200);
    expect(apps[1]!.requests.length).toBe(5);
  });

  it('blames no endpoint for a client that has not sent all of its request in time', async () => {
    await front.plan(
      planOf(
        [listener(address, port, [host('*', [route({ timeouts: { requestMs: 150 } })])])],
        [{ ...backend('app'), policy }],
      ),
    );
    const slow = async () => {
      const client = await dial(address, port);
      client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
      expect(await client.until('\r\n')).toMatch(/^HTTP\/1\.1 504 /);
      client.socket.destroy();
    };
    await Promise.all(Array.from({ length: 12 }, slow));
    expect(figure('fairway_proxy_endpoints{backend="app",state="ejected"}')).toBe(0);
  });

  it('leaves out an endpoint that nobody can connect to, and requests do not fail over it', async () => {
    await use(policy);
    await front.endpoints({ app: [endpoint('127.77.10.11', port), endpoint('127.77.10.12', 1)] });
    for (let i = 0; i < 12; i++) expect(await status()).toBe(200);
    expect(front.records.filter(({ attempts }) => attempts > 1)).toHaveLength(3);
  });
});

describe('health checks', () => {
  const healthCheck = {
    type: 'http',
    path: '/healthz',
    statuses: [[200, 299]],
    intervalMs: 200,
    timeoutMs: 1_000,
    healthyThreshold: 1,
    unhealthyThreshold: 2,
  } as const;

  it('take an endpoint out of turn and bring it back, before any request', async () => {
    const sick = 'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n';
    apps[0]!.answer(({ line }, socket) => socket.write(line.includes('/healthz') ? sick : OK));
    await use({ healthCheck });
    const unhealthy = () => figure('fairway_proxy_endpoints{backend="app",state="unhealthy"}');
    await expect.poll(unhealthy).toBe(1);
    for (const app of apps) app.requests.length = 0;
    for (let i = 0; i < 6; i++) expect(await status()).toBe(200);
    expect(apps.map(({ requests }) => requests.filter(({ line }) => line === 'GET / HTTP/1.1').length)).toEqual([
      0, 3, 3,
    ]);
    expect(figure('fairway_proxy_health_checks_total{backend="app",result="unhealthy"}')).toBeGreaterThan(0);
    apps[0]!.answer(OK);
    await expect.poll(unhealthy).toBe(0);
    for (let i = 0; i < 3; i++) await ask();
    expect(apps[0]!.requests.some(({ line }) => line === 'GET / HTTP/1.1')).toBe(true);
  });

  it.skipIf(!hasOpenssl())('speak TLS where the backend has it, and go by its certificate', async () => {
    const { createServer } = await import('node:https');
    const [ca, other] = [authority('ca'), authority('other')];
    const serve = async (last: number, by: typeof ca) => {
      const { chain, key } = by.issue('app', ['DNS:app.example']);
      const server = createServer({ cert: chain, key }, (_, response) => response.end('ok'));
      await new Promise<void>((resolve) => server.listen(8443, `127.77.10.${last}`, resolve));
      return server;
    };
    const servers = [await serve(14, ca), await serve(15, other)];
    await front.endpoints({ app: [14, 15].map((last) => endpoint(`127.77.10.${last}`, 8443)) });
    const tls = { serverName: 'app.example', verify: true, ca: ca.certificate, subjectAltNames: [], source };
    await use({ healthCheck }, { protocol: 'https', tls });
    await expect
      .poll(() => figure('fairway_proxy_endpoints{backend="app",state="unhealthy"}'), { timeout: 3_000 })
      .toBe(1);
    for (let i = 0; i < 4; i++) expect(await status()).toBe(200);
    for (const server of servers) server.close();
  });
});

describe('a backend that speaks HTTP/2', () => {
  it('is checked in HTTP/2, judged and limited alike', async () => {
    const { createServer } = await import('node:http2');
    let sick = false;
    const seenPaths: string[] = [];
    const server = createServer((incoming, response) => {
      seenPaths.push(`${incoming.httpVersion} ${incoming.url}`);
      response.writeHead(sick ? 503 : 200, { 'content-length': 2 }).end('ok');
    });
    await new Promise<void>((resolve) => server.listen(8082, '127.77.10.16', resolve));
    const healthCheck = {
      type: 'http',
      path: '/healthz',
      statuses: [[200, 299]],
      intervalMs: 150,
      timeoutMs: 1_000,
      healthyThreshold: 1,
      unhealthyThreshold: 1,
    } as const;
    await front.endpoints({ app: [endpoint('127.77.10.16', 8082), endpoint('127.77.10.16', 1)] });
    await use({ healthCheck, limits: { maxRequests: 1 }, balance: { type: 'least-request' } }, { protocol: 'h2c' });
    const unhealthy = () => figure('fairway_proxy_endpoints{backend="app",state="unhealthy"}');
    await expect.poll(unhealthy).toBe(1);
    for (let i = 0; i < 5; i++) expect(await status()).toBe(200);
    expect(seenPaths).toContain('2.0 /');
    await expect.poll(() => seenPaths).toContain('2.0 /healthz');
    sick = true;
    await expect.poll(unhealthy).toBe(2);
    server.close();
  });
});

describe('limits', () => {
  it('of connections let requests wait, and refuse those beyond', async () => {
    await only(1);
    await use({ limits: { maxConnections: 1, maxPending: 1 } });
    hold(apps[0]!);
    const [first, second] = [await dial(address, port), await dial(address, port)];
    first.send(request);
    await expect.poll(() => held.length).toBe(1);
    second.send(request);
    await expect.poll(() => figure('fairway_proxy_requests_pending{backend="app"}')).toBe(1);
    expect(await status()).toBe(503);
    expect(front.records.at(-1)).toMatchObject({ flag: 'upstream_overflow', attempts: 0 });
    held[0]!.write(OK);
    await first.until('\r\n\r\nok');
    await expect.poll(() => held.length).toBe(2);
    held[1]!.write(OK);
    await second.until('\r\n\r\nok');
    expect(apps[0]!.requests.map(({ connection }) => connection)).toEqual(
      [0, 0].map(() => apps[0]!.requests[0]!.connection),
    );
    for (const client of [first, second]) client.socket.destroy();
  });

  it('of requests under way do so too, in the order in which they came', async () => {
    await use({ limits: { maxRequests: 2, maxPending: 10 } });
    for (const app of apps) hold(app);
    const clients = await Promise.all(Array.from({ length: 5 }, () => dial(address, port)));
    for (const [i, client] of clients.entries()) {
      client.send(`GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(held).toHaveLength(2);
    for (let i = 0; i < 5; i++) {
      held[i]!.write(OK);
      await clients[i]!.until('\r\n\r\nok');
      await expect.poll(() => held.length).toBe(Math.min(5, i + 3));
    }
    for (const client of clients) client.socket.destroy();
  });

  it('of waiting end it with 503', async () => {
    await use({ limits: { maxRequests: 1, maxPending: 5, pendingTimeoutMs: 200 } });
    for (const app of apps) hold(app);
    const first = await dial(address, port);
    first.send(request);
    await expect.poll(() => held.length).toBe(1);
    const began = performance.now();
    expect(await status()).toBe(503);
    expect(performance.now() - began).toBeGreaterThan(90);
    expect(front.records[0]).toMatchObject({ flag: 'upstream_overflow', reason: expect.stringContaining('in time') });
    first.socket.destroy();
  });

  it('do not count who has gone, waiting or under way', async () => {
    await use({ limits: { maxRequests: 1, maxPending: 1 } });
    for (const app of apps) hold(app);
    const [first, second] = [await dial(address, port), await dial(address, port)];
    first.send(request);
    await expect.poll(() => held.length).toBe(1);
    second.send(request);
    await expect.poll(() => figure('fairway_proxy_requests_pending{backend="app"}')).toBe(1);
    second.socket.resetAndDestroy();
    await expect.poll(() => figure('fairway_proxy_requests_pending{backend="app"}')).toBe(0);
    first.socket.resetAndDestroy();
    await front.record(2);
    for (const app of apps) app.answer(OK);
    for (let i = 0; i < 5; i++) expect(await status()).toBe(200);
  });

  it.each([
    ['whose only endpoint goes', 503, () => front.endpoints({ app: [] })],
    ['for whom another endpoint comes', 200, () => front.endpoints({ app: [endpoint('127.77.10.12', port)] })],
    ['whose backend is spoken to in another way', 200, () => use({}, { protocol: 'h2c' })],
    ['whose backend has gone from the plan', 200, () => front.plan(planOf([listener(address, port, [])], []))],
  ] as const)('keep nobody waiting %s', async (_, expected, change) => {
    await only(1);
    await use({ limits: { maxConnections: 1, maxPending: 1 } });
    hold(apps[0]!);
    const [first, second] = [await dial(address, port), await dial(address, port)];
    first.send(request);
    await expect.poll(() => held.length).toBe(1);
    second.send(request);
    await expect.poll(() => figure('fairway_proxy_requests_pending{backend="app"}')).toBe(1);
    apps[0]!.answer(OK);
    await change();
    // Long before the time for waiting is up.
    await Promise.race([second.until(`HTTP/1.1 ${expected}`), late(2_000)]);
    expect(figure('fairway_proxy_requests_pending{backend="app"}') ?? 0).toBe(0);
    held[0]!.write(OK);
    await first.until('\r\n\r\nok');
    for (const client of [first, second]) client.socket.destroy();
  });

  it('do not count requests that ended badly', async () => {
    await only(1);
    await use({ limits: { maxRequests: 1 } });
    const ends: ((socket: Socket) => void)[] = [
      (socket) => socket.resetAndDestroy(),
      (socket) => socket.end('HTTP/1.1 2'),
      (socket) => socket.write('hello\r\n\r\n'),
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx'),
      (socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    ];
    for (const end of ends) {
      apps[0]!.answer((_, socket) => end(socket));
      const client = await dial(address, port);
      client.send(request);
      await front.record(front.records.length + 1);
      client.socket.destroy();
    }
    await front.endpoints({ app: [endpoint('127.77.10.11', 1)] });
    expect(await status()).toBe(502);
    await only(1);
    apps[0]!.answer(OK);
    expect(await status()).toBe(200);
  });

  it('that are lifted let everybody go on', async () => {
    await use({ limits: { maxRequests: 1, maxPending: 1 } });
    for (const app of apps) hold(app);
    const [first, second] = [await dial(address, port), await dial(address, port)];
    first.send(request);
    await expect.poll(() => held.length).toBe(1);
    second.send(request);
    await expect.poll(() => figure('fairway_proxy_requests_pending{backend="app"}')).toBe(1);
    await use();
    await expect.poll(() => held.length).toBe(2);
    for (const socket of held) socket.write(OK);
    await first.until('\r\n\r\nok');
    await second.until('\r\n\r\nok');
    for (const client of [first, second]) client.socket.destroy();
  });
});

describe('connections', () => {
  it('are there before the first request, when asked for, and carry it', async () => {
    await only(1);
    const before = apps[0]!.accepted();
    await use({ warmConnections: 2 });
    await expect.poll(() => apps[0]!.sockets.size).toBe(2);
    expect(apps[0]!.accepted() - before).toBe(2);
    expect(await status()).toBe(200);
    // Meanwhile another one may have been begun in the place of the one in use.
    expect(apps[0]!.requests[0]!.connection).toBeLessThan(before + 2);
    await only(0);
    await expect.poll(() => apps[0]!.sockets.size).toBe(0);
  });

  it('have the time of their backend to be made', async () => {
    // It accepts and never negotiates.
    await only(1);
    const tls = { serverName: 'a', verify: false, ca: 'system', subjectAltNames: [], source } as const;
    await use({ connectTimeoutMs: 150 }, { protocol: 'https', tls });
    const began = performance.now();
    expect(await status()).toBe(504);
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(front.records[0]).toMatchObject({ flag: 'upstream_connect_timeout' });
  });

  it('to an endpoint that goes finish what they carry, and close when they are idle', async () => {
    await only(1);
    await use();
    await ask();
    const [idle] = [...apps[0]!.sockets];
    hold(apps[0]!);
    const client = await dial(address, port);
    client.send(request);
    await expect.poll(() => held.length).toBe(1);
    const other = await dial(address, port);
    other.send(request);
    await expect.poll(() => held.length).toBe(2);
    held[0]!.write(OK);
    await client.until('\r\n\r\nok');
    await only(0);
    await expect.poll(() => idle!.destroyed).toBe(true);
    expect(await status()).toBe(503);
    held[1]!.write(OK);
    await other.until('\r\n\r\nok');
    await expect.poll(() => apps[0]!.sockets.size).toBe(0);
    for (const one of [client, other]) one.socket.destroy();
  });

  it('outlive a change of policy, and so do requests', async () => {
    await only(1);
    await use();
    await ask();
    hold(apps[0]!);
    const client = await dial(address, port);
    client.send(request);
    await expect.poll(() => held.length).toBe(1);
    await use({ balance: { type: 'least-request' }, slowStartMs: 1_000, limits: { maxRequests: 5 } });
    held[0]!.write(OK);
    await client.until('\r\n\r\nok');
    apps[0]!.answer(OK);
    await ask();
    expect(new Set(apps[0]!.requests.map(({ connection }) => connection)).size).toBe(1);
    client.socket.destroy();
  });
});
