/** What a trace says about one query, of servers that run and of Corefiles alone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStore } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { serveCorefile, type TestServer } from '../testing.ts';
import { recordType } from '../wire/numbers.ts';
import { openCorefileTracer } from './corefile-tracer.ts';
import type { Trace } from './trace.ts';

const address = '127.82.7.2';
const store = createStore();
const put = (resource: string, kind: string, name: string, spec: object, namespace = 'shop') =>
  store.put(resource, {
    apiVersion: 'v1',
    kind,
    metadata: { name, ...(namespace && { namespace }) },
    spec,
  } as KubeObject);
put('namespaces', 'Namespace', 'shop', {}, '');
put('services', 'Service', 'web', { clusterIP: '10.96.0.7', ports: [{ name: 'http', port: 80, protocol: 'TCP' }] });
put('services', 'Service', 'db', { clusterIP: 'None', ports: [{ port: 5432 }] });
put('services', 'Service', 'outside', { type: 'ExternalName', externalName: 'www.example.com' });

const servers: TestServer[] = [];
afterAll(() => Promise.all(servers.map((server) => server.stop())));

async function serve(text: string, options: object = {}): Promise<TestServer> {
  const server = await serveCorefile(text, { address, store, ...options });
  servers.push(server);
  return server;
}

/** Steps as lines: `cache passed NXDOMAIN: miss, not kept`. */
const linesOf = ({ steps }: Trace): string[] =>
  steps.map(({ plugin, asked, did, rcode, askedFor, why }) =>
    [
      asked ? `[${asked}] ` : '',
      `${plugin} ${did} ${rcode ?? 'nothing'}`,
      askedFor.length > 0 ? ` through ${askedFor.join(' and ')}` : '',
      why.length > 0 ? `: ${why.join('; ')}` : '',
    ].join(''),
  );
const withoutTimes = (text: string) =>
  text.replace(/after [\d.]+ ms/g, 'after X ms').replace(/127\.82\.7\.\d+:\d+/g, 'UPSTREAM');

describe('a trace on a running server', () => {
  let upstream: TestServer;
  let server: TestServer;
  const trace = async (name: string, type = 'A', client?: string): Promise<Trace> => {
    const search = new URLSearchParams({ name, type, ...(client && { client }) });
    const { status, text } = await server.page(`${address}:9153`, `/fairway/trace?${search}`);
    expect([status, text]).toEqual([200, expect.any(String)]);
    return JSON.parse(text);
  };
  const explained = async (...question: Parameters<typeof trace>) =>
    linesOf(await trace(...question)).map(withoutTimes);

  beforeAll(async () => {
    upstream = await serve('.:5301 {\n hosts {\n 192.0.2.1 www.example.com\n }\n}', { address: '127.82.7.3' });
    server = await serve(
      `. {
        prometheus ${address}:9153
        errors
        cache 30
        rewrite name exact short.example www.example.com
        acl {
            block net 192.0.2.0/24
        }
        kubernetes cluster.local in-addr.arpa {
            pods disabled
            fallthrough in-addr.arpa
        }
        forward . 127.82.7.3:${upstream.port()}
    }`,
      { tracesPerSecond: 50 },
    );
  });

  it('names the Service that an answer comes from, and what the plugins before it did', async () => {
    const found = await trace('Web.shop.svc.cluster.local.', 'A', '10.1.2.3');
    expect(found).toMatchObject({
      ...{ name: 'Web.shop.svc.cluster.local.', type: 'A', client: '10.1.2.3', server: 'dns://:53', zone: '.' },
      ...{ rcode: 'NOERROR', by: 'kubernetes', ttl: 5, answers: ['Web.shop.svc.cluster.local. 5 A 10.96.0.7'] },
    });
    expect(linesOf(found)).toEqual(
      [
        'errors passed NOERROR',
        'rewrite passed NOERROR',
        'acl passed NOERROR',
        'cache passed NOERROR: not kept: the answer is made already',
        'kubernetes answered NOERROR: Service shop/web, no ready endpoints',
      ].filter((line) => found.steps.some(({ plugin }) => line.startsWith(plugin))),
    );
  });

  it.each([
    ['api.shop.svc.cluster.local.', 'no Service api in namespace shop'],
    ['web.gone.svc.cluster.local.', 'no namespace gone'],
    ['db.shop.svc.cluster.local.', 'headless Service shop/db, no ready endpoints'],
    ['a.db.shop.svc.cluster.local.', 'Service shop/db has no ready endpoint named a, of 0'],
    ['_https._tcp.web.shop.svc.cluster.local.', 'Service shop/web has no port named https/tcp'],
    ['10-0-0-1.shop.pod.cluster.local.', 'Pods have no names here (pods disabled)'],
    ['www.example.com.cluster.local.', 'no name of a cluster: neither svc nor pod stands before cluster.local.'],
  ])('says why %s does not exist', async (name, why) => {
    const found = await trace(name, 'A');
    expect([found.rcode, found.by]).toEqual(['NXDOMAIN', 'kubernetes']);
    expect(found.steps.at(-1)).toMatchObject({ plugin: 'kubernetes', did: 'answered', why: [why] });
  });

  it('says which family a Service has', async () => {
    const found = await trace('web.shop.svc.cluster.local.', 'AAAA');
    expect(found.rcode).toBe('NOERROR');
    expect(found.steps.at(-1)!.why).toEqual(['Service shop/web, no ready endpoints, has only IPv4 addresses']);
  });

  it('shows the cache filled and used by real queries, and the upstream asked', async () => {
    const cold = (await explained('www.example.com.')).filter((line) => /^(cache|kubernetes|forward)/.test(line));
    expect(cold).toEqual([
      'cache changed NOERROR: miss, kept for 30 s',
      'kubernetes passed NOERROR: not below cluster.local.',
      'forward answered NOERROR: UPSTREAM answered NOERROR after X ms',
    ]);
    await server.ask('www.example.com.');
    const warm = await trace('www.example.com.');
    expect(warm).toMatchObject({ by: 'cache', rcode: 'NOERROR' });
    expect(warm.steps.at(-1)).toMatchObject({ plugin: 'cache', did: 'answered' });
    expect(warm.steps.at(-1)!.why[0]).toMatch(/^hit, \d+ s left/);
  });

  it('follows rewritten names and aliases out of the cluster', async () => {
    const rewritten = await trace('short.example.');
    expect(rewritten.answers).toEqual([expect.stringMatching(/^short\.example\. \d+ A 192\.0\.2\.1$/)]);
    const step = rewritten.steps.find(({ plugin }) => plugin === 'rewrite');
    expect(step).toMatchObject({ did: 'changed', askedFor: ['www.example.com. A'] });
    const alias = await trace('outside.shop.svc.cluster.local.');
    expect(alias.answers).toEqual([
      'outside.shop.svc.cluster.local. 5 CNAME www.example.com.',
      expect.stringMatching(/^www\.example\.com\. \d+ A 192\.0\.2\.1$/),
    ]);
    expect(alias.steps.filter(({ asked }) => asked === 'www.example.com. A').map(({ plugin }) => plugin)).toContain(
      'cache',
    );
    expect(alias.steps.find(({ plugin }) => plugin === 'kubernetes')!.why).toEqual([
      'Service shop/outside is an ExternalName for www.example.com.',
    ]);
  });

  it('is what the client named would get', async () => {
    const found = await trace('www.example.com.', 'A', '192.0.2.99');
    expect(found).toMatchObject({ rcode: 'REFUSED', by: 'acl' });
    expect(found.steps.at(-1)).toMatchObject({ plugin: 'acl', did: 'answered' });
  });

  it('says that an upstream failed', async () => {
    const dead = await serve(
      `. {
        prometheus ${address}:9154
        forward . 127.82.7.250:5399 {
            max_connect_attempts 1
            read_timeout 100ms
        }
    }`,
    );
    const { text } = await dead.page(`${address}:9154`, '/fairway/trace?name=a.example');
    const found: Trace = JSON.parse(text);
    expect(found).toMatchObject({ rcode: 'SERVFAIL', by: 'forward' });
    expect(found.steps.at(-1)!.why[0]).toMatch(/^127\.82\.7\.250:5399 failed \(.+\) after/);
  });

  it('takes no nonsense, and no more traces than it should', async () => {
    const limited = await serve(`. {\n prometheus ${address}:9155\n whoami\n}`, { tracesPerSecond: 2 });
    const page = (search: string) => limited.page(`${address}:9155`, `/fairway/trace${search}`);
    for (const search of ['', '?name=', '?name=a&type=NOPE', '?name=a&type=AXFR', '?name=a&client=x'])
      expect([search, (await page(search)).status]).toEqual([search, 400]);
    const long = await page(`?name=${'a'.repeat(64)}`);
    expect(JSON.parse(long.text)).toMatchObject({ error: 'no such name can exist', steps: [] });
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await page('?name=a.example')).status);
    expect(statuses).toContain(200);
    expect(statuses.at(-1)).toBe(429);
  });

  it('counts neither as a query nor as waste', async () => {
    const fresh = await serve(`. {\n prometheus ${address}:9156\n kubernetes cluster.local\n}`);
    await fresh.page(`${address}:9156`, '/fairway/trace?name=www.example.com.cluster.local');
    const { text } = await fresh.page(`${address}:9156`, '/metrics');
    expect(text).not.toMatch(/^coredns_dns_requests_total/m);
    expect(text).toContain('fairway_dns_search_misses_total 0\n');
  });
});

describe('a trace of a Corefile alone', () => {
  const open = (text: string) =>
    openCorefileTracer({
      ...{ file: 'Corefile', text, log: () => {} },
      openObjects: () => ({ store, synced: () => true, close: () => {} }),
    });

  it('binds nothing and starts with an empty cache', async () => {
    // Port 1 of an address that nobody has: binding it would fail.
    const opened = await open('.:1 {\n bind 192.0.2.1\n cache\n kubernetes cluster.local\n whoami\n}');
    if (!opened.ok) throw new Error(opened.error);
    const { trace, close } = opened.value;
    const found = await trace({ name: 'web.shop.svc.cluster.local.', type: recordType.A });
    expect(found).toMatchObject({ by: 'kubernetes', answers: ['web.shop.svc.cluster.local. 5 A 10.96.0.7'] });
    await close();
  });

  it('says with file and line what is wrong with it', async () => {
    expect(await open('. {\n nonsense\n}')).toMatchObject({ ok: false, error: expect.stringContaining('Corefile:2') });
  });

  it('says when no block takes the name', async () => {
    const opened = await open('example.org {\n whoami\n}');
    if (!opened.ok) throw new Error(opened.error);
    expect(await opened.value.trace({ name: 'a.example.', type: 1 })).toMatchObject({
      ...{ rcode: 'REFUSED', by: '', steps: [], error: 'no server block has a zone for the name' },
    });
    await opened.value.close();
  });
});
