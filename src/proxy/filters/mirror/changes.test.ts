/** Copies that are not what the route's own backend gets. */
import { createServer, type Http2Server } from 'node:http2';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Filter, MirrorFilter } from '../../../routing/plan/plan.ts';
import type { SeenRequest } from '../../testing/backend.ts';
import { backend, endpoint, host, listener, planOf, route, source } from '../../testing/plans.ts';
import { PORT, type TwoBackends, twoBackends } from '../../testing/two-backends.ts';

let two: TwoBackends;
let h2: Http2Server;
const seenOverHttp2: { authority: string | undefined; path: string | undefined; body: string }[] = [];

beforeAll(async () => {
  two = await twoBackends('127.87.3', 1, { filters: { mirrorBufferBytes: 1_000 } });
  h2 = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      seenOverHttp2.push({ authority: request.authority, path: request.url, body });
      response.end();
    });
  });
  await new Promise<void>((resolve) => h2.listen(PORT, '127.87.3.4', resolve));
});

beforeEach(() => {
  for (const { requests } of [two.app, two.helper]) requests.length = 0;
  two.front.findings.length = 0;
});

afterAll(async () => {
  await two.close();
  h2.close();
});

const mirror = (more: Partial<MirrorFilter>): MirrorFilter => ({
  ...{ type: 'mirror', backend: 'helper', fraction: { numerator: 1, denominator: 1 } },
  ...more,
});
const changing: readonly Filter[] = [
  { type: 'rewrite', hostname: 'inner.example', path: { type: 'full', value: '/rewritten' } },
  { type: 'request-headers', set: [['X-Who', 'the route']], add: [], remove: [] },
];

async function copyOf(): Promise<SeenRequest> {
  await expect.poll(() => two.helper.requests.length, { timeout: 3_000, interval: 5 }).toBe(1);
  return two.helper.requests[0]!;
}

const named = (request: SeenRequest, name: string) =>
  request.lines.filter((line) => line.toLowerCase().startsWith(`${name}:`));

describe('a copy', () => {
  it('has a host and a target made of the request as the client sent it', async () => {
    await two.use([
      ...changing,
      mirror({
        host: ['copy-of-', { of: 'fact', fact: 'hostname' }],
        target: ['/copy', { of: 'fact', fact: 'uri' }, '&who=', { of: 'header', name: 'x-who' }],
      }),
    ]);
    expect((await two.ask({ path: '/a/%20b?c=d', lines: ['X-Who: client'] })).status).toBe(200);
    const copy = await copyOf();
    expect(copy.line).toBe('GET /copy/a/%20b?c=d&who=client HTTP/1.1');
    expect(named(copy, 'host')).toEqual(['Host: copy-of-a.example']);
    expect(named(copy, 'x-who')).toEqual(['X-Who: the route']);
    const [original] = two.app.requests;
    expect(original!.line).toBe('GET /rewritten?c=d HTTP/1.1');
    expect(named(original!, 'host')).toEqual(['Host: inner.example']);
  });

  it('has what the backend gets where it has nothing of its own', async () => {
    await two.use([...changing, mirror({ host: ['b.example:81'] })]);
    await two.ask({ path: '/a?c=d', method: 'POST', lines: ['Content-Length: 3'], body: 'abc' });
    const copy = await copyOf();
    expect([copy.line, copy.body]).toEqual(['POST /rewritten?c=d HTTP/1.1', 'abc']);
    expect(named(copy, 'host')).toEqual(['Host: b.example:81']);
    two.helper.requests.length = 0;
    await two.use([...changing, mirror({ target: ['/elsewhere'] })]);
    await two.ask({
      path: '/a?c=d',
      method: 'POST',
      lines: ['Transfer-Encoding: chunked'],
      body: '3\r\nabc\r\n0\r\n\r\n',
    });
    const other = await copyOf();
    expect([other.line, named(other, 'host')]).toEqual(['POST /elsewhere HTTP/1.1', ['Host: inner.example']]);
    expect(other.body).toContain('abc');
  });

  it('goes out where no backend takes the request, if that is asked for', async () => {
    const invalid = { status: 404, reason: 'nobody' };
    const action = { type: 'forward', backends: [{ weight: 1, invalid, filters: [], source }] } as const;
    const posted = { path: '/a?b', method: 'POST', lines: ['Content-Length: 3'], body: 'abc' };
    await two.use([mirror({})], { action });
    expect((await two.ask(posted)).status).toBe(404);
    await two.use([mirror({ unsent: true })], { action });
    expect((await two.ask(posted)).status).toBe(404);
    const copy = await copyOf();
    expect([copy.line, copy.body]).toEqual(['POST /a?b HTTP/1.1', 'abc']);
  });

  it.each([
    ['a length', ['Content-Length: 3', 'Expect: 100-continue'], 'abc'],
    ['chunks', ['Transfer-Encoding: chunked', 'Trailer: X-Sum'], '3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n'],
  ])('goes without its body where that had %s', async (_what, lines, body) => {
    await two.use([mirror({ withoutBody: true })]);
    expect((await two.ask({ method: 'POST', lines: [...lines, 'Content-Type: text/x'], body })).status).toBe(200);
    const copy = await copyOf();
    expect([copy.line, copy.body]).toEqual(['POST / HTTP/1.1', '']);
    for (const name of ['content-length', 'transfer-encoding', 'expect', 'trailer'])
      expect(named(copy, name)).toEqual([]);
    expect(named(copy, 'content-type')).toEqual(['Content-Type: text/x']);
    expect(two.app.requests[0]!.body).toContain('abc');
    expect(two.helper.unread()).toEqual([]);
  });

  it('goes without a body that is larger than what may wait for the mirror', async () => {
    await two.use([mirror({ withoutBody: true })]);
    const body = 'x'.repeat(5_000);
    expect((await two.ask({ method: 'PUT', lines: ['Content-Length: 5000'], body })).status).toBe(200);
    expect((await copyOf()).body).toBe('');
    expect(two.app.requests[0]!.body).toBe(body);
    expect(two.front.findings).toEqual([]);
  });

  it('can always be written: what no target holds is escaped, and to what is no host nothing is sent', async () => {
    await two.use([mirror({ target: [{ of: 'header', name: 'x-to' }] })]);
    await two.ask({ lines: ['X-To: a b#c\u00fc'] });
    expect((await copyOf()).line).toBe('GET /a%20b%23c%FC HTTP/1.1');
    two.helper.requests.length = 0;
    await two.use([mirror({ host: [{ of: 'header', name: 'x-to' }] })]);
    for (const lines of [['X-To: a b'], ['X-To: a/b'], []]) expect((await two.ask({ lines })).status).toBe(200);
    expect(two.front.findings).toEqual([expect.stringMatching(/^FW5220 copies for the mirror helper: .* host/)]);
    await two.ask({ lines: ['X-To: ok'] });
    expect(named(await copyOf(), 'host')).toEqual(['Host: ok']);
  });

  it('is not sent, and that is said, where the plan asks for what a request does not have', async () => {
    await two.use([mirror({ host: [{ of: 'response-header', name: 'x-to' }] })]);
    expect((await two.ask()).status).toBe(200);
    expect(two.front.findings).toEqual([expect.stringMatching(/^FW5204 .*the mirror helper gets nothing/)]);
    expect(two.helper.requests).toEqual([]);
  });

  it('is changed for mirrors that speak HTTP/2 just the same', async () => {
    await two.front.endpoints({ over2: [endpoint('127.87.3.4', PORT)] });
    const filters = [mirror({ backend: 'over2', host: ['h2.example'], target: ['/two?'], withoutBody: true })];
    const hosts = [host('*', [route({ filters })])];
    await two.front.plan(planOf([listener(two.address, PORT, hosts)], [backend('app'), backend('over2', 'h2c')]));
    expect((await two.ask({ method: 'POST', lines: ['Content-Length: 3'], body: 'abc' })).status).toBe(200);
    await expect
      .poll(() => seenOverHttp2, { timeout: 3_000, interval: 5 })
      .toEqual([{ authority: 'h2.example', path: '/two?', body: '' }]);
  });
});
