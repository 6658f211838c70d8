/** Backends that are told by a PROXY header whose requests they get: what they read, and which requests share a connection. */
import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import type { Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Backend, BackendTls, Certificate, Listener } from '../../routing/plan/plan.ts';
import { parseProxyHeader } from '../listener/proxy-header.ts';
import { hasOpenssl, selfSigned } from '../testing/certificates.ts';
import { createFront } from '../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route, source } from '../testing/plans.ts';
import { absence, type Judge, judges, protocols, startJudge } from '../testing/proxy-header-judges.ts';
import { type Conversation, dial, listenRaw } from '../testing/sockets.ts';
import { probe } from './health/probe.ts';
import { createPool } from './pool.ts';

const address = '127.77.19.11';
const backs = '127.77.19.12';
const port = 8080;
const able = hasOpenssl();
if (!able) console.log('skipped: the openssl command is missing');

const options = { upstream: { connectTimeoutMs: 400, idleTimeoutMs: 1_000 } };
const front = createFront(options);
const behind = createFront({ ...options, proxyProtocol: { from: ['127.0.0.0/8'] } });
const tls: BackendTls = { serverName: 'app.test', verify: false, ca: 'system', subjectAltNames: [], source };
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
  front.records.length = 0;
});
afterAll(() => Promise.all([front.close(), behind.close()]));

const appOf = (protocol: Backend['protocol'], more: Partial<Backend>): Backend => ({
  ...backend('app', protocol),
  ...(secured.has(protocol) && { tls }),
  ...more,
});

const planFor = (app: Backend, more: Partial<Listener> = {}, certificates: readonly Certificate[] = []) =>
  planOf([listener(address, port, [host('*', [route()])], more)], [app], certificates);

/** With no connection left over from before. */
async function use(at: number, app: Backend): Promise<void> {
  await front.endpoints({ app: [] });
  await front.endpoints({ app: [endpoint(backs, at)] });
  await front.plan(planFor(app));
}

interface Caller {
  readonly port: number;
  /** The body of the response. */
  ask(path?: string): Promise<string>;
}

const get = (path = '/') => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n\r\n`;

/** A client that speaks HTTP/1.1 and keeps its connection. */
async function caller(header = ''): Promise<Caller & Conversation> {
  const client = await dial(address, port);
  cleanups.push(() => client.socket.destroy());
  client.send(header);
  const answers = () => client.text().match(/^HTTP\/1\.1 \d+/gm)?.length ?? 0;
  return {
    ...client,
    port: client.socket.localPort!,
    async ask(path) {
      const count = answers();
      client.send(get(path));
      const body = () => client.text().slice(client.text().lastIndexOf('\r\n\r\n') + 4);
      await client.until(() => answers() > count && body().endsWith('\n'));
      return body();
    },
  };
}

/** The same over HTTP/2. */
async function caller2(): Promise<Caller> {
  const session = connectHttp2(`http://${address}:${port}`);
  cleanups.push(() => session.close());
  await once(session, 'connect');
  const { localPort } = session.socket;
  return { port: localPort!, ask: (path = '/') => ask2(session, path) };
}

async function ask2(session: ClientHttp2Session, path: string): Promise<string> {
  const stream = session.request({ ':path': path, ':authority': 'a.example' });
  stream.setEncoding('utf8');
  let body = '';
  for await (const chunk of stream) body += chunk;
  return body;
}

const timing = { intervalMs: 1_000, timeoutMs: 300, healthyThreshold: 1, unhealthyThreshold: 1 };

const secured: ReadonlySet<string> = new Set(['https', 'h2']);
describe.each(Object.keys(judges) as (keyof typeof judges)[])('%s as a backend', (name) => {
  const absent = absence(name);
  if (absent) console.log(absent);
  const first = name === 'nginx' ? 7_001 : 7_011;
  let judge: Judge | undefined;

  beforeAll(async () => {
    if (!absent) judge = await startJudge(name, backs, first);
  });
  afterAll(() => judge?.stop());

  describe.skipIf(absent).each(protocols.map((protocol, i) => [protocol, first + i] as const))(
    'over %s',
    (protocol, at) => {
      it.each(['v1', 'v2'] as const)('reads from %s whose request it is', async (proxyProtocol) => {
        await use(at, appOf(protocol, { proxyProtocol }));
        const told = (client: Caller) => `127.0.0.1 ${client.port} ${address} ${port}\n`;
        for (const client of [await caller(), await caller(), await caller2(), await caller2()])
          for (let i = 0; i < 3; i++) expect(await client.ask()).toBe(told(client));
        const many = await Promise.all([caller2(), caller2(), caller2()]);
        const asked = [...many, ...many, ...many];
        expect(await Promise.all(asked.map((client) => client.ask()))).toEqual(asked.map(told));
      });

      it('refuses us without it', async () => {
        await use(at, appOf(protocol, {}));
        await (await caller()).ask('/').catch(() => '');
        expect((await front.record(1)).status).not.toBe(200);
      });

      it('is told what a balancer announced', async () => {
        await front.plan(planOf([], []));
        await behind.endpoints({ app: [endpoint(backs, at)] });
        await behind.plan(planFor(appOf(protocol, { proxyProtocol: 'v2' })));
        cleanups.push(() => behind.plan(planOf([], [])));
        const client = await caller('PROXY TCP4 203.0.113.7 198.51.100.1 1234 80\r\n');
        expect(await client.ask()).toBe('203.0.113.7 1234 198.51.100.1 80\n');
      });

      it.skipIf(name !== 'nginx').each([
        ['only these', {}, 2],
        ['one at a time where there may be one', { limits: { maxConnections: 1 } }, 5],
      ] as const)('gets the requests of one client over one connection, and %s', async (_, policy, connections) => {
        await use(at, appOf(protocol, { proxyProtocol: 'v1', policy }));
        const [one, two] = [await caller(), await caller()];
        const seen: string[] = [];
        for (const client of [one, two, one, two, two, one]) seen.push(await client.ask('/connection'));
        expect(new Set(seen).size).toBe(connections);
        expect(seen[3]).toBe(seen[4]);
        expect(front.records.every(({ status }) => status === 200)).toBe(true);
      });

      it.skipIf(secured.has(protocol)).each(['v1', 'v2'] as const)(
        'is checked with headers of %s',
        async (announce) => {
          const pool = createPool(endpoint(backs, at), 'a', undefined, undefined, protocol === 'h2c', announce);
          const policy = { type: 'http', path: '/', statuses: [[200, 200]], ...timing } as const;
          expect(await new Promise((resolve) => probe(pool, policy, resolve))).toBe(true);
        },
      );
    },
  );
});

describe('a backend that is told whose requests it gets', () => {
  /** A server of HTTP/1.1 that answers with what came before the request: `header|path` per request. */
  async function telling(at: number, answer = (header: string, path: string) => `${header}|${path}\n`) {
    const made = await listenRaw(backs, at, (socket) => {
      let header: string | undefined;
      socket.on('data', (bytes: Buffer) => {
        let rest = bytes;
        if (header === undefined) {
          const { length } = parseProxyHeader(bytes, 1_024) as { length: number };
          header = bytes.toString('latin1', 0, length);
          rest = bytes.subarray(length);
        }
        const path = /^GET (\S+)/.exec(rest.toString('latin1'))?.[1];
        if (path === undefined) return;
        const body = answer(header, path);
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`, 'latin1');
      });
    });
    cleanups.push(made.close);
    return made;
  }

  beforeEach(() => front.plan(planOf([], [])));

  it('is told anew when the annotation changes, on connections of its own', async () => {
    const made = await telling(7_021);
    await use(7_021, appOf('http1', { proxyProtocol: 'v1' }));
    const client = await caller();
    expect(await client.ask()).toBe(`PROXY TCP4 127.0.0.1 ${address} ${client.port} ${port}\r\n|/\n`);
    await front.plan(planFor(appOf('http1', { proxyProtocol: 'v2' })));
    expect(await client.ask()).toContain('\0\r\nQUIT\n\x21\x11');
    expect(made.accepted()).toBe(2);
    await expect.poll(() => made.sockets.size).toBe(1);
  });

  it('has no connection in advance, and loses those of clients that are gone', async () => {
    const made = await telling(7_022);
    await use(7_022, appOf('http1', { proxyProtocol: 'v1', policy: { warmConnections: 3 } }));
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(made.accepted()).toBe(0);
    const client = await caller();
    await client.ask();
    client.socket.destroy();
    await expect.poll(() => made.sockets.size, { timeout: 2_500 }).toBe(0);
  });

  it('gives the place of a connection that waits for another client to a new one', async () => {
    const made = await telling(7_023);
    await use(7_023, appOf('http1', { proxyProtocol: 'v1', policy: { limits: { maxConnections: 1 } } }));
    const [one, two] = [await caller(), await caller()];
    for (const client of [one, two, one, two]) expect(await client.ask()).toContain(` ${client.port} `);
    expect(made.accepted()).toBe(4);
    await expect.poll(() => made.sockets.size).toBe(1);
  });

  it('may be one that copies go to', async () => {
    const seen: string[] = [];
    await telling(7_024, (header, path) => {
      seen.push(`${header}${path}`);
      return 'copy\n';
    });
    const app = await listenRaw(backs, 7_025, (socket) =>
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n')),
    );
    cleanups.push(app.close);
    await front.endpoints({ app: [endpoint(backs, 7_025)], copy: [endpoint(backs, 7_024)] });
    const filters = [{ type: 'mirror', backend: 'copy', fraction: { numerator: 1, denominator: 1 } }] as const;
    const door = listener(address, port, [host('*', [route({ filters })])]);
    await front.plan(planOf([door], [backend('app'), { ...backend('copy'), proxyProtocol: 'v1' }]));
    const client = await caller();
    expect(await client.ask('/m')).toBe('ok\n');
    await expect.poll(() => seen).toEqual([`PROXY TCP4 127.0.0.1 ${address} ${client.port} ${port}\r\n/m`]);
  });

  it.skipIf(!able)('is told the same of clients that speak HTTP/2 over TLS', async () => {
    const certificate = selfSigned('web', 'web.test');
    await telling(7_029);
    await front.endpoints({ app: [endpoint(backs, 7_029)] });
    const doorTls = { certificates: [{ serverName: '*', certificate: 'web' }] };
    const app = appOf('http1', { proxyProtocol: 'v1' });
    await front.plan(planFor(app, { protocol: 'HTTPS', tls: doorTls }, [certificate]));
    const session = connectHttp2(`https://${address}:${port}`, { servername: 'web.test', rejectUnauthorized: false });
    cleanups.push(() => session.close());
    await once(session, 'connect');
    expect(await ask2(session, '/')).toBe(
      `PROXY TCP4 127.0.0.1 ${address} ${session.socket.localPort} ${port}\r\n|/\n`,
    );
  });

  it.skipIf(!able)('is told the server name and the protocol of the client, before its own TLS', async () => {
    const certificate = selfSigned('web', 'web.test');
    const big = 'x'.repeat(3_000_000);
    let header = '';
    const secured = createTlsServer({ cert: certificate.chain, key: certificate.key }, (socket) => {
      let taken = 0;
      socket.on('error', () => {});
      socket.on('data', (bytes: Buffer) => {
        taken += bytes.length;
        if (taken < big.length) return;
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${big.length + 1}\r\n\r\n${big}\n`);
        taken = Number.NEGATIVE_INFINITY;
      });
    });
    const made = await listenRaw(backs, 7_026, (socket) => {
      socket.removeAllListeners('data');
      socket.once('data', (bytes: Buffer) => {
        socket.pause();
        const { length } = parseProxyHeader(bytes, 1_024) as { length: number };
        header = bytes.toString('latin1', 0, length);
        if (length < bytes.length) socket.unshift(bytes.subarray(length));
        secured.emit('connection', socket);
      });
    });
    cleanups.push(made.close);
    await front.endpoints({ app: [endpoint(backs, 7_026)] });
    const doorTls = { certificates: [{ serverName: '*', certificate: 'web' }] };
    const app = appOf('https', { proxyProtocol: 'v2' });
    await front.plan(planFor(app, { protocol: 'HTTPS', tls: doorTls }, [certificate]));
    const socket = connectTls({
      ...{ host: address, port, servername: 'web.test', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] },
    });
    cleanups.push(() => socket.destroy());
    let got = 0;
    socket.on('data', (bytes: Buffer) => {
      got += bytes.length;
    });
    socket.write(`POST / HTTP/1.1\r\nHost: web.test\r\nContent-Length: ${big.length}\r\n\r\n${big}`);
    await expect.poll(() => got, { timeout: 4_000 }).toBeGreaterThan(big.length);
    expect(header.slice(28)).toBe('\x01\x00\x08http/1.1\x02\x00\x08web.test');
    expect(header.slice(12, 16)).toBe(`\x21\x11\x00${String.fromCharCode(header.length - 16)}`);
  });

  it.skipIf(!able).each([
    ['https', 'takes the header and never shakes hands', () => {}, 504, 'upstream_connect_timeout'],
    [
      'https',
      'hangs up instead',
      (socket: Socket) => void socket.once('data', () => socket.destroy()),
      502,
      'upstream_tls_failed',
    ],
    ['h2', 'takes the header and never shakes hands', () => {}, 504, 'upstream_connect_timeout'],
    ['h2c', 'takes the header and says nothing', () => {}, 504, 'upstream_connect_timeout'],
  ] as const)('over %s that %s leaves nothing behind', async (protocol, _, serve, status, flag) => {
    const made = await listenRaw(backs, 7_027, serve);
    cleanups.push(made.close);
    await use(7_027, appOf(protocol, { proxyProtocol: 'v2' }));
    const client = await caller();
    client.send(get());
    expect(await front.record(1)).toMatchObject({ status, flag });
    await expect.poll(() => made.sockets.size).toBe(0);
  });

  it.each(['http1', 'https'] as const)(
    'over %s that refuses connections is one that cannot be reached',
    async (protocol) => {
      await use(7_099, appOf(protocol, { proxyProtocol: 'v1' }));
      (await caller()).send(get());
      expect(await front.record(1)).toMatchObject({ status: 502, flag: 'upstream_connect_failed' });
    },
  );

  it.each([
    ['v1', 'PROXY UNKNOWN\r\n'],
    ['v2', '\r\n\r\n\0\r\nQUIT\n\x20\0\0\0'],
  ] as const)("is told by %s that health checks are nobody's requests", async (announce, wanted) => {
    const seen: string[] = [];
    await telling(7_028, (header) => {
      seen.push(header);
      return 'ok\n';
    });
    const pool = createPool(endpoint(backs, 7_028), 'a', undefined, undefined, false, announce);
    const policy = { type: 'http', path: '/healthz', statuses: [[200, 200]], ...timing } as const;
    expect(await new Promise((resolve) => probe(pool, policy, resolve))).toBe(true);
    expect(seen).toEqual([wanted]);
  });
});
