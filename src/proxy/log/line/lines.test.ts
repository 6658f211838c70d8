/** Lines in a format of somebody else's, through a data plane. */
import { connect as connectHttp2 } from 'node:http2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LogFact, LogField, LogFormat, Route, WeightedBackend } from '../../../routing/plan/plan.ts';
import { askFront, type PlainRequest } from '../../testing/ask.ts';
import { type RecordingBackend, recordingBackend } from '../../testing/backend.ts';
import { createFront, type Front } from '../../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route, share } from '../../testing/plans.ts';
import { dial } from '../../testing/sockets.ts';

const address = '127.77.19.1';
const behind = '127.77.19.2';
const nobody = '127.77.19.3';
const PORT = 8080;
const id = 'shop/app:80';
const canary = 'shop/new:81';

const facts = (...names: LogFact[]): LogField[] => names.map((fact) => ({ of: 'log', fact }));

/** Fields with blanks between them. */
const formatOf = (fields: readonly LogField[], more: Partial<LogFormat> = {}): LogFormat => ({
  parts: fields.flatMap((field, i) => (i === 0 ? [field] : [' ', field])),
  escape: 'default',
  ...more,
});

describe('lines of a listener', () => {
  let front: Front;
  let app: RecordingBackend;
  beforeAll(async () => {
    app = await recordingBackend(behind, PORT);
    front = createFront({ accessLines: true, upstream: { connectTimeoutMs: 500 } });
    await front.endpoints({
      [id]: [endpoint(behind, PORT)],
      [canary]: [endpoint(behind, PORT)],
      two: [endpoint(nobody, PORT), endpoint(behind, PORT)],
    });
  });
  afterEach(() => app.answer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
  afterAll(async () => {
    await front.close();
    await app.close();
  });

  const ingress = { object: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', namespace: 'shop', name: 'web' } };
  const to = (backends: readonly WeightedBackend[], more: Partial<Route> = {}) =>
    route({ source: ingress, action: { type: 'forward', backends }, ...more });

  async function use(logFormat: LogFormat | undefined, routes: readonly Route[] = [to([share(id)])]): Promise<void> {
    const place = listener(address, PORT, [host('a.example', routes)], logFormat && { logFormat });
    await front.plan(planOf([place], [backend(id), backend(canary), backend('two')]));
  }

  /** The line of what `act` asks. */
  async function lineOf(act: () => Promise<unknown>): Promise<string> {
    const count = front.records.length + 1;
    await act();
    return (await front.record(count)).line!;
  }
  const asked = (request: PlainRequest = {}) => lineOf(() => askFront(address, PORT, request));

  it('are those of ingress-nginx without a format', async () => {
    await use(undefined);
    const lines = ['User-Agent: curl/8', 'X-Request-ID: r1', 'Authorization: Basic YWRhOng='];
    expect(await asked({ path: '/p?q', lines })).toMatch(
      /^127\.0\.0\.1 - ada \[[^\]]+ \+0000\] "GET \/p\?q HTTP\/1\.1" 200 2 "-" "curl\/8" 107 [0-9.]{5} \[shop-app-80\] \[\] 127\.77\.19\.2:8080 2 [0-9.]{5} 200 r1$/,
    );
  });

  it('name the canary that a request went to, and ports as the Ingress does', async () => {
    const names = facts('upstream-name', 'alternative-upstream-name', 'namespace', 'ingress-name', 'service-name', 'service-port', 'server-name'); // biome-ignore format: one line
    const main = { ...share(id, 0), portName: 'web' };
    await use(formatOf(names), [
      route({
        source: ingress,
        action: { type: 'forward', backends: [main, share(canary, 100)], canary: {} },
      }),
    ]);
    expect(await asked()).toBe('shop-app-web shop-new-81 shop web app web a.example');
    await use(formatOf(names), [to([main, share(canary)])]);
    expect(await asked()).toBe('shop-new-81  shop web new 81 a.example');
  });

  it('have no names where nothing routes the request', async () => {
    await use(formatOf(facts('status', 'upstream-name', 'namespace', 'service-port', 'server-name', 'upstream-address')), []); // biome-ignore format: one line
    expect(await asked()).toBe('404 -   a.example -');
  });

  it('have no name of an Ingress where a class answers', async () => {
    const ofClass = { object: { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', name: 'nginx' } };
    await use(formatOf(facts('status', 'ingress-name', 'upstream-name')), [
      route({ source: ofClass, action: { type: 'respond', status: 404, reason: 'test' } }),
    ]);
    expect(await asked()).toBe('404  -');
  });

  it('have each endpoint that was tried', async () => {
    const names = facts('upstream-address', 'upstream-status', 'upstream-response-length', 'upstream-header-time');
    await use(formatOf(names), [to([share('two')])]);
    const found: string[] = [];
    while (found.length < 2 && !found.at(-1)?.includes(',')) found.push(await asked());
    expect(found.at(-1)).toMatch(/^127\.77\.19\.3:8080, 127\.77\.19\.2:8080 502, 200 0, 2 -, [0-9.]{5}$/);
  });

  it('have the statuses that a request was sent again for', async () => {
    let times = 0;
    app.answer((_request, socket) => {
      socket.write(times++ === 0 ? 'HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nbusy' : 'HTTP/1.1 200 OK\r\nX-Told: b\r\nContent-Length: 0\r\n\r\n'); // biome-ignore format: one line
    });
    const retry = { attempts: 2, statuses: [503], on: [], methods: 'all' as const, backoffMs: 0, maxBackoffMs: 0 };
    const told: LogField = { of: 'response-header', name: 'x-told' };
    await use(formatOf([...facts('status', 'upstream-status'), told]), [to([share(id)], { retry })]);
    expect(await asked()).toBe('200 503, 200 b');
  });

  it('have 504 for a backend that takes too long', async () => {
    app.answer(() => {});
    await use(formatOf(facts('status', 'upstream-status', 'upstream-header-time')), [
      to([share(id)], { timeouts: { backendRequestMs: 30 } }),
    ]);
    expect(await asked()).toBe('504 504 -');
  });

  it('have 499 for a client that has left', async () => {
    app.answer(() => {});
    await use(formatOf(facts('status', 'upstream-status', 'upstream-address')));
    const line = await lineOf(async () => {
      const client = await dial(address, PORT);
      const before = app.requests.length;
      client.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
      while (app.requests.length === before) await new Promise((resolve) => setImmediate(resolve));
      client.socket.resetAndDestroy();
    });
    expect(line).toBe('499 - 127.77.19.2:8080');
  });

  it('have nothing of the request before where one cannot be read', async () => {
    const header: LogField = { of: 'header', name: 'x-secret' };
    const from: LogField = { of: 'fact', fact: 'client-address' };
    await use(formatOf([from, ...facts('status', 'request-length', 'remote-user'), header]));
    expect(await asked({ lines: ['X-Secret: s'] })).toMatch(/^127\.0\.0\.1 200 [0-9]+ - s$/);
    const line = await lineOf(async () => {
      const client = await dial(address, PORT);
      client.send('GET / HTTP/1.1\r\nHost: a.example\r\nX Secret: t\r\n\r\n');
      await client.until((text) => text.includes('400'));
      client.socket.destroy();
    });
    expect(line).toBe('127.0.0.1 400 0 - -');
  });

  it('count heads and bodies', async () => {
    const request = 'POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\n\r\nabc';
    app.answer('HTTP/1.1 200 OK\r\nDate: Mon, 02 Nov 2026 03:04:05 GMT\r\nContent-Length: 5\r\n\r\nhello');
    await use(formatOf([...facts('request-length', 'bytes-sent', 'body-bytes-sent', 'upstream-response-length'), { of: 'sent-header', name: 'content-length' }])); // biome-ignore format: one line
    const sent = 'HTTP/1.1 200 OK\r\nDate: Mon, 02 Nov 2026 03:04:05 GMT\r\nContent-Length: 5\r\n\r\nhello';
    const line = await asked({ method: 'POST', path: '/x', lines: ['Content-Length: 3'], body: 'abc' });
    expect(line).toBe(`${request.length} ${sent.length} 5 5 5`);
  });

  it('have what a response is here, and nothing of the one in whose place it is', async () => {
    const type: LogField = { of: 'sent-header', name: 'content-type' };
    await use(formatOf([...facts('status', 'body-bytes-sent'), type]), [
      route({ action: { type: 'respond', status: 403, body: 'no', reason: 'test' } }),
    ]);
    expect(await asked()).toBe('403 2 text/plain; charset=utf-8');
  });

  it('are the same over HTTP/2, but for lengths of heads', async () => {
    const agent: LogField = { of: 'header', name: 'user-agent' };
    const told: LogField = { of: 'sent-header', name: 'x-told' };
    app.answer('HTTP/1.1 200 OK\r\nX-Told: yes\r\nContent-Length: 2\r\n\r\nok');
    await use(formatOf([...facts('request-line', 'status', 'body-bytes-sent', 'upstream-status', 'server-name'), agent, told])); // biome-ignore format: one line
    const line = await lineOf(
      () =>
        new Promise<void>((resolve, reject) => {
          const session = connectHttp2(`http://${address}:${PORT}`);
          session.on('error', reject);
          const stream = session.request({ ':path': '/h2', ':authority': 'a.example', 'user-agent': 'two' });
          stream.resume();
          stream.on('end', () => session.close(resolve));
        }),
    );
    expect(line).toBe('GET /h2 HTTP/2.0 200 2 200 a.example two yes');
  });

  it('cannot be forged', async () => {
    const agent: LogField = { of: 'header', name: 'user-agent' };
    const parts = ['[', agent, '] "', ...facts('request-line'), '" ', ...facts('remote-user'), ' ', ...facts('status')];
    const user = Buffer.from('root 200\n[x] "GET / HTTP/1.1" admin:x').toString('base64');
    const lines = ['User-Agent: x] "GET /admin HTTP/1.1" root 200', `Authorization: Basic ${user}`];
    for (const escaping of ['default', 'none'] as const) {
      await use({ parts, escape: escaping });
      expect(await asked({ lines })).toBe(
        '[x\\x5D \\x22GET /admin HTTP/1.1\\x22 root 200] "GET / HTTP/1.1" ' +
          'root\\x20200\\x0A[x]\\x20\\x22GET\\x20/\\x20HTTP/1.1\\x22\\x20admin 200',
      );
    }
    const json = ['{"agent":"', agent, '","status":', ...facts('status'), '}'];
    await use({ parts: json, escape: 'json' });
    const line = await asked({ lines: ['User-Agent: x","status":999,"y":"\\'] });
    expect(JSON.parse(line)).toEqual({ agent: 'x","status":999,"y":"\\', status: 200 });
  });
});

it('records have no lines unless they are asked for', async () => {
  const front = createFront();
  await front.plan(planOf([listener(address, PORT + 1, [], { logFormat: formatOf(facts('status')) })]));
  await askFront(address, PORT + 1);
  expect((await front.record(1)).line).toBeUndefined();
  await front.close();
});
