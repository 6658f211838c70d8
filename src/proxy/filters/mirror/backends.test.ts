/** Copies to mirrors of every kind, from clients of every kind, with node's own servers as mirrors. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  type ClientHttp2Stream,
  connect,
  createServer as createHttp2Server,
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BackendPolicy } from '../../../routing/plan/backend-policy.ts';
import type { Backend, BackendTls, Route } from '../../../routing/plan/plan.ts';
import type { Retry } from '../../../routing/plan/retry.ts';
import { type Authority, authority, hasOpenssl } from '../../testing/certificates.ts';
import { createFront } from '../../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route, source } from '../../testing/plans.ts';
import { shout } from '../../testing/sockets.ts';

const address = '127.77.19.1';
const place = '127.77.19.2';
const port = 8080;
const able = hasOpenssl();
if (!able) console.log('skipped: the openssl command is missing');

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly host: string | undefined;
  readonly body: string;
  readonly sum: string | undefined;
  readonly contentType: string | undefined;
}

type Asked = IncomingMessage | Http2ServerRequest;
type Answering = ServerResponse | Http2ServerResponse;

/** What the mirror got, whole. */
const seen: Seen[] = [];
let status = 200;
/** Bytes of bodies that the mirror got. */
let taken = 0;
let connections = 0;

function take(request: Asked, response: Answering): void {
  let body = '';
  request.on('error', () => {});
  request.setEncoding('latin1');
  request.on('data', (text: string) => {
    body += text;
    taken += text.length;
  });
  request.on('end', () => {
    const { method, url, headers, trailers } = request;
    const sum = trailers['x-sum'] as string | undefined;
    const contentType = headers['content-type'];
    seen.push({ method, url, host: headers.host ?? (headers[':authority'] as string), body, sum, contentType });
    response.statusCode = status;
    response.end('nobody reads this');
  });
}

const front = createFront({ filters: { mirrorBufferBytes: 200_000, mirrorTimeoutMs: 10_000 } });
const servers: Server[] = [];

async function listen(server: Server, at = place): Promise<number> {
  servers.push(server);
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, at, resolve));
  return (server.address() as AddressInfo).port;
}

async function use(mirror: Backend, more: Partial<Route> = {}): Promise<void> {
  const filters = [{ type: 'mirror', backend: 'copy', fraction: { numerator: 1, denominator: 1 } }] as const;
  const hosts = [host('*', [route({ filters, ...more })])];
  await front.plan(planOf([listener(address, port, hosts)], [backend('app'), mirror]));
}

const until = (holds: () => boolean) => expect.poll(holds, { timeout: 3_000, interval: 5 }).toBe(true);
const ask = async (rest: string) => Number((await shout(address, port, rest)).slice(9, 12));
const get = (path = '/', more = '') =>
  ask(`GET ${path} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n${more}\r\n`);

/** Over HTTP/2; the status of the response. */
function call(headers: Record<string, string>, pieces: readonly string[], trailers?: Record<string, string>) {
  const session = connect(`http://${address}:${port}`);
  return new Promise<number>((resolve, reject) => {
    const stream = session.request({ ':authority': 'a.example', ...headers }, { waitForTrailers: true });
    let got = 0;
    stream.on('response', (response) => {
      got = response[':status'] ?? 0;
    });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers ?? {}));
    stream.on('error', reject);
    stream.on('close', () => {
      session.close();
      resolve(got);
    });
    stream.resume();
    void writeSlowly(stream, pieces);
  });
}

/** Never so far ahead of the mirror that its copy would be given up. */
async function writeSlowly(stream: ClientHttp2Stream, pieces: readonly string[]): Promise<void> {
  let sent = 0;
  for (const piece of pieces) {
    stream.write(piece);
    sent += piece.length;
    while (!stream.destroyed && sent - taken > 100_000) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  stream.end();
}

beforeAll(async () => {
  const app = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.end('ok'));
  });
  await front.endpoints({ app: [endpoint(place, await listen(app))] });
});

beforeEach(() => {
  seen.length = 0;
  status = 200;
  taken = 0;
  connections = 0;
  front.findings.length = 0;
  front.records.length = 0;
});

afterAll(async () => {
  await front.close();
  for (const server of servers) server.close();
});

const secured = ['https', 'h2'];

describe.each(['http1', 'https', 'h2c', 'h2'] as const)('a mirror that speaks %s', (protocol) => {
  let tls: BackendTls | undefined;

  beforeAll(async () => {
    if (secured.includes(protocol) && !able) return;
    const ca: Authority | undefined = secured.includes(protocol) ? authority('mirrors') : undefined;
    const { chain: cert, key } = ca?.issue('copy', ['DNS:copy.example']) ?? { chain: '', key: '' };
    const make = {
      http1: () => createServer(take),
      https: () => createHttpsServer({ cert, key, ALPNProtocols: ['http/1.1'] }, take),
      h2c: () => createHttp2Server(take),
      h2: () => createSecureServer({ cert, key }, take),
    };
    if (ca) tls = { serverName: 'copy.example', verify: true, ca: ca.certificate, subjectAltNames: [], source };
    await front.endpoints({ copy: [endpoint(place, await listen(make[protocol]()))] });
  });

  const mirror = () => ({ ...backend('copy', protocol), ...(tls && { tls }) });

  it.skipIf(secured.includes(protocol) && !able)('gets what clients of HTTP/1.1 send', async () => {
    await use(mirror());
    expect(await get('/x?y=1')).toBe(200);
    const post = 'POST / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n';
    expect(await ask(`${post}Content-Length: 5\r\n\r\nhello`)).toBe(200);
    expect(await ask(`${post}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 7\r\n\r\n`)).toBe(
      200,
    );
    expect(await ask(`${post}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`)).toBe(200);
    await until(() => seen.length === 4);
    const by = (text: string) => seen.filter(({ method, body }) => `${method} ${body}` === text);
    expect(by('GET ')).toMatchObject([{ url: '/x?y=1', host: 'a.example' }]);
    expect(by('POST hello')).toMatchObject([{ url: '/', host: 'a.example' }]);
    expect(by('POST abcde')).toMatchObject([{ sum: '7' }]);
    expect(by('POST ')).toHaveLength(1);
    expect(front.findings).toEqual([]);
    expect(front.records).toHaveLength(4);
  });

  it.skipIf(secured.includes(protocol) && !able)('gets what clients of HTTP/2 send, gRPC as well', async () => {
    await use(mirror());
    const grpc = {
      ':method': 'POST',
      ':path': '/pkg.Service/Call',
      'content-type': 'application/grpc',
      te: 'trailers',
    };
    expect(await call({ ':path': '/h2' }, [])).toBe(200);
    expect(await call(grpc, ['\0\0\0\0\u0003', 'abc'], { 'x-sum': '9' })).toBe(200);
    await until(() => seen.length === 2);
    expect(seen.find(({ method }) => method === 'POST')).toEqual({
      method: 'POST',
      url: '/pkg.Service/Call',
      host: 'a.example',
      body: '\0\0\0\0\u0003abc',
      sum: '9',
      contentType: 'application/grpc',
    });
    expect(front.findings).toEqual([]);
  });

  it.skipIf(secured.includes(protocol) && !able)('gets bodies that are longer than what may wait', async () => {
    await use(mirror());
    const pieces = Array.from({ length: 16 }, () => 'x'.repeat(32_768));
    expect(await call({ ':method': 'POST', ':path': '/' }, pieces)).toBe(200);
    await until(() => seen.length === 1);
    expect(seen[0]!.body.length).toBe(16 * 32_768);
    expect(front.findings).toEqual([]);
  });

  it.skipIf(secured.includes(protocol) && !able)('is reached over the connections that are there', async () => {
    await use(mirror());
    await get();
    await until(() => seen.length === 1);
    const before = connections;
    for (let i = 2; i < 6; i++) {
      await get();
      await until(() => seen.length === i);
    }
    // The answer to one copy may still be on its way when the next one begins.
    expect(connections - before).toBeLessThanOrEqual(1);
  });
});

const atOnce = { backoffMs: 1, maxBackoffMs: 1 };

describe('a mirror', () => {
  const copies = (policy: BackendPolicy, protocol: Backend['protocol'] = 'http1') => ({
    ...backend('copy', protocol),
    policy,
  });
  let good: number;

  beforeAll(async () => {
    good = await listen(createServer(take));
  });

  it('of HTTP/2 that takes nothing is given up, and the original goes on', async () => {
    const deaf = createHttp2Server({ settings: { initialWindowSize: 0 } });
    deaf.on('stream', (stream) => stream.on('error', () => {}));
    await front.endpoints({ copy: [endpoint(place, await listen(deaf))] });
    await use(backend('copy', 'h2c'));
    const length = 4_000_000;
    const began = performance.now();
    const post = `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`;
    expect(await ask(post + 'x'.repeat(length))).toBe(200);
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(front.findings).toEqual([expect.stringMatching(/FW5220 .*does not take the body as fast as it comes/)]);
  });

  it('is left alone while it is ejected, as any endpoint', async () => {
    let failed = 0;
    const bad = await listen(
      createServer((_request, response) => {
        failed++;
        response.statusCode = 503;
        response.end();
      }),
    );
    await front.endpoints({ copy: [endpoint(place, bad), endpoint(place, good)] });
    const outlierEjection = {
      ...{ consecutive5xx: 2, consecutiveGatewayFailures: 0, baseEjectionMs: 60_000, maxEjectionMs: 60_000 },
      ...{ maxEjectionPercent: 50, panicPercent: 0 },
    };
    await use(copies({ outlierEjection }));
    for (let i = 0; i < 12; i++) {
      await get();
      await until(() => failed + seen.length === i + 1);
    }
    expect(failed).toBe(2);
    expect(front.findings).toEqual([]);
  });

  it('has its limits, which are not those of the original', async () => {
    await front.endpoints({ copy: [endpoint(place, good)] });
    await use(copies({ limits: { maxRequests: 0 } }));
    expect(await get()).toBe(200);
    await until(() => front.findings.length > 0);
    expect(front.findings).toEqual(['FW5220 copies for the mirror copy: all connections to the backend are in use']);
    expect(seen).toEqual([]);
  });

  it('gets requests once, whatever the route says of retries', async () => {
    await front.endpoints({ copy: [endpoint(place, good)] });
    status = 503;
    const retry: Retry = { ...atOnce, attempts: 3, statuses: [503], on: ['reset', 'timeout'], methods: 'all' };
    await use(backend('copy'), { retry });
    expect(await get()).toBe(200);
    await until(() => seen.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(seen).toHaveLength(1);
  });

  it('that is balanced by hash gets the same clients at the same endpoint', async () => {
    const at: string[] = [];
    const ports = await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        listen(
          createServer((request, response) => {
            at.push(`${request.headers['x-user']} ${name}`);
            response.end();
          }),
        ),
      ),
    );
    await front.endpoints({ copy: ports.map((one) => endpoint(place, one)) });
    await use(copies({ balance: { type: 'hash', by: [{ by: 'header', name: 'x-user' }] } }), {
      filters: [
        { type: 'mirror', backend: 'copy', fraction: { numerator: 1, denominator: 1 } },
        { type: 'request-headers', set: [['X-Later', '1']], add: [], remove: [] },
      ],
    });
    for (let i = 0; i < 12; i++) await get('/', `X-User: u${i % 6}\r\n`);
    await until(() => at.length === 12);
    expect(new Set(at).size).toBe(6);
  });

  it('that cannot be reached is said', async () => {
    await front.endpoints({ copy: [endpoint('127.77.19.3', 1)] });
    await use(backend('copy', 'h2c'));
    expect(await get()).toBe(200);
    await until(() => front.findings.length > 0);
    expect(front.findings).toEqual([expect.stringMatching(/^FW5220 copies for the mirror copy: .*ECONNREFUSED/)]);
  });
});
