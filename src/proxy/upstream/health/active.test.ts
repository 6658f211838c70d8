import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import type { BackendPolicy, HealthCheckPolicy } from '../../../routing/plan/backend-policy.ts';
import { backend, endpoint } from '../../testing/plans.ts';
import { createPool } from '../pool.ts';
import { listed, pseudoRandom, upstreamsOf } from '../testing.ts';
import { type Probe, probe } from './probe.ts';

const timing = { intervalMs: 1_000, timeoutMs: 200, healthyThreshold: 2, unhealthyThreshold: 3 };
const http: HealthCheckPolicy = { type: 'http', path: '/healthz', statuses: [[200, 299]], ...timing };

/** A clock and endpoints that are as healthy as the test says. */
function setUp(count: number, maxAtOnce = 64, policy: BackendPolicy = { healthCheck: http }) {
  const asked: { key: string; at: number; done: (healthy: boolean) => void }[] = [];
  const sick = new Set<string>();
  let now = 0;
  let automatic = true;
  let cancelled = 0;
  const ask: Probe = (pool, _policy, done) => {
    asked.push({ key: pool.key, at: now, done });
    if (automatic) queueMicrotask(() => done(!sick.has(pool.key)));
    return () => void cancelled++;
  };
  const made = upstreamsOf(policy, count, { health: { maxAtOnce, probe: ask, random: pseudoRandom() } });
  return {
    ...made,
    asked,
    sick,
    cancelled: () => cancelled,
    byHand() {
      automatic = false;
    },
    async run(ms: number) {
      for (const until = now + ms; now < until; now += 100) {
        made.upstreams.expire(now);
        await Promise.resolve();
      }
    },
    turn: () => made.upstream.targets.map(({ key }) => key),
  };
}

describe('health checks', () => {
  it('ask every endpoint soon, then at intervals that differ by a tenth', async () => {
    const { asked, run } = setUp(5);
    await run(10_000);
    for (let i = 1; i <= 5; i++) {
      const times = asked.filter(({ key }) => key === `10.0.0.${i}:80`).map(({ at }) => at);
      expect(times[0]).toBeLessThanOrEqual(600);
      const gaps = times.slice(1).map((at, place) => at - times[place]!);
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(900);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(1_200);
    }
    expect(new Set(asked.slice(-5).map(({ at }) => at)).size).toBeGreaterThan(1);
  });

  it('take an endpoint out of turn by the threshold, and bring it back by the other', async () => {
    const { sick, run, turn, asked } = setUp(3);
    await run(1_000);
    sick.add('10.0.0.2:80');
    const before = asked.length;
    await run(2_000);
    expect(turn()).toHaveLength(3);
    await run(1_600);
    expect(turn()).toEqual(['10.0.0.1:80', '10.0.0.3:80']);
    expect(asked.length).toBeGreaterThan(before);
    sick.clear();
    await run(800);
    expect(turn()).toHaveLength(2);
    await run(1_600);
    expect(turn()).toHaveLength(3);
  });

  it('come as often as a new policy wants them, at once', async () => {
    const { upstreams, run, asked } = setUp(1, 64, { healthCheck: { ...http, intervalMs: 3_600_000 } });
    await run(1_000);
    expect(asked).toHaveLength(1);
    upstreams.setBackends({ a: { ...backend('a'), policy: { healthCheck: http } } });
    await run(5_000);
    expect(asked.length).toBeGreaterThanOrEqual(4);
  });

  it('believe the first check of an endpoint alone', async () => {
    const { sick, run, turn } = setUp(2);
    sick.add('10.0.0.1:80');
    await run(700);
    expect(turn()).toEqual(['10.0.0.2:80']);
  });

  it('leave all in turn when all are unhealthy', async () => {
    const { sick, run, turn } = setUp(2);
    for (const key of turn()) sick.add(key);
    await run(5_000);
    expect(turn()).toHaveLength(2);
  });

  it('are bounded in number, and everybody’s turn comes', async () => {
    const { asked, run, byHand } = setUp(10, 4);
    byHand();
    await run(1_000);
    expect(asked).toHaveLength(4);
    for (let round = 0; round < 3; round++) {
      for (const { done } of asked) done(true);
      await run(100);
    }
    expect(new Set(asked.map(({ key }) => key)).size).toBe(10);
  });

  it('go on as they were when endpoints or plans change, and end with their policy', async () => {
    const { upstreams, upstream, sick, run, turn, asked } = setUp(3);
    sick.add('10.0.0.2:80');
    await run(700);
    upstreams.setEndpoints('a', listed(4).reverse());
    upstreams.setBackends({
      a: { ...backend('a'), policy: { healthCheck: { ...http, path: '/other' }, balance: { type: 'random' } } },
    });
    expect(turn()).toEqual(['10.0.0.4:80', '10.0.0.3:80', '10.0.0.1:80']);
    upstreams.setBackends({ a: backend('a') });
    expect(upstream.targets).toHaveLength(4);
    const { length } = asked;
    await run(3_000);
    expect(asked).toHaveLength(length);
  });

  it('are given up when the endpoint goes', async () => {
    const { upstreams, run, byHand, cancelled } = setUp(1);
    byHand();
    await run(700);
    upstreams.setEndpoints('a', []);
    expect(cancelled()).toBe(1);
  });
});

describe('a check', () => {
  const closers: (() => void)[] = [];
  afterAll(() => {
    for (const close of closers) close();
  });

  const check = (port: number, policy: HealthCheckPolicy, http2 = false) =>
    new Promise<boolean>((resolve) => {
      probe(createPool(endpoint('127.77.10.1', port), 'a', undefined, undefined, http2), policy, resolve);
    });

  const listening = (server: ReturnType<typeof createTcpServer>) =>
    new Promise<number>((resolve) => {
      closers.push(() => server.close());
      server.listen(0, '127.77.10.1', () => resolve((server.address() as AddressInfo).port));
    });

  it('by HTTP goes by the status, and sends what a probe sends', async () => {
    const seen: string[] = [];
    let connections = 0;
    const server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.host} ${request.headers['user-agent']}`);
      response.writeHead(request.url === '/healthz' ? 204 : request.url === '/moved' ? 302 : 500).end();
    });
    server.on('connection', () => connections++);
    const port = await listening(server);
    expect(await check(port, { ...http, host: 'a.example' })).toBe(true);
    expect(await check(port, { ...http, path: '/else' })).toBe(false);
    expect(await check(port, { ...http, path: '/moved' })).toBe(false);
    expect(await check(port, { ...http, path: '/moved', statuses: [[200, 399]] })).toBe(true);
    expect(seen[0]).toBe('GET /healthz a.example fairway-health-check');
    expect(seen[1]).toBe(`GET /else 127.77.10.1:${port} fairway-health-check`);
    expect(connections).toBe(4);
  });

  it('by HTTP/2 likewise', async () => {
    const server = createHttp2Server((request, response) => {
      response.writeHead(request.url === '/healthz' ? 200 : 503).end();
    });
    const port = await listening(server as unknown as ReturnType<typeof createTcpServer>);
    expect(await check(port, http, true)).toBe(true);
    expect(await check(port, { ...http, path: '/else' }, true)).toBe(false);
  });

  it.each([
    ['says nothing', () => {}, false, true],
    ['talks nonsense', (write: (text: string) => void) => write('hello\r\n\r\n'), false, true],
    [
      'sends a head without end',
      (write: (text: string) => void) => write(`HTTP/1.1 200 OK\r\nA: ${'x'.repeat(100_000)}`),
      false,
      true,
    ],
    ['answers', (write: (text: string) => void) => write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n'), true, true],
  ] as const)('of a server that %s', async (_, play, byHttp, byTcp) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => socket.destroy());
      play((text) => void socket.write(text));
    });
    const port = await listening(server);
    expect([await check(port, http), await check(port, { type: 'tcp', ...timing })]).toEqual([byHttp, byTcp]);
  });

  it('of nobody fails', async () => {
    expect([await check(1, http), await check(1, { type: 'tcp', ...timing })]).toEqual([false, false]);
  });
});
