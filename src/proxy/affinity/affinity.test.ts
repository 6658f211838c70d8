/** Sessions over real connections: who answers, and what clients are told. */
import { connect, createServer as createHttp2Server } from 'node:http2';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { Affinity, SessionCookie } from '../../routing/plan/affinity.ts';
import type { Backend, Filter, Route, WeightedBackend } from '../../routing/plan/plan.ts';
import type { Endpoint } from '../../service/endpoints.ts';
import type { ProxyOptions } from '../options.ts';
import { createProxy } from '../proxy.ts';
import { askFront, type PlainAnswer } from '../testing/ask.ts';
import { type RecordingBackend, recordingBackend } from '../testing/backend.ts';
import { hasOpenssl, selfSigned } from '../testing/certificates.ts';
import { createFront, type Front } from '../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route, share } from '../testing/plans.ts';

const PORT = 8080;
const network = '127.77.16';
const secret = 'known to both of the fronts';
const places = [11, 12, 13, 14] as const;
const at = (last: number, more: Partial<Endpoint> = {}) => endpoint(`${network}.${last}`, PORT, more);
const cookie: SessionCookie = { type: 'cookie', name: 'sid', path: '/', secure: 'https', sameSite: 'Lax' };
const persistent: Affinity = { scope: 'Test/test', carrier: cookie, mode: 'persistent', moveOnFailure: true };
const balanced: Affinity = { ...persistent, mode: 'balanced' };

const apps = new Map<number, RecordingBackend>();
/** Two with the same secret, one with another. */
const fronts: Front[] = [];
const addressOf = (front: number) => `${network}.${front + 1}`;
const proxied = (options: ProxyOptions) => fronts.push(createFront(options));

beforeAll(async () => {
  proxied({ affinitySecret: secret, upstream: { connectTimeoutMs: 300 } });
  proxied({ affinitySecret: secret });
  proxied({});
  for (const last of places) apps.set(last, await recordingBackend(`${network}.${last}`, PORT));
});

beforeEach(async () => {
  for (const [last, app] of apps) {
    app.requests.length = 0;
    const name = `pod-${last}`;
    app.answer(`HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\n\r\n${name}`);
  }
  for (const front of fronts) front.records.length = 0;
  await serve([11, 12, 13]);
});

afterEach(() => {
  vi.useRealTimers();
});

afterAll(async () => {
  for (const front of fronts) await front.close();
  for (const app of apps.values()) await app.close();
});

/** Endpoints of `app` and `other` on all fronts. */
async function serve(app: readonly (number | Endpoint)[], other: readonly (number | Endpoint)[] = []): Promise<void> {
  const listed = (all: readonly (number | Endpoint)[]) => all.map((one) => (typeof one === 'number' ? at(one) : one));
  for (const front of fronts) await front.endpoints({ app: listed(app), other: listed(other) });
}

interface Use {
  readonly shares?: readonly WeightedBackend[];
  readonly filters?: readonly Filter[];
  readonly route?: Partial<Route>;
  readonly app?: Partial<Backend>;
}

/** Puts a route with this affinity in force on all fronts. */
async function use(affinity: Affinity, more: Use = {}): Promise<void> {
  const { shares = [share('app')], filters = [], app = {} } = more;
  const only = route({ affinity, filters, action: { type: 'forward', backends: shares }, ...more.route });
  const backends = [{ ...backend('app'), ...app }, backend('other')];
  for (const [i, front] of fronts.entries())
    await front.plan(planOf([listener(addressOf(i), PORT, [host('*', [only])])], backends));
}

const ask = (lines: readonly string[] = [], front = 0, method = 'GET'): Promise<PlainAnswer> =>
  askFront(addressOf(front), PORT, { lines, method });

/** `sid=…` of a response; undefined when it sets none. */
const pairOf = (answer: PlainAnswer) => answer.headers['set-cookie']?.split(';')[0];
const withPair = (pair: string | undefined) => [`Cookie: theme=dark; ${pair}; lang=en`];

/** A session: its cookie and the endpoint it is on. */
async function begin(front = 0): Promise<{ pair: string; pod: string }> {
  const answer = await ask([], front);
  expect(answer.status).toBe(200);
  return { pair: pairOf(answer)!, pod: answer.body };
}

const beginOn = async (pod: string) => {
  for (let i = 0; i < 50; i++) {
    const session = await begin();
    if (session.pod === pod) return session;
  }
  throw new Error(`no session fell to ${pod}`);
};

describe('a persistent session', () => {
  it('stays on the endpoint that it began on, and the client is told once', async () => {
    await use(persistent);
    const met = new Set<string>();
    for (let i = 0; i < 6; i++) {
      const { pair, pod } = await begin();
      met.add(pod);
      for (let n = 0; n < 10; n++) {
        const answer = await ask(withPair(pair));
        expect([answer.body, answer.headers['set-cookie']]).toEqual([pod, undefined]);
      }
    }
    expect(met.size).toBe(3);
  });

  it('reaches the backend with the cookie as the client sent it', async () => {
    await use(persistent);
    const { pair, pod } = await begin();
    await ask(withPair(pair));
    expect(apps.get(Number(pod.slice(4)))!.requests.at(-1)!.lines).toContain(withPair(pair)[0]);
  });

  it('is told of in a cookie that says nothing of the endpoint', async () => {
    await use(persistent);
    const answer = await ask();
    expect(answer.headers['set-cookie']).toMatch(/^sid=[\w-]{20}; Path=\/; SameSite=Lax; HttpOnly$/);
    const { pair } = await begin();
    const [, value = ''] = pair.split('=');
    const bytes = Buffer.from(value, 'base64url');
    for (const text of ['127.77', PORT.toString(), 'app']) expect(bytes.toString('latin1')).not.toContain(text);
    expect(bytes.includes(Buffer.from([127, 77, 16]))).toBe(false);
  });

  it('goes on at another endpoint when its own is gone, and the client is told', async () => {
    await use(persistent);
    const { pair } = await beginOn('pod-11');
    await serve([12, 13]);
    const moved = await ask(withPair(pair));
    expect(moved.body).not.toBe('pod-11');
    expect(pairOf(moved)).not.toBe(pair);
    await serve([11, 12, 13]);
    for (let i = 0; i < 5; i++) expect((await ask(withPair(pairOf(moved)))).body).toBe(moved.body);
    // The endpoint is back, and so is who has not been told.
    expect((await ask(withPair(pair))).body).toBe('pod-11');
  });

  it('stays while its endpoint terminates and serves, and leaves one that is not ready', async () => {
    await use(persistent);
    const { pair } = await beginOn('pod-12');
    await serve([11, at(12, { ready: false, terminating: true }), 13]);
    for (let i = 0; i < 4; i++) expect((await ask(withPair(pair))).body).toBe('pod-12');
    for (let i = 0; i < 6; i++) expect((await begin()).pod).not.toBe('pod-12');
    await serve([11, at(12, { ready: false, terminating: true, serving: false }), 13]);
    expect((await ask(withPair(pair))).body).not.toBe('pod-12');
    await serve([11, at(12, { ready: false }), 13]);
    expect((await ask(withPair(pair))).body).not.toBe('pod-12');
  });

  it('leaves an endpoint that cannot be reached, and the cookie names the one that answered', async () => {
    await use(persistent);
    await serve([11, 13]);
    const { pair } = await beginOn('pod-13');
    await apps.get(13)!.close();
    try {
      for (const sent of [withPair(pair), [], []]) {
        const answer = await ask(sent);
        expect([answer.status, answer.body]).toEqual([200, 'pod-11']);
        expect((await ask(withPair(pairOf(answer)))).headers['set-cookie']).toBeUndefined();
      }
      expect(fronts[0]!.records.some(({ attempts }) => attempts === 2)).toBe(true);
    } finally {
      apps.set(13, await recordingBackend(`${network}.13`, PORT));
    }
  });

  it('is retried elsewhere where the route says so, and stays there', async () => {
    const retry = {
      attempts: 2,
      statuses: [503],
      on: [],
      backoffMs: 0,
      maxBackoffMs: 0,
      methods: 'idempotent' as const,
    };
    await use(persistent, { route: { retry } });
    await serve([11, 12]);
    const { pair } = await beginOn('pod-11');
    apps.get(11)!.answer('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n');
    const answer = await ask(withPair(pair));
    expect([answer.status, answer.body]).toEqual([200, 'pod-12']);
    const again = await ask(withPair(pairOf(answer)));
    expect([again.body, again.headers['set-cookie']]).toEqual(['pod-12', undefined]);
  });

  it('leaves an ejected endpoint', async () => {
    const outlierEjection = {
      consecutive5xx: 2,
      consecutiveGatewayFailures: 0,
      baseEjectionMs: 30_000,
      maxEjectionMs: 30_000,
      maxEjectionPercent: 50,
      panicPercent: 0,
    };
    await use(persistent, { app: { policy: { outlierEjection } } });
    const { pair } = await beginOn('pod-13');
    apps.get(13)!.answer('HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n');
    expect((await ask(withPair(pair))).status).toBe(500);
    expect((await ask(withPair(pair))).status).toBe(500);
    const answer = await ask(withPair(pair));
    expect([answer.status, pairOf(answer) === pair]).toEqual([200, false]);
  });

  it('is not troubled by plans and endpoints that come and go', async () => {
    await use(persistent);
    const { pair, pod } = await begin();
    for (let i = 0; i < 10; i++) {
      await use({ ...persistent }, { filters: [], app: i % 2 ? { policy: { balance: { type: 'random' } } } : {} });
      await serve(i % 2 ? [14, 13, 12, 11] : [13, 11, 12]);
      expect((await ask(withPair(pair))).body).toBe(pod);
    }
  });
});

describe('shares', () => {
  const split = (app: number, other: number) => ({ shares: [share('app', app), share('other', other)] });

  it('get new sessions by weight and keep those that they have, without a weight too and in any order', async () => {
    await serve([11, 12], [13, 14]);
    await use(persistent, split(7, 3));
    const sessions = [];
    for (let i = 0; i < 20; i++) sessions.push(await begin());
    const ofApp = sessions.filter(({ pod }) => pod === 'pod-11' || pod === 'pod-12');
    expect(ofApp).toHaveLength(14);
    for (const shares of [split(0, 1).shares, [share('other', 9), share('app', 1)]]) {
      await use(persistent, { shares });
      for (const { pair, pod } of sessions) expect((await ask(withPair(pair))).body).toBe(pod);
    }
  });

  it('keep a session whose endpoint is gone, unless they have lost their weight', async () => {
    await serve([11, 12], [13]);
    await use(persistent, split(1, 1));
    const { pair } = await beginOn('pod-11');
    await serve([12], [13]);
    for (let i = 0; i < 6; i++) expect((await ask(withPair(pair))).body).toBe('pod-12');
    await use(persistent, split(0, 1));
    expect((await ask(withPair(pair))).body).toBe('pod-13');
    await use(persistent, split(1, 1));
    await serve([], [13]);
    // By weight again, as requests without a session.
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await ask(withPair(pair))).status);
    expect(statuses.sort()).toEqual([200, 200, 503, 503]);
  });

  it('of the same backend are told apart', async () => {
    const mark = (value: string): Filter => ({
      type: 'response-headers',
      set: [['X-Share', value]],
      add: [],
      remove: [],
    });
    await use(persistent, { shares: [share('app', 1, [mark('first')]), share('app', 1, [mark('second')])] });
    for (let i = 0; i < 4; i++) {
      const answer = await ask();
      for (let n = 0; n < 3; n++)
        expect((await ask(withPair(pairOf(answer)))).headers['x-share']).toBe(answer.headers['x-share']);
    }
  });

  it('count for more than the session where the plan says so', async () => {
    await serve([11, 12], [13, 14]);
    await use({ ...balanced, split: 'weight' }, split(1, 1));
    const { pair } = await begin();
    const seen = [];
    for (let i = 0; i < 10; i++) seen.push((await ask(withPair(pair))).body);
    // One endpoint of each share.
    expect(new Set(seen).size).toBe(2);
    expect(seen.filter((pod) => pod === 'pod-11' || pod === 'pod-12')).toHaveLength(5);
  });
});

describe('what clients send', () => {
  it.each([
    ['sid='],
    ['sid'],
    ['sid=x'],
    [`sid=${'A'.repeat(20)}`],
    [`sid=${'é'.repeat(20)}`],
    [`sid=${'A'.repeat(45)}`],
    [`sid=${'A'.repeat(8_000)}`],
    [`sid="${'A'.repeat(18)}"`],
    [`${'sid=1; '.repeat(1_000)}`],
    [';;;,,,===;sid;=;'],
    [`SID=${'A'.repeat(20)}`],
    [`sid=__proto__AAAAAAAAAAA`],
  ])('counts for nothing when it is no session: %.40s', async (line) => {
    await use(persistent);
    const answer = await ask([`Cookie: ${line}`]);
    expect(answer.status).toBe(200);
    expect(pairOf(answer)).toMatch(/^sid=[\w-]{20}$/);
    await use({ ...persistent, absoluteTimeoutMs: 60_000 });
    expect(pairOf(await ask([`Cookie: ${line}`]))).toMatch(/^sid=[\w-]{45}$/);
  });

  it('is searched for the first session that is one of this route', async () => {
    await use(persistent);
    const { pair, pod } = await beginOn('pod-13');
    await use({ ...persistent, scope: 'Test/another' });
    const foreign = await begin();
    await use(persistent);
    for (const line of [`${foreign.pair}; ${pair}`, `sid=gone; ${pair}`, `${pair}; ${foreign.pair}`]) {
      const answer = await ask([`Cookie: ${line}`]);
      expect([answer.body, answer.headers['set-cookie']]).toEqual([pod, undefined]);
    }
    expect((await ask([`Cookie: a=1`, `Cookie: ${pair}`])).body).toBe(pod);
  });

  it('leads nowhere with the endpoint of another backend in it', async () => {
    await serve([11], [14]);
    await use({ ...persistent, scope: 'Test/other' }, { shares: [share('other')] });
    const elsewhere = (await begin()).pair.slice(4);
    await use(persistent);
    const here = (await begin()).pair.slice(4);
    const answer = await ask([`Cookie: sid=${here.slice(0, 8)}${elsewhere.slice(8)}`]);
    expect([answer.body, pairOf(answer)]).toEqual(['pod-11', `sid=${here}`]);
  });
});

describe('data planes', () => {
  it('with a secret in common know each other’s sessions, and others begin anew', async () => {
    await use(persistent);
    for (let i = 0; i < 6; i++) {
      const { pair, pod } = await begin(i % 2);
      const there = await ask(withPair(pair), 1 - (i % 2));
      expect([there.body, there.headers['set-cookie']]).toEqual([pod, undefined]);
      expect(pairOf(await ask(withPair(pair), 2))).toMatch(/^sid=/);
    }
  });

  it('are not started with a secret that can be found by trying', () => {
    expect(() => createProxy({ affinitySecret: 'short' })).toThrow(/affinitySecret: shorter than 16/);
  });
});

describe('a session with an end', () => {
  it('is over when it has come, however often it was used, and cannot be made to last', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const start = Date.now();
    await use({ ...persistent, absoluteTimeoutMs: 60_000 });
    const { pair, pod } = await beginOn('pod-12');
    for (const later of [10_000, 50_000, 60_000]) {
      vi.setSystemTime(start + later);
      const answer = await ask(withPair(pair));
      expect([answer.body, answer.headers['set-cookie']]).toEqual([pod, undefined]);
    }
    vi.setSystemTime(start + 60_001);
    const renewed = await ask(withPair(pair));
    expect(pairOf(renewed)).toMatch(/^sid=[\w-]{45}$/);
    const [, value = ''] = pair.split('=');
    // The time of another session, or another time.
    const later = `${value.slice(0, 20)}${pairOf(renewed)!.slice(4 + 20)}`;
    const longer = `${value.slice(0, 20)}zzzzzzzzz${value.slice(29)}`;
    for (const forged of [longer, value.slice(0, 20), ...(renewed.body === pod ? [] : [later])])
      expect(pairOf(await ask([`Cookie: sid=${forged}`])), forged).toMatch(/^sid=/);
  });

  it('lives on when its end is lifted', async () => {
    await use({ ...persistent, absoluteTimeoutMs: 60_000 });
    const { pair, pod } = await begin();
    await use(persistent);
    const answer = await ask(withPair(pair));
    expect([answer.body, answer.headers['set-cookie']]).toEqual([pod, undefined]);
  });
});

describe('a balanced session', () => {
  it('moves only to an endpoint that is new', async () => {
    await use(balanced);
    await serve([11, 12]);
    const sessions = [];
    for (let i = 0; i < 30; i++) sessions.push(await begin());
    await serve([11, 12, 13]);
    const moved = new Set<string>();
    for (const { pair, pod } of sessions) {
      const answer = await ask(withPair(pair));
      expect(answer.headers['set-cookie']).toBeUndefined();
      if (answer.body !== pod) moved.add(answer.body);
    }
    expect([...moved]).toEqual(['pod-13']);
    await serve([11, 12]);
    for (const { pair, pod } of sessions) expect((await ask(withPair(pair))).body).toBe(pod);
  });

  it('stays at the endpoint that answered when its own could not be reached', async () => {
    await use(balanced);
    await serve([11, 99]);
    for (let i = 0; i < 6; i++) {
      const answer = await ask();
      expect([answer.status, answer.body]).toEqual([200, 'pod-11']);
      const again = await ask(withPair(pairOf(answer)));
      expect([again.body, again.headers['set-cookie']]).toEqual(['pod-11', undefined]);
    }
    expect(fronts[0]!.records.some(({ attempts }) => attempts === 2)).toBe(true);
  });
});

describe('a session', () => {
  it('may be told of in a header', async () => {
    await use({ ...persistent, carrier: { type: 'header', name: 'X-Session' } });
    for (const app of apps.values())
      app.answer('HTTP/1.1 200 OK\r\nX-Session: of the backend\r\nContent-Length: 0\r\n\r\n');
    const [first, second] = [await ask(), await ask()];
    expect(first.headers['x-session']).toMatch(/^[\w-]{20}$/);
    expect(second.headers['x-session']).not.toBe(first.headers['x-session']);
    await ask([`X-SESSION: ${first.headers['x-session']}`]);
    const endpoints = fronts[0]!.records.map((record) => record.endpoint);
    expect(endpoints[2]).toBe(endpoints[0]);
  });

  it('is told of whatever filters do to the headers of the backend, and beside its cookies', async () => {
    const without: Filter = { type: 'response-headers', set: [], add: [], remove: ['Set-Cookie'] };
    await use(persistent, { filters: [without] });
    expect(pairOf(await ask())).toMatch(/^sid=/);
    await use(persistent);
    apps.get(11)!.answer('HTTP/1.1 200 OK\r\nSet-Cookie: sid=app\r\nContent-Length: 6\r\n\r\npod-11');
    await serve([11]);
    expect((await ask()).headers['set-cookie']).toMatch(/^sid=app, sid=[\w-]{20};/);
  });

  it('is not told of in an answer that no backend has given', async () => {
    await use(persistent);
    await serve([]);
    const answer = await ask();
    expect([answer.status, answer.headers['set-cookie']]).toEqual([503, undefined]);
  });

  it('begins with a WebSocket too', async () => {
    const sockets = new WebSocketServer({ host: `${network}.15`, port: PORT });
    try {
      await serve([15]);
      await use(persistent);
      const socket = new WebSocket(`ws://${addressOf(0)}:${PORT}/`);
      const headers = await new Promise<string[]>((resolve, reject) => {
        socket.once('upgrade', (response) => resolve(response.headers['set-cookie'] ?? []));
        socket.once('error', reject);
      });
      expect(headers.join()).toMatch(/^sid=[\w-]{20};/);
      socket.terminate();
    } finally {
      for (const client of sockets.clients) client.terminate();
      await new Promise((resolve) => sockets.close(resolve));
    }
  });

  it('is kept over HTTP/2 on both sides, with the cookie in pieces', async () => {
    const servers = [16, 17].map((last) =>
      createHttp2Server((_request, response) => response.end(`pod-${last}`)).listen(PORT, `${network}.${last}`),
    );
    const client = connect(`http://${addressOf(0)}:${PORT}`);
    const get = (pair?: string) =>
      new Promise<{ body: string; pair: string | undefined }>((resolve, reject) => {
        const stream = client.request({ ':path': '/', ...(pair && { cookie: ['a=1', pair, 'b=2'] }) });
        let set: string[] = [];
        let body = '';
        stream.setEncoding('latin1');
        stream.on('response', (headers) => {
          set = headers['set-cookie'] ?? [];
        });
        stream.on('data', (chunk: string) => {
          body += chunk;
        });
        stream.on('end', () => resolve({ body, pair: set[0]?.split(';')[0] }));
        stream.on('error', reject);
      });
    try {
      await serve([16, 17]);
      await use(persistent, { app: { protocol: 'h2c' } });
      const [one, two] = [await get(), await get()];
      expect(new Set([one.body, two.body])).toEqual(new Set(['pod-16', 'pod-17']));
      for (const { body, pair } of [one, two, one, two]) expect(await get(pair)).toEqual({ body, pair: undefined });
    } finally {
      client.destroy();
      for (const server of servers) server.close();
    }
  });

  it.skipIf(!hasOpenssl())('has a Secure cookie where it comes over TLS', async () => {
    const { request } = await import('node:https');
    const only = route({ affinity: persistent });
    const secure = listener(addressOf(0), 8443, [host('*', [only])], {
      protocol: 'HTTPS',
      tls: { certificates: [{ serverName: '*', certificate: 'site' }] },
    });
    await fronts[0]!.plan(planOf([secure], [backend('app')], [selfSigned('site', 'a.example')]));
    const set = await new Promise<string[] | undefined>((resolve, reject) => {
      const asking = request(
        { host: addressOf(0), port: 8443, servername: 'a.example', rejectUnauthorized: false, agent: false },
        (response) => {
          response.resume();
          resolve(response.headers['set-cookie']);
        },
      );
      asking.on('error', reject);
      asking.end();
    });
    expect(set?.[0]).toMatch(/; HttpOnly; Secure$/);
  });
});
