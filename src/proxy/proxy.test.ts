/** The data plane end to end: what a backend sees of a request and a client of its response. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OK, type RecordingBackend, recordingBackend } from './testing/backend.ts';
import { createFront } from './testing/front.ts';
import { endpoint, host, listener, planOf, route, share, source } from './testing/plans.ts';
import { dial, shout } from './testing/sockets.ts';

const address = '127.79.1.1';
const port = 8080;
const front = createFront();
let app: RecordingBackend;

const changes = route({
  id: 'changes',
  match: { path: { type: 'prefix', value: '/changes' } },
  filters: [
    {
      type: 'request-headers',
      set: [['X-Set', 'new']],
      add: [['X-Add', 'more']],
      remove: ['x-gone', 'x-forwarded-for'],
    },
    { type: 'response-headers', set: [['X-Reply', 'set']], add: [], remove: ['x-secret'] },
    { type: 'rewrite', hostname: 'inner.example', path: { type: 'prefix', value: '/v2' } },
  ],
});
const routes = [
  changes,
  route({
    id: 'redirect',
    match: { path: { type: 'prefix', value: '/old' } },
    action: { type: 'redirect', scheme: 'https', status: 301, path: { type: 'prefix', value: '/new' } },
    filters: [{ type: 'response-headers', set: [['X-Reply', 'set']], add: [], remove: [] }],
  }),
  route({
    id: 'respond',
    match: { path: { type: 'prefix', value: '/fixed' } },
    action: { type: 'respond', status: 503, body: 'geschlossen für heute', reason: 'maintenance' },
  }),
  route({
    id: 'invalid',
    match: { path: { type: 'prefix', value: '/invalid' } },
    action: {
      type: 'forward',
      backends: [{ weight: 1, invalid: { status: 500, reason: 'no such Service' }, filters: [], source }],
    },
  }),
  route({
    id: 'empty',
    match: { path: { type: 'prefix', value: '/empty' } },
    action: { type: 'forward', backends: [share('nobody')] },
  }),
  route({ id: 'none', match: { path: { type: 'prefix', value: '/none' } }, action: { type: 'forward', backends: [] } }),
  route({
    id: 'secure',
    match: { path: { type: 'prefix', value: '/secure' } },
    action: { type: 'forward', backends: [share('secure')] },
  }),
  route({
    id: 'patient',
    match: { path: { type: 'prefix', value: '/patient' } },
    // Longer than timers can be: 1000h, for which people mean never.
    timeouts: { requestMs: 3_600_000_000, backendRequestMs: 3_600_000_000 },
  }),
  route({ id: 'rest', match: { path: { type: 'prefix', value: '/' } } }),
];

const backends = ['app', 'nobody'].map((id) => ({ ...planOf([]).backends.app!, id }));
const secure = { ...backends[0]!, id: 'secure', protocol: 'h2c' as const };

beforeAll(async () => {
  app = await recordingBackend(address, 8081);
  await front.endpoints({ app: [endpoint(address, 8081)], secure: [endpoint(address, 8081)] });
  const report = await front.plan(
    planOf([listener(address, port, [host('www.example', routes)])], [...backends, secure]),
  );
  expect(report.listeners).toEqual({ [`${address}:${port}/HTTP`]: { bound: true } });
});

beforeEach(() => {
  app.requests.length = 0;
  app.answer(OK);
});

afterAll(async () => {
  await front.close();
  await app.close();
});

const ask = (request: string) => shout(address, port, request);
const get = (path: string, more = '') =>
  ask(`GET ${path} HTTP/1.1\r\nHost: www.example\r\n${more}Connection: close\r\n\r\n`);

describe('what a backend sees', () => {
  it('is the request byte for byte, without what belongs to the hop', async () => {
    await ask(
      'GET /a%2Fb//c/../d?x=1&y=%20&& HTTP/1.1\r\nHOST:  www.example:8080 \r\nConnection: close, X-Hop\r\nX-Hop: 1\r\n' +
        'Keep-Alive: 300\r\nTE: trailers\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\nx-MiXed: \ta  b\t\r\nAccept: */*\r\n\r\n',
    );
    const [request] = app.requests;
    expect(request?.line).toBe('GET /a%2Fb//c/../d?x=1&y=%20&& HTTP/1.1');
    expect(request?.lines).toEqual([
      'HOST:  www.example:8080 ',
      'x-MiXed: \ta  b\t',
      'Accept: */*',
      'X-Forwarded-For: 127.0.0.1',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Port: 8080',
      'X-Forwarded-Host: www.example:8080',
    ]);
  });

  it('names the client truly, whatever the client says', async () => {
    await get(
      '/',
      'X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\nForwarded: for=9.9.9.9\r\nX-Real-IP: 9.9.9.9\r\n',
    );
    expect(app.requests[0]?.lines.filter((line) => /forwarded|real/i.test(line))).toEqual([
      'X-Forwarded-For: 127.0.0.1',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Port: 8080',
      'X-Forwarded-Host: www.example',
    ]);
  });

  it('has the changes of the route', async () => {
    await get('/changes/x?q=1', 'X-Gone: 1\r\nX-Set: old\r\nX-Add: first\r\n');
    const [request] = app.requests;
    expect(request?.line).toBe('GET /v2/x?q=1 HTTP/1.1');
    expect(request?.lines).toEqual([
      'Host: inner.example',
      'X-Add: first',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Port: 8080',
      'X-Forwarded-Host: www.example',
      'X-Set: new',
      'X-Add: more',
    ]);
  });

  it('is an origin-form target with the host of an absolute one', async () => {
    await ask('GET http://www.example/p?q HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n');
    expect(app.requests[0]?.line).toBe('GET /p?q HTTP/1.1');
    expect(app.requests[0]?.lines).toContain('Host: www.example');
    expect(app.requests[0]?.lines).not.toContain('Host: other.example');
  });
});

describe('what a client sees', () => {
  it('is the response with a Date and without the hop', async () => {
    app.answer(
      'HTTP/1.1 201 Made So\r\nContent-Length: 2\r\nServer: mine\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nConnection: keep-alive, x-hop\r\nX-Odd : spaced\r\n\r\nok',
    );
    const text = await get('/');
    expect(text).toMatch(/^HTTP\/1\.1 201 Made So\r\nContent-Length: 2\r\nServer: mine\r\n/);
    expect(text).toMatch(/\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/);
    expect(text).toContain('\r\nX-Odd: spaced\r\n');
    expect(text).toMatch(/\r\nConnection: close\r\n(?:.*\r\n)*\r\nok$/);
    expect(text).not.toMatch(/x-hop|keep-alive/i);
  });

  it('has the changes of the route', async () => {
    app.answer('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Secret: 1\r\nx-reply: old\r\nDate: today\r\n\r\n');
    const text = await get('/changes');
    expect(text).toContain('\r\nX-Reply: set\r\n');
    expect(text).toContain('\r\nDate: today\r\n');
    expect(text).not.toMatch(/x-secret|old/i);
  });

  it('is waited for where the route gives it more time than timers have', async () => {
    app.answer((_, socket) => void setTimeout(() => socket.write(OK), 30));
    expect(await get('/patient')).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('is a redirect', async () => {
    const text = await get('/old/page?q=1');
    expect(text).toMatch(/^HTTP\/1\.1 301 Moved Permanently\r\n/);
    expect(text).toContain('\r\nLocation: https://www.example/new/page?q=1\r\n');
    expect(text).toContain('\r\nX-Reply: set\r\n');
  });

  it('is a fixed response, with the length of its bytes', async () => {
    const text = await get('/fixed');
    expect(text).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
    expect(text).toContain('\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 22\r\n');
    expect(Buffer.from(text, 'latin1').toString().endsWith('\r\n\r\ngeschlossen für heute')).toBe(true);
  });
});

describe('requests that go nowhere', () => {
  it.each([
    ['/nowhere', 'other.example', 404, 'no_host'],
    ['/invalid', 'www.example', 500, 'invalid_backend'],
    ['/none', 'www.example', 500, 'invalid_backend'],
    ['/empty', 'www.example', 503, 'no_endpoints'],
  ])('%s of %s is %d', async (path, hostname, status, flag) => {
    const before = front.records.length;
    const text = await ask(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`);
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(await front.record(before + 1)).toMatchObject({ status, flag, attempts: 0 });
    expect(app.requests).toEqual([]);
  });
});

describe('the access record', () => {
  it('tells the whole path', async () => {
    const before = front.records.length;
    await ask('POST /log?x HTTP/1.1\r\nHost: www.example\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc');
    expect(await front.record(before + 1)).toMatchObject({
      listener: `${address}:${port}/HTTP`,
      client: '127.0.0.1',
      method: 'POST',
      host: 'www.example',
      target: '/log?x',
      protocol: 'HTTP/1.1',
      status: 200,
      requestBytes: 3,
      responseBytes: 2,
      route: 'rest',
      backend: 'app',
      endpoint: `${address}:8081`,
      attempts: 1,
    });
    expect((await front.record(before + 1)).flag).toBeUndefined();
  });
});

describe('keep-alive', () => {
  it('serves one connection request by request, over one connection to the backend', async () => {
    const client = await dial(address, port);
    for (let i = 1; i <= 3; i++) {
      client.send(`GET /${i} HTTP/1.1\r\nHost: www.example\r\n\r\n`);
      await client.until((text) => text.split('\r\n\r\nok').length === i + 1);
    }
    expect(app.requests.map(({ line }) => line)).toEqual(['GET /1 HTTP/1.1', 'GET /2 HTTP/1.1', 'GET /3 HTTP/1.1']);
    expect(new Set(app.requests.map(({ connection }) => connection)).size).toBe(1);
    client.socket.destroy();
  });

  it('is asked for by HTTP/1.0 clients only', async () => {
    const closing = await ask('GET / HTTP/1.0\r\nHost: www.example\r\n\r\n');
    expect(closing).toContain('\r\nConnection: close\r\n');
    const client = await dial(address, port);
    client.send('GET / HTTP/1.0\r\nHost: www.example\r\nConnection: keep-alive\r\n\r\n');
    expect(await client.until('\r\n\r\nok')).toContain('\r\nConnection: keep-alive\r\n');
    client.send('GET / HTTP/1.0\r\nHost: www.example\r\n\r\n');
    await client.closed();
    expect(app.requests).toHaveLength(3);
  });

  it('answers pipelined requests in their order, however long each takes', async () => {
    app.answer((request, socket) => {
      const number = Number(/\d+/.exec(request.line)?.[0]);
      const body = `<${number}>`;
      setTimeout(
        () => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
        number === 0 ? 60 : 0,
      );
    });
    const client = await dial(address, port);
    const paths = Array.from({ length: 100 }, (_, i) => (i % 7 === 3 ? '/fixed' : `/${i}`));
    client.send(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: www.example\r\n\r\n`).join(''));
    const text = await client.until('<99>');
    const order = [...text.matchAll(/<(\d+)>|geschlossen/g)].map((match) => (match[1] ? `/${match[1]}` : '/fixed'));
    expect(order).toEqual(paths);
    client.socket.destroy();
  });
});
