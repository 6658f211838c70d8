import { connect, type IncomingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CorsFilter, ExternalAuthFilter } from '../../../routing/plan/plan.ts';
import { dechunk, OK } from '../../testing/backend.ts';
import { endpoint, share } from '../../testing/plans.ts';
import { dial } from '../../testing/sockets.ts';
import { PORT, type TwoBackends, twoBackends } from '../../testing/two-backends.ts';
import { answer, filter, until } from './testing.ts';

describe('external auth', () => {
  let place: TwoBackends;
  beforeAll(async () => {
    place = await twoBackends('127.77.14', 1);
  });
  beforeEach(() => {
    place.helper.requests.length = 0;
    place.app.requests.length = 0;
    place.helper.answer(OK);
    place.app.answer(OK);
  });
  afterAll(() => place.close());

  it('asks, and lets in with the headers of the answer in place of the client’s', async () => {
    await place.use([filter({ clientHeaders: { names: ['set-cookie'] } })]);
    place.helper.answer(answer(204, ['X-User: anna', 'X-Other: no', 'Set-Cookie: a=1', 'Set-Cookie: b=2']));
    const lines = ['X-User: root', 'Cookie: s=1', 'X-Original-URL: http://forged/', 'X-Forwarded-For: 9.9.9.9'];
    const got = await place.ask({ path: '/shop?q=1', lines });
    expect(got.status).toBe(200);
    expect(got.headers['set-cookie']).toBe('a=1, b=2');
    const [asked] = place.helper.requests;
    expect(asked!.line).toBe('GET /auth?from=here HTTP/1.1');
    expect(asked!.lines).toContain('Host: a.example');
    expect(asked!.lines).toContain('Cookie: s=1');
    expect(asked!.lines).toContain('X-Original-URL: http://a.example/shop?q=1');
    expect(asked!.lines).toContain('X-Original-Method: GET');
    expect(asked!.lines.join()).toMatch(/X-Real-IP: 127\.0\.0\.1/);
    expect(asked!.lines.join()).not.toMatch(/forged|9\.9\.9\.9/);
    const [seen] = place.app.requests;
    expect(seen!.line).toBe('GET /shop?q=1 HTTP/1.1');
    expect(seen!.lines.filter((line) => /^x-user/i.test(line))).toEqual(['X-User: anna']);
    expect(seen!.lines.join()).not.toMatch(/X-Other/);
  });

  it('takes the client’s word away also when the service says nothing', async () => {
    await place.use([filter()]);
    await place.ask({ lines: ['X-User: root'] });
    expect(place.app.requests[0]!.lines.join()).not.toMatch(/x-user/i);
  });

  it('takes what is written with underscores for the same, as many backends do', async () => {
    for (const responseHeaders of [['x-user'], 'all'] as const) {
      await place.use([filter({ responseHeaders })]);
      place.helper.answer(answer(204, ['X-User: anna']));
      await place.ask({
        lines: ['X_User: root', 'X_Original_URL: http://forged/', 'X_Forwarded_For: 9.9.9.9', 'A_b: 1'],
      });
      expect(place.helper.requests.at(-1)!.lines.join()).not.toMatch(/forged|9\.9\.9\.9/);
      expect(place.helper.requests.at(-1)!.lines).toContain('A_b: 1');
      const { lines } = place.app.requests.at(-1)!;
      expect(lines.filter((line) => /^x[_-]user/i.test(line))).toEqual(['X-User: anna']);
      expect(lines).toContain('A_b: 1');
    }
  });

  it('asks unconditionally for the whole answer, whatever the client asks of the backend', async () => {
    const lines = ['If-None-Match: "a"', 'If-Modified-Since: x', 'If-Match: "a"', 'Range: bytes=0-1', 'If-Range: "a"'];
    await place.use([filter()]);
    await place.ask({ lines });
    expect(place.helper.requests.at(-1)!.lines.join('\n')).not.toMatch(/^(if-|range)/im);
    for (const line of lines) expect(place.app.requests.at(-1)!.lines).toContain(line);
    await place.use([filter({ requestHeaders: ['range'] })]);
    await place.ask({ lines });
    expect(place.helper.requests.at(-1)!.lines).toContain('Range: bytes=0-1');
  });

  it('gives its cookies to clients though one share has CORS', async () => {
    const cors: CorsFilter = {
      type: 'cors',
      allowOrigins: ['*'],
      allowMethods: [],
      allowHeaders: [],
      exposeHeaders: [],
      allowCredentials: false,
      maxAgeSeconds: 5,
    };
    await place.use([filter({ clientHeaders: { names: ['set-cookie'] } })], {
      action: { type: 'forward', backends: [share('app', 1, [cors])] },
    });
    place.helper.answer(answer(204, ['Set-Cookie: a=1']));
    const { headers } = await place.ask({ lines: ['Origin: http://b.example'] });
    expect(headers).toMatchObject({ 'set-cookie': 'a=1', 'access-control-allow-origin': '*' });
  });

  it('lets no client take the headers of the answer out by naming them in Connection', async () => {
    for (const responseHeaders of [['x-user'], 'all'] as const) {
      await place.use([filter({ responseHeaders })]);
      place.helper.answer(answer(204, ['X-User: anna']));
      await place.ask({ lines: ['Connection: keep-alive, X-User, X-Mine', 'X-User: root', 'X-Mine: 1'] });
      const { lines } = place.app.requests.at(-1)!;
      expect(lines.filter((line) => /^x-(user|mine)/i.test(line))).toEqual(['X-User: anna']);
    }
  });

  it('lets WebSockets in, and turns them away', async () => {
    await place.use([filter()]);
    place.app.answer('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello');
    const lines = 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    const client = await dial(place.address, PORT);
    client.send(lines);
    await client.until('\r\n\r\nhello');
    expect(place.helper.requests[0]!.lines.join()).not.toMatch(/upgrade/i);
    client.socket.destroy();
    place.helper.answer(answer(401));
    const other = await dial(place.address, PORT);
    other.send(lines);
    expect(await other.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 401 /);
    other.socket.destroy();
  });

  it('passes a denial on with headers and body', async () => {
    await place.use([filter()]);
    place.helper.answer(answer(401, ['WWW-Authenticate: Bearer', 'Content-Type: text/html'], '<p>no</p>'));
    const got = await place.ask();
    expect(got).toMatchObject({ status: 401, body: '<p>no</p>' });
    expect(got.headers).toMatchObject({ 'www-authenticate': 'Bearer', 'content-type': 'text/html' });
    expect(place.app.requests).toEqual([]);
    expect(place.front.records.at(-1)).toMatchObject({ status: 401, flag: 'auth_denied', attempts: 0 });
  });

  it('passes a denial on without a body that is too large', async () => {
    await place.use([filter()]);
    place.helper.answer(answer(403, ['Content-Type: text/html', 'X-Why: no'], 'x'.repeat(100_000)));
    const got = await place.ask();
    expect(got).toMatchObject({ status: 403, headers: { 'x-why': 'no', 'content-type': 'text/plain; charset=utf-8' } });
    expect(got.body.length).toBeLessThan(1_000);
  });

  it('sends to sign in, with the URL asked for', async () => {
    const signIn = { url: 'https://login.example/start', parameter: 'rd', statuses: [401] };
    await place.use([filter({ signIn })]);
    place.helper.answer(answer(401, ['Set-Cookie: csrf=1']));
    const got = await place.ask({ path: '/shop?q=1&r=2' });
    expect(got.status).toBe(302);
    expect(got.headers['location']).toBe(
      'https://login.example/start?rd=http%3A%2F%2Fa.example%2Fshop%3Fq%3D1%26r%3D2',
    );
    expect(got.headers['set-cookie']).toBe('csrf=1');
    await place.use([filter({ signIn: { ...signIn, url: 'https://login.example/?x=1' } })]);
    expect((await place.ask()).headers['location']).toContain('/?x=1&rd=http');
    await place.use([filter({ signIn: { ...signIn, url: 'https://login.example/?rd=/' } })]);
    expect((await place.ask()).headers['location']).toBe('https://login.example/?rd=/');
  });

  it('fails closed when the service answers something else, with a status of choice', async () => {
    await place.use([filter({ failureStatus: 500 })]);
    place.helper.answer(answer(502));
    const got = await place.ask();
    expect(got.status).toBe(500);
    expect(got.body).not.toMatch(/502/);
    expect(place.front.records.at(-1)).toMatchObject({
      flag: 'auth_failed',
      reason: 'external auth failed: it answered 502',
    });
    expect(place.app.requests).toEqual([]);
  });

  it('tells clients of gRPC as little of why it failed as others', async () => {
    await place.use([filter()]);
    place.helper.answer(answer(502));
    const session = connect(`http://${place.address}:${PORT}`);
    const stream = session.request({
      ':method': 'POST',
      ':authority': 'a.example',
      'content-type': 'application/grpc',
    });
    const headers = await new Promise<IncomingHttpHeaders>((resolve) => stream.on('response', resolve).end());
    session.destroy();
    expect(headers).toMatchObject({ 'grpc-status': '14' });
    expect(headers['grpc-message']).not.toMatch(/502/);
    expect(place.front.records.at(-1)!.reason).toMatch(/it answered 502/);
  });

  it('never shows a success that was not admitted', async () => {
    await place.use([filter({ admits: '200', denials: 'all' })]);
    place.helper.answer(answer(201));
    expect((await place.ask()).status).toBe(403);
    place.helper.answer(answer(302, ['Location: /login']));
    expect(await place.ask()).toMatchObject({ status: 302, headers: { location: '/login' } });
  });

  it('fails closed when nobody is there, and open where that was asked for', async () => {
    await place.front.endpoints({ helper: [] });
    await place.use([filter()]);
    expect((await place.ask()).status).toBe(503);
    await place.use([filter({ failOpen: true })]);
    expect((await place.ask({ lines: ['X-User: root'] })).status).toBe(200);
    expect(place.app.requests[0]!.lines.join()).not.toMatch(/x-user/i);
    await place.front.endpoints({ helper: [endpoint('127.77.14.3', PORT)] });
  });

  it('waits no longer than it is told, and lets the connection go', async () => {
    await place.use([filter({ timeoutMs: 50 })]);
    let asked: Socket | undefined;
    place.helper.answer((_, socket) => {
      asked = socket;
    });
    expect((await place.ask()).status).toBe(503);
    await until(() => asked!.destroyed);
  });

  it('asks with the same method and path below a prefix, and sends only what is listed', async () => {
    await place.use([
      filter({
        method: undefined,
        path: { type: 'prefix', value: '/check/' },
        requestHeaders: ['authorization'],
        host: 'auth.example',
      }),
    ]);
    const lines = ['Authorization: Basic eA==', 'Cookie: s=1', 'Content-Length: 2'];
    expect((await place.ask({ method: 'POST', path: '/a?b', lines, body: 'hi' })).status).toBe(200);
    const [asked] = place.helper.requests;
    expect(asked!.line).toBe('POST /check/a?b HTTP/1.1');
    expect(asked!.lines).toContain('Host: auth.example');
    expect(asked!.lines).toContain('Content-Length: 0');
    expect(asked!.lines).toContain('Authorization: Basic eA==');
    expect(asked!.lines.join()).not.toMatch(/cookie/i);
    expect(place.app.requests[0]!.body).toBe('hi');
  });

  it('holds a body while it asks', async () => {
    await place.use([filter()]);
    let letIn = () => {};
    place.helper.answer((_, socket) => {
      letIn = () => socket.write(OK);
    });
    const client = await dial(place.address, PORT);
    client.send('POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n');
    await until(() => place.helper.requests.length === 1);
    client.send(
      `${(500_000).toString(16)}\r\n${'x'.repeat(500_000)}\r\n0\r\n\r\nGET /next HTTP/1.1\r\nHost: a.example\r\n\r\n`,
    );
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(place.app.requests).toEqual([]);
    letIn();
    await until(() => place.helper.requests.length === 2);
    letIn();
    await until(() => place.app.requests.length === 2);
    expect(place.app.requests[0]!.body.length).toBeGreaterThan(500_000);
    client.socket.destroy();
  });

  it('answers a denied upload without waiting for its end', async () => {
    await place.use([filter()]);
    place.helper.answer(answer(403));
    const client = await dial(place.address, PORT);
    client.send('POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000000\r\n\r\nsome');
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 403 [\s\S]*Connection: close/);
    client.socket.destroy();
  });

  describe('with the body', () => {
    const use = () => place.use([filter({ method: undefined, body: { maxBytes: 1_000 } })]);

    it('sends it to both', async () => {
      await use();
      const chunked = {
        method: 'POST',
        lines: ['Transfer-Encoding: chunked'],
        body: '3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n',
      };
      expect((await place.ask(chunked)).status).toBe(200);
      expect(place.helper.requests[0]!.body).toBe('onetwo');
      expect(place.helper.requests[0]!.lines).toContain('Content-Length: 6');
      expect(dechunk(place.app.requests[0]!.body).data).toBe('onetwo');
      expect((await place.ask({ method: 'POST', lines: ['Content-Length: 3'], body: 'abc' })).status).toBe(200);
      expect(place.helper.requests[1]!.body).toBe('abc');
      expect(place.app.requests[1]!.body).toBe('abc');
    });

    it('asks for it where the client waits to be asked', async () => {
      await use();
      const client = await dial(place.address, PORT);
      client.send('PUT / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n');
      await client.until('100 Continue\r\n\r\n');
      client.send('abc');
      await client.until('\r\n\r\nok');
      expect(place.app.requests[0]!).toMatchObject({ body: 'abc' });
      expect(place.app.requests[0]!.lines.join()).not.toMatch(/expect/i);
      client.socket.destroy();
    });

    it.each([
      ['announced', ['Content-Length: 1001'], 'x'.repeat(1_001)],
      ['in chunks', ['Transfer-Encoding: chunked'], `3e9\r\n${'x'.repeat(1_001)}\r\n0\r\n\r\n`],
    ])('refuses one that is larger, %s', async (_, lines, body) => {
      await use();
      expect((await place.ask({ method: 'POST', lines, body })).status).toBe(413);
      expect([...place.helper.requests, ...place.app.requests]).toEqual([]);
    });

    it('refuses one that is malformed', async () => {
      await use();
      const got = await place.ask({ method: 'POST', lines: ['Transfer-Encoding: chunked'], body: 'zz\r\n' });
      expect(got.status).toBe(400);
      expect([...place.helper.requests, ...place.app.requests]).toEqual([]);
    });

    it('measures one that was gathered by the limit of a share', async () => {
      const limit = { type: 'request-size', maxBytes: 3 } as const;
      await place.use([filter({ body: { maxBytes: 100 } })], {
        action: { type: 'forward', backends: [share('app', 1, [limit])] },
      });
      const lines = ['Transfer-Encoding: chunked'];
      expect((await place.ask({ method: 'POST', lines, body: '4\r\nfour\r\n0\r\n\r\n' })).status).toBe(413);
      expect((await place.ask({ method: 'POST', lines, body: '3\r\nthr\r\n0\r\n\r\n' })).status).toBe(200);
    });

    it('sends on one in chunks that turns out to be empty', async () => {
      await use();
      const got = await place.ask({ method: 'POST', lines: ['Transfer-Encoding: chunked'], body: '0\r\n\r\n' });
      expect(got.status).toBe(200);
      expect(place.app.requests).toMatchObject([{ body: '0\r\n\r\n' }]);
    });

    it('copies it to mirrors as well', async () => {
      await place.use([
        filter({ method: undefined, body: { maxBytes: 1_000 } }),
        { type: 'mirror', backend: 'helper', fraction: { numerator: 1, denominator: 1 } },
      ]);
      expect((await place.ask({ method: 'POST', lines: ['Content-Length: 3'], body: 'abc' })).status).toBe(200);
      await until(() => place.helper.requests.length === 2);
      expect(place.helper.requests.map(({ body }) => body)).toEqual(['abc', 'abc']);
    });
  });

  it('gives the question up when the client goes', async () => {
    await place.use([filter()]);
    let asked: Socket | undefined;
    place.helper.answer((_, socket) => {
      asked = socket;
    });
    const before = place.front.records.length;
    const client = await dial(place.address, PORT);
    client.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
    await until(() => place.helper.requests.length === 1);
    client.socket.resetAndDestroy();
    expect(await place.front.record(before + 1)).toMatchObject({ flag: 'client_closed', status: 0 });
    await until(() => asked!.destroyed);
  });

  it('counts the time into that of the route', async () => {
    await place.use([filter()], { timeouts: { requestMs: 80 } });
    place.helper.answer(() => {});
    const got = await place.ask();
    expect(got.status).toBe(504);
    expect(place.front.records.at(-1)).toMatchObject({ flag: 'request_timeout' });
  });

  it('goes on with the plan that the request began with', async () => {
    await place.use([filter()]);
    let letIn = () => {};
    place.helper.answer((_, socket) => {
      letIn = () => socket.write(OK);
    });
    const asked = place.ask({ path: '/old' });
    await until(() => place.helper.requests.length === 1);
    await place.use([], { action: { type: 'respond', status: 410, reason: 'gone' } });
    letIn();
    expect((await asked).status).toBe(200);
    expect((await place.ask()).status).toBe(410);
  });

  it('stands in its place among other gates, before and after it', async () => {
    await place.use([
      { type: 'concurrency', zone: 'z', key: { by: 'zone' }, max: 0, status: 429 },
      filter(),
      { type: 'request-size', maxBytes: 1 },
    ]);
    expect((await place.ask({ method: 'POST', lines: ['Content-Length: 2'], body: 'hi' })).status).toBe(413);
    expect(place.helper.requests).toEqual([]);
    expect((await place.ask()).status).toBe(429);
    expect(place.helper.requests).toHaveLength(1);
  });

  it('guards one share of a route', async () => {
    await place.use([], { action: { type: 'forward', backends: [share('app', 1, [filter()])] } });
    place.helper.answer(answer(204, ['X-User: anna']));
    expect((await place.ask()).status).toBe(200);
    expect(place.app.requests[0]!.lines).toContain('X-User: anna');
    place.helper.answer(answer(403));
    expect((await place.ask()).status).toBe(403);
  });

  it('keeps apart what is asked about many requests at once', async () => {
    await place.use([filter({ responseHeaders: ['x-user'] })]);
    place.helper.answer(({ lines }, socket) => {
      const name = lines.find((line) => line.startsWith('X-Name: '))!.slice(8);
      setTimeout(() => socket.write(answer(204, [`X-User: ${name}`])), 20 * Math.random());
    });
    place.app.answer(({ line, lines }, socket) => {
      const user = lines.find((each) => each.startsWith('X-User: '))!.slice(8);
      const body = `${line.split(' ')[1]} ${user}`;
      socket.write(answer(200, [], body));
    });
    const names = Array.from({ length: 40 }, (_, i) => `n${i}`);
    const got = await Promise.all(names.map((name) => place.ask({ path: `/${name}`, lines: [`X-Name: ${name}`] })));
    expect(got.map(({ body }) => body)).toEqual(names.map((name) => `/${name} ${name}`));
    // One connection after the other is used again.
    expect(place.helper.sockets.size).toBeLessThanOrEqual(40);
  });

  it('remembers outcomes by the headers named, over plans, until they are old', async () => {
    const cache = { zone: 'z', headers: ['authorization'], lifetimes: [{ statuses: [200, 401], ttlMs: 300 }] };
    await place.use([filter({ cache })]);
    const as = (name: string) => place.ask({ lines: [`Authorization: ${name}`] });
    place.helper.answer(answer(200, ['X-User: anna']));
    await as('anna');
    place.helper.answer(answer(401, [], 'no'));
    expect((await as('anna')).status).toBe(200);
    expect(place.app.requests[1]!.lines).toContain('X-User: anna');
    expect((await as('bert')).status).toBe(401);
    await place.use([filter({ cache, timeoutMs: 1_000 })]);
    expect(await as('bert')).toMatchObject({ status: 401, body: 'no' });
    expect(place.helper.requests).toHaveLength(2);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await as('anna')).status).toBe(401);
  });

  it.each<[string, Partial<ExternalAuthFilter>]>([
    ['is not in the plan', { backend: 'nobody' }],
    ['has a path that is none', { path: { type: 'fixed', value: '/a b' } }],
    ['would get a header of the connection', { setHeaders: [['Connection', 'x']] }],
    ['would get two lines', { setHeaders: [['X-A', 'x\r\ny']] }],
    ['is asked with a method that is none', { method: 'GE T' }],
    ['sends to sign in nowhere', { signIn: { url: 'x\r\ny', parameter: 'rd', statuses: [401] } }],
  ])('lets nobody in where the service %s', async (_, more) => {
    await place.use([filter(more)]);
    expect((await place.ask()).status).toBe(500);
    expect(place.front.findings.at(-1)).toMatch(/^FW5221/);
    expect(place.app.requests).toEqual([]);
  });
});
