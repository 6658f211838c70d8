/** Retries as a route asks for them: causes, attempts, pauses, the budget, and what may not be sent again. */
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Retry } from '../../routing/plan/plan.ts';
import { type RecordingBackend, recordingBackend, type SeenRequest } from '../testing/backend.ts';
import { createFront, type Front } from '../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route, share } from '../testing/plans.ts';
import { dial, shout } from '../testing/sockets.ts';

const address = '127.83.23.1';
const ports = { http: 8080, poor: 8090 };
const front = createFront({
  upstream: { responseTimeoutMs: 600, minRetriesPerSecond: 100, maxConnectAttempts: 2 },
});
/** Has no budget for retries. */
const poor = createFront({ upstream: { retryBudgetPercent: 0, minRetriesPerSecond: 0 } });
const backends: RecordingBackend[] = [];
let seen: { readonly request: SeenRequest; readonly backend: number; readonly at: number }[] = [];
/** What to answer to each attempt in turn; the last one goes on. */
let script: (string | ((socket: Socket) => void))[] = [];

const retry = (more: Partial<Retry> = {}): Retry => ({
  attempts: 3,
  statuses: [500, 503],
  on: ['reset', 'timeout'],
  backoffMs: 0,
  maxBackoffMs: 1_000,
  methods: 'idempotent',
  ...more,
});
const answer = (status: number, body = 'text') =>
  `HTTP/1.1 ${status} X\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const ok = answer(200, 'fine');

async function prepare(one: Front, port: number): Promise<void> {
  const action = { type: 'forward', backends: [share('app')] } as const;
  const at = (path: string, wanted: Retry | undefined, more = {}) =>
    route({
      id: path,
      match: { path: { type: 'prefix', value: path } },
      action,
      ...(wanted && { retry: wanted }),
      ...more,
    });
  const routes = [
    at('/none', undefined),
    at('/all', retry({ methods: 'all' })),
    at('/slow', retry({ backoffMs: 60 })),
    at('/bounded', retry(), { timeouts: { backendRequestMs: 60 } }),
    at('/total', retry({ backoffMs: 60 }), { timeouts: { requestMs: 100 } }),
    at('/late', retry({ backoffMs: 60 }), { action: { type: 'forward', backends: [share('late')] } }),
    at('/never', undefined, { action: { type: 'forward', backends: [share('late')] } }),
    at('/meagre', retry(), { action: { type: 'forward', backends: [share('meagre')] } }),
    at('/plain', undefined, { action: { type: 'forward', backends: [share('meagre')] } }),
    at('/', retry()),
  ];
  const retryBudget = { percent: 20, intervalMs: 3_600_000, least: { count: 1, perMs: 3_600_000 } };
  const meagre = { ...backend('meagre'), policy: { retryBudget } };
  await one.endpoints({ app: [endpoint(address, 8081), endpoint(address, 8082)], late: [endpoint(address, 8083)] });
  await one.endpoints({ meagre: [endpoint(address, 8081)] });
  const all = [backend('app'), backend('late'), meagre];
  await one.plan(planOf([listener(address, port, [host('*', routes)])], all));
}

beforeAll(async () => {
  for (const [index, port] of [8081, 8082].entries()) {
    const one = await recordingBackend(address, port);
    one.answer((request, socket) => {
      const step = script[Math.min(seen.length, script.length - 1)]!;
      seen.push({ request, backend: index, at: performance.now() });
      if (typeof step === 'string') socket.write(step);
      else step(socket);
    });
    backends.push(one);
  }
  await prepare(front, ports.http);
  await prepare(poor, ports.poor);
});

beforeEach(() => {
  seen = [];
  front.records.length = 0;
});

afterAll(async () => {
  await front.close();
  await poor.close();
  for (const one of backends) await one.close();
});

const get = (path = '/') => `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
const send = (bytes: string, port = ports.http) => shout(address, port, bytes);

describe('a request is sent again', () => {
  it('for the statuses that the route lists, to another endpoint', async () => {
    script = [answer(503), answer(500), ok];
    expect(await send(get())).toMatch(/^HTTP\/1\.1 200 .*fine$/s);
    expect(seen.map(({ backend: index }) => index)).toEqual([seen[0]!.backend, 1 - seen[0]!.backend, seen[0]!.backend]);
    expect(await front.record(1)).toMatchObject({ status: 200, attempts: 3 });
  });

  it('when the connection breaks, and when nothing comes', async () => {
    script = [(socket) => socket.resetAndDestroy(), () => {}, ok];
    expect(await send(get())).toMatch(/^HTTP\/1\.1 200 /);
    expect(seen).toHaveLength(3);
  });

  it('when an attempt takes longer than the route gives it', async () => {
    script = [() => {}, ok];
    const began = performance.now();
    expect(await send(get('/bounded'))).toMatch(/^HTTP\/1\.1 200 /);
    expect(performance.now() - began).toBeLessThan(500);
  });

  it('with its body, in whatever pieces that came', async () => {
    script = [answer(503), ok];
    const client = await dial(address, ports.http);
    client.send('PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\nhello');
    await new Promise((resolve) => setTimeout(resolve, 30));
    client.send('world');
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 200 /);
    expect(seen.map(({ request }) => request.body)).toEqual(['helloworld', 'helloworld']);
    client.socket.destroy();
  });

  it('whatever its method, where the route says so', async () => {
    script = [answer(503), ok];
    const post = 'POST /all HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi';
    expect(await send(post)).toMatch(/^HTTP\/1\.1 200 /);
    expect(seen.map(({ request }) => request.body)).toEqual(['hi', 'hi']);
  });

  it.each([
    ['GET', get('/late')],
    ['POST', 'POST /late HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi'],
  ])('when no endpoint accepts connections yet: %s', async (_, bytes) => {
    const asked = send(bytes);
    await new Promise((resolve) => setTimeout(resolve, 30));
    const late = await recordingBackend(address, 8083, ok);
    expect(await asked).toMatch(/^HTTP\/1\.1 200 /);
    expect(late.requests).toHaveLength(1);
    expect((await front.record(1)).attempts).toBeGreaterThan(1);
    await late.close();
  });

  it('after a pause that grows', async () => {
    script = [answer(503), answer(503), ok];
    await send(get('/slow'));
    const [first, second, third] = seen.map(({ at }) => at);
    expect(second! - first!).toBeGreaterThanOrEqual(58);
    expect(third! - second!).toBeGreaterThanOrEqual(118);
    expect(third! - second!).toBeLessThan(400);
  });
});

describe('a request is not sent again', () => {
  it('more often than the route says: the last response is passed on', async () => {
    script = [answer(503, 'sorry')];
    expect(await send(get())).toMatch(/^HTTP\/1\.1 503 X\r\n.*sorry$/s);
    expect(seen).toHaveLength(4);
  });

  it.each([
    ['without a word of the route', get('/none'), 503],
    ['for another status', get(), 404],
    [
      'when its method changes something each time',
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi',
      503,
    ],
    [
      'when its body is larger than what is kept',
      `PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 70000\r\n\r\n${'x'.repeat(70_000)}`,
      503,
    ],
  ])('%s', async (_, bytes, status) => {
    script = [answer(status), ok];
    expect(await send(bytes)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(seen).toHaveLength(1);
  });

  it('over connections that are refused, but as often as its route says', async () => {
    expect(await send(get('/never'))).toMatch(/^HTTP\/1\.1 502 /);
    expect(await send(get('/late'))).toMatch(/^HTTP\/1\.1 502 /);
    expect((await front.record(2)).attempts).toBe(4);
    expect(front.records[0]!.attempts).toBe(1);
  });

  it('beyond the budget of its backend', async () => {
    script = [answer(503), ok];
    expect(await send(get(), ports.poor)).toMatch(/^HTTP\/1\.1 503 /);
    expect(seen).toHaveLength(1);
  });

  it('beyond the budget of its backend’s policy, which answers 503', async () => {
    const statuses = async (path: string) => (await send(get(path))).slice(9, 12);
    script = [answer(500)];
    expect(await statuses('/meagre')).toBe('503');
    expect(seen).toHaveLength(2);
    expect(front.records.at(-1)).toMatchObject({ flag: 'upstream_overflow', reason: expect.stringMatching(/budget/) });
    expect(await statuses('/meagre')).toBe('503');
    expect(seen).toHaveLength(3);
    script = [ok];
    // Requests of routes that have no retries count as well.
    for (let i = 0; i < 8; i++) expect(await statuses('/plain')).toBe('200');
    script = [answer(500), ok, answer(500)];
    seen = [];
    expect(await statuses('/meagre')).toBe('200');
    expect(seen).toHaveLength(2);
  });

  it('beyond the time that the route gives it', async () => {
    script = [answer(503)];
    expect(await send(get('/total'))).toMatch(/^HTTP\/1\.1 504 /);
    expect(seen).toHaveLength(2);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(seen).toHaveLength(2);
  });

  it('when its client is gone', async () => {
    script = [answer(503)];
    const client = await dial(address, ports.http);
    client.send(get('/slow'));
    await expect.poll(() => seen.length).toBe(1);
    client.socket.resetAndDestroy();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(seen).toHaveLength(1);
    expect(await front.record(1)).toMatchObject({ flag: 'client_closed' });
  });
});
