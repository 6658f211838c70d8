/** What a user does with the annotations of docs/policies.md: its example as it stands there, and one of each, asked by curl. */
import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/package-root.ts';
import { explain } from '../../src/insight/explain/explain.ts';
import { parseRequest } from '../../src/insight/explain/request.ts';
import { openWorld } from '../../src/insight/sources.ts';
import type { HTTPRoute } from '../../src/kube/types/index.ts';
import { curl as curlAt, type Got, hasCurl } from '../support/curl.ts';
import { apiOf, canBind, conditionsOf, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { app, backendRef, gateway, httpRoute, ingress, type Manifest, path, stream } from '../support/manifests.ts';
import { type Asked, podless, type StandIn, startStandIn } from '../support/stand-ins.ts';

const page = readFileSync(join(packageRoot, 'docs/policies.md'), 'utf8');
const example = loadAll(/```yaml\n(.*?)```/s.exec(page)![1]!) as Manifest[];

const mistaken = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: placed
  annotations:
    fairway.dev/compression: gzip
    fairway.dev/rate-limit: ten a second
spec:
  ingressClassName: fairway
  rules:
  - host: iplaced.example
    http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: main, port: { number: 80 } } } }] }
`;

type Annotations = Readonly<Record<string, string | null>>;
const prefixed = (annotations: Annotations) =>
  Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`fairway.dev/${key}`, value]));

const answers: Readonly<Record<string, RequestListener>> = {
  auth({ headers }, response) {
    const isKnown = headers.authorization === 'Bearer good';
    response.writeHead(isKnown ? 200 : 401, { 'x-user': 'ada', 'set-cookie': 'session=1', 'x-hint': 'try good' });
    response.end(isKnown ? '' : 'who are you?');
  },
  pages: ({ headers }, response) =>
    response.writeHead(Number(headers['x-code']), { 'content-type': 'text/html' }).end('<h1>sorry</h1>'),
  main({ url = '' }, response) {
    if (url.startsWith('/slow')) setTimeout(() => response.end('late'), 600);
    else if (url.startsWith('/status/')) response.writeHead(Number(url.slice(8, 11))).end('raw');
    else response.writeHead(200, { 'content-type': 'text/plain' }).end(`${url} ${'x'.repeat(2_000)}`);
  },
};

describe.skipIf(!canBind || !hasCurl)('annotations of routes', () => {
  const asked: Asked[] = [];
  let standIns: StandIn[];
  let door: TestDoor;
  let gatewayAddress: string;
  let stdin: string;

  const curl = (host: string, target: string, ...args: string[]): Promise<Got> =>
    curlAt(host.startsWith('i') ? door.config.ingressAddress : gatewayAddress, host, target, ...args);

  /** Those that the HTTPRoute and the Ingress of the tests have from now on, and no others. */
  const earlier: Record<string, null> = {};
  async function annotate(annotations: Annotations, only?: 'httproutes' | 'ingresses'): Promise<void> {
    for (const [group, plural] of [
      ['gateway.networking.k8s.io', 'httproutes'],
      ['networking.k8s.io', 'ingresses'],
    ] as const) {
      const wanted = only === undefined || only === plural ? annotations : {};
      const change = { metadata: { annotations: prefixed({ ...earlier, ...wanted }) } };
      await apiOf(door).patch(`/apis/${group}/v1/namespaces/default/${plural}/web`, change);
    }
    for (const key in annotations) earlier[key] = null;
    await door.settled();
  }

  const findings = () =>
    door.diagnostics().filter(({ code, object }) => code.startsWith('FW54') && object?.name !== 'placed');
  const told = () => findings().map(({ code, object, fieldPath }) => `${code} ${object?.kind} ${fieldPath}`);
  const conditions = () =>
    conditionsOf(
      door.store.get<HTTPRoute>('httproutes.gateway.networking.k8s.io', 'default/web')?.status?.parents[0]?.conditions,
    );
  const both = (target: string, ...args: string[]) =>
    Promise.all([curl('g.example', target, ...args), curl('i.example', target, ...args)]);
  const statuses = async (target: string, ...args: string[]) =>
    (await both(target, ...args)).map(({ status }) => status);
  const until = (wanted: string, target: string, ...args: string[]) =>
    eventually(
      () => statuses(target, ...args),
      (got) => got.join() === wanted,
    );

  beforeAll(async () => {
    standIns = await Promise.all(Object.entries(answers).map(([name, answer]) => startStandIn(name, asked, answer)));
    const forward = [{ backendRefs: [backendRef('main')] }];
    const documents = stream(
      ...standIns.map(({ name }) => podless(name)),
      ...app('shop'),
      gateway('gw'),
      httpRoute('web', 'gw', forward, { hostnames: ['g.example'] }),
      httpRoute('other', 'gw', forward, { hostnames: ['gother.example'] }),
      ingress('web', { 'i.example': [path('/', 'Prefix', 'main')] }),
      ingress('other', { 'iother.example': [path('/', 'Prefix', 'main')] }),
      ...example,
    );
    stdin = `${documents}\n---\n${mistaken}`;
    door = await openDoor(9, {
      paths: ['-'],
      stdin,
      backends: standIns.map(({ name, port }) => ({
        ...{ namespace: 'default', service: name, host: '127.0.0.1', targetPort: port },
      })),
    });
    gatewayAddress = door.summary.gateways.find(({ name }) => name === 'gw')!.addresses[0]!;
  });
  afterAll(async () => {
    await door?.close(0);
    for (const { server } of standIns) server.close();
  });
  beforeEach(() => {
    asked.length = 0;
  });

  it('of the page’s example are followed', async () => {
    expect(findings()).toEqual([]);
    const shop = (...args: string[]) => curl('shop.example.com', '/shop/cart?x=1', ...args);
    expect(await shop()).toMatchObject({ status: 401, head: expect.stringContaining('basic realm="restricted"') });
    expect((await shop('-u', 'ada:wrong')).status).toBe(401);
    const answer = await shop('-u', 'ada:lovelace', '--compressed');
    expect(answer).toMatchObject({ status: 200, head: expect.stringContaining('content-encoding: br') });
    const echo = JSON.parse((await shop('-u', 'ada:lovelace')).body) as { path: string; headers: object };
    expect(echo.path).toBe('/cart?x=1');
    expect(Object.keys(echo.headers)).not.toContain('Authorization');
    expect((await shop('-u', 'ada:lovelace', '-d', 'x'.repeat(65_537))).status).toBe(413);
  });

  async function explained(url: string) {
    const world = await openWorld({ server: door.summary.api, nodeResolvConf: 'nameserver 192.0.2.53\n' });
    const request = parseRequest({ url });
    if (!request.ok) throw new Error(request.error);
    return explain(world, request.value);
  }

  it('explain names what stands before the route', async () => {
    expect((await explained('http://shop.example.com/shop/cart')).matched?.filters).toEqual([
      'ip access: allow 10.0.0.0/8 127.0.0.0/8, else 403',
      'request size: at most 65536 bytes, else 413',
      'rate limit: 600 in 60 s and a burst of 20 per client address, else 429',
      'basic auth: realm Restricted, 1 user',
      'rewrite: path found by ^/shop/(.*) to /$1',
      expect.stringMatching(/^compression: br or gzip for text\/html .* of 200 bytes and more$/),
    ]);
  });

  it('allow-from and deny-from', async () => {
    await annotate({ 'allow-from': '192.0.2.0/24 2001:db8::/32' });
    expect(await statuses('/')).toEqual([403, 403]);
    await annotate({ 'allow-from': '127.0.0.0/8', 'deny-from': '127.0.0.9' });
    expect(await statuses('/')).toEqual([200, 200]);
    expect(await statuses('/', '--interface', '127.0.0.9')).toEqual([403, 403]);
  });

  it('basic-auth: a Secret that comes, changes and goes', async () => {
    const secrets = '/api/v1/namespaces/default/secrets';
    const auth = (text: string) => ({ data: { auth: Buffer.from(text).toString('base64') } });
    await annotate({ 'basic-auth': 'users', 'basic-auth-realm': 'Engine "room"' });
    expect(await statuses('/')).toEqual([500, 503]);
    expect(told()).toEqual([
      'FW5401 Ingress metadata.annotations["fairway.dev/basic-auth"]',
      'FW5401 HTTPRoute metadata.annotations["fairway.dev/basic-auth"]',
    ]);
    expect(conditions()).toEqual(['Accepted=True(Accepted)', 'ResolvedRefs=False(SecretNotFound)']);
    // What is missing is nothing that clients need to know.
    expect((await curl('i.example', '/')).body).not.toContain('users');
    const sha = 'alan:{SHA}J2E6dThXr2dQZE0mDeHGIlt88a0=';
    await apiOf(door).create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'users' }, ...auth(sha) });
    await until('200,200', '/', '-u', 'alan:enigma');
    expect(findings()).toEqual([]);
    expect((await curl('g.example', '/')).head).toContain('www-authenticate: basic realm="engine \\"room\\""');
    const apr1 = '# people\n\ngrace:$apr1$abcdefgh$rzZ/JvRMCMZSDkBiBMQ5c1\nplain:text\n';
    await apiOf(door).patch(`${secrets}/users`, auth(apr1));
    await until('200,200', '/', '-u', 'grace:compiler');
    expect(await statuses('/', '-u', 'alan:enigma')).toEqual([401, 401]);
    expect(await statuses('/', '-u', 'plain:text')).toEqual([401, 401]);
    expect(findings().map(({ code, message }) => `${code} ${message}`)).toEqual([
      'FW5405 line 4 has no whole hash of bcrypt, apr1, $1$, $5$, $6$, {SHA}, {SSHA} or {PLAIN}',
    ]);
    await apiOf(door).patch(`${secrets}/users`, auth('plain:text'));
    await until('500,503', '/', '-u', 'grace:compiler');
    expect(asked.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  it('external-auth', async () => {
    const names = { 'external-auth-request-headers': 'Authorization', 'external-auth-response-headers': 'X-User' };
    await annotate({ 'external-auth': 'auth:80/verify?full=1', ...names });
    for (const got of await both('/shop?a=b', '-H', 'X-User: root')) {
      expect(got).toMatchObject({
        status: 401,
        body: 'who are you?',
        head: expect.stringContaining('x-hint: try good'),
      });
    }
    expect(asked.map(({ at }) => at)).toEqual(['auth', 'auth']);
    asked.length = 0;
    for (const got of await both('/shop?a=b', '-H', 'X-User: root', '-H', 'Authorization: Bearer good', '-XPUT')) {
      expect(got).toMatchObject({ status: 200, head: expect.stringContaining('set-cookie: session=1') });
    }
    const [question, , ...sent] = asked.toSorted((a, b) => (a.at < b.at ? -1 : 1));
    expect(question).toMatchObject({
      url: '/verify?full=1',
      headers: {
        'x-forwarded-method': 'PUT',
        'x-forwarded-uri': '/shop?a=b',
        'x-forwarded-for': '127.0.0.1',
        authorization: 'Bearer good',
      },
    });
    expect(question!.headers).not.toHaveProperty('x-user');
    expect(sent.map(({ at, headers }) => [at, headers['x-user']])).toEqual([
      ['main', 'ada'],
      ['main', 'ada'],
    ]);
  });

  it('external-auth: clients are sent to sign in, and a Service that is not there lets nobody in', async () => {
    await annotate({ 'external-auth': 'auth:80', 'external-auth-sign-in': 'https://login.example/start' });
    expect(await curl('g.example', '/a?b=c')).toMatchObject({
      status: 302,
      head: expect.stringContaining('location: https://login.example/start?rd=http%3a%2f%2fg.example%2fa%3fb%3dc'),
    });
    await annotate({ 'external-auth': 'gone:80' });
    expect(await statuses('/')).toEqual([500, 503]);
    expect(conditions()).toEqual(['Accepted=True(Accepted)', 'ResolvedRefs=False(BackendNotFound)']);
    await apiOf(door).create('/api/v1/namespaces/default/services', podless('gone'));
    // It is there, and nobody answers.
    await until('503,503', '/');
    expect(findings()).toEqual([]);
    // Somebody answers.
    const { port } = standIns.find(({ name }) => name === 'auth')!;
    await apiOf(door).create('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'gone-1', labels: { 'kubernetes.io/service-name': 'gone' } },
      ...{ addressType: 'IPv4', ports: [{ name: '', port }], endpoints: [{ addresses: ['127.0.0.1'] }] },
    });
    await until('401,401', '/');
    expect(asked.some(({ at }) => at === 'main')).toBe(false);
  });

  it('rate-limit', async () => {
    await annotate({ 'rate-limit': '2/m by=header:X-Api-Key' });
    const key = (name: string) => statuses('/', '-H', `X-Api-Key: ${name}`);
    expect([await key('a'), await key('a'), await key('a'), await key('b')]).toEqual([
      [200, 200],
      [200, 200],
      [429, 429],
      [200, 200],
    ]);
    expect((await curl('g.example', '/', '-H', 'X-Api-Key: a')).head).toMatch(/^retry-after: [0-9]+$/m);
    await annotate({ 'rate-limit': '3/m burst=0 by=all' });
    // What was counted by the key is not forgotten; what is counted together is new.
    expect([await statuses('/'), await statuses('/')]).toEqual([
      [200, 200],
      [429, 429],
    ]);
  });

  it('max-concurrent-requests', async () => {
    await annotate({ 'max-concurrent-requests': '1' });
    const slow = statuses('/slow');
    await eventually(
      () => asked.length,
      (count) => count === 2,
    );
    expect(await statuses('/')).toEqual([503, 503]);
    expect(await slow).toEqual([200, 200]);
    expect(await statuses('/')).toEqual([200, 200]);
  });

  it('max-request-body', async () => {
    await annotate({ 'max-request-body': '1k' });
    expect(await statuses('/', '-d', 'x'.repeat(1_000))).toEqual([200, 200]);
    expect(await statuses('/', '-d', 'x'.repeat(1_001))).toEqual([413, 413]);
  });

  it('rewrite', async () => {
    await annotate({ rewrite: '^/(v[0-9]+)/(.*)$ -> /$2/$1' });
    await both('/v2/users?q=1');
    await both('/plain');
    expect(asked.map(({ url }) => url)).toEqual(['/users/v2?q=1', '/users/v2?q=1', '/plain', '/plain']);
  });

  it('error-pages', async () => {
    await annotate({ 'error-pages': '404, 503 -> pages:80/error.html', 'deny-from': '127.0.0.9' });
    for (const got of await both('/status/404', '-H', 'Accept: text/html'))
      expect(got).toMatchObject({ status: 404, body: '<h1>sorry</h1>' });
    expect(asked.filter(({ at }) => at === 'pages')).toMatchObject(
      Array.from({ length: 2 }, () => ({
        url: '/error.html',
        headers: { 'x-code': '404', 'x-format': 'text/html', 'x-original-uri': '/status/404' },
      })),
    );
    expect((await both('/status/500')).map(({ status, body }) => [status, body])).toEqual([
      [500, 'raw'],
      [500, 'raw'],
    ]);
    expect(await statuses('/', '--interface', '127.0.0.9')).toEqual([403, 403]);
  });

  it('compression', async () => {
    await annotate({ compression: 'gzip', 'compression-types': 'text/*', 'compression-min-size': '2k' });
    for (const got of await both('/', '-H', 'Accept-Encoding: br, gzip'))
      expect(got.head).toContain('content-encoding: gzip');
    await annotate({ compression: 'gzip', 'compression-types': 'text/html' });
    for (const got of await both('/', '-H', 'Accept-Encoding: br, gzip'))
      expect(got.head).not.toContain('content-encoding');
  });

  it('time-outs and retries of an Ingress', async () => {
    await annotate({ 'request-timeout': '150ms' }, 'ingresses');
    expect((await curl('i.example', '/slow')).status).toBe(504);
    expect((await explained('http://i.example/slow')).steps[2]!.details).toContain('timeouts request 0.15 s');
    await annotate({ 'backend-request-timeout': '150ms' }, 'ingresses');
    expect((await curl('i.example', '/slow')).status).toBe(504);
    asked.length = 0;
    await annotate({ retry: '2 codes=503 backoff=1ms' }, 'ingresses');
    expect((await curl('i.example', '/status/503')).status).toBe(503);
    expect(asked).toHaveLength(3);
    await annotate({ 'request-timeout': '1s' }, 'httproutes');
    expect(findings()).toMatchObject([
      { code: 'FW5404', message: expect.stringContaining('which has spec.rules[].timeouts.request') },
    ]);
  });

  it.each<[string, string]>([
    ['allow-from', '10.0.0.0/33'],
    ['basic-auth', 'Users!'],
    ['external-auth', 'http://auth/'],
    ['rate-limit', '10 per second'],
    ['max-concurrent-requests', 'few'],
    ['max-request-body', '10m'],
    ['rewrite', '/a(b -> /$1'],
  ])('%s: %s is no value, and nobody comes in by this object', async (name, value) => {
    await annotate({ [name]: value });
    expect(await statuses('/')).toEqual([500, 503]);
    expect([(await curl('gother.example', '/')).status, (await curl('iother.example', '/')).status]).toEqual([
      200, 200,
    ]);
    expect(told()).toEqual([
      `FW5401 Ingress metadata.annotations["fairway.dev/${name}"]`,
      `FW5401 HTTPRoute metadata.annotations["fairway.dev/${name}"]`,
    ]);
    expect(findings()[0]!.message).toContain(JSON.stringify(value));
    expect(conditions()).toEqual(['Accepted=False(UnsupportedValue)', 'ResolvedRefs=True(ResolvedRefs)']);
    expect(asked.map(({ headers }) => headers.host)).toEqual(['gother.example', 'iother.example']);
  });

  it('the place in the file is told', () => {
    const place = { file: '-', line: expect.any(Number), column: 5 };
    const found = door.diagnostics().filter(({ object }) => object?.name === 'placed');
    expect(found).toMatchObject([{ code: 'FW5401', position: place }]);
    const lines = stdin.split('\n');
    expect(lines[found[0]!.position!.line - 1]).toBe('    fairway.dev/rate-limit: ten a second');
  });

  it('explain says which annotation keeps everybody out', async () => {
    await annotate({ 'allow-from': 'nowhere' });
    for (const [url, status] of [
      ['http://g.example/', 500],
      ['http://i.example/', 503],
    ] as const) {
      const { answer, diagnostics } = await explained(url);
      expect(answer).toEqual({ status, reason: 'the annotation fairway.dev/allow-from cannot be honoured' });
      expect(diagnostics.map(({ code }) => code)).toContain('FW5401');
    }
  });

  it('a shaping one that cannot be had is left out, and the others are in force', async () => {
    await annotate({ 'error-pages': '404 -> gone:81', compression: 'zip', 'deny-from': '127.0.0.9' });
    expect(await statuses('/status/404')).toEqual([404, 404]);
    expect(await statuses('/', '--interface', '127.0.0.9')).toEqual([403, 403]);
    expect(told().filter((line) => line.includes('HTTPRoute'))).toEqual([
      'FW5403 HTTPRoute metadata.annotations["fairway.dev/compression"]',
      'FW5403 HTTPRoute metadata.annotations["fairway.dev/error-pages"]',
    ]);
    expect(conditions()).toEqual(['Accepted=True(Accepted)', 'ResolvedRefs=False(BackendNotFound)']);
  });

  it('one that does not exist is told with the name that may be meant', async () => {
    await annotate({ 'alow-from': '10.0.0.0/8', balance: 'random' }, 'httproutes');
    expect(findings()).toMatchObject([
      { code: 'FW5402', severity: 'error', message: expect.stringContaining('fairway.dev/allow-from may be meant') },
      { code: 'FW5404', severity: 'warning', message: expect.stringContaining('annotation of Services') },
    ]);
    expect((await curl('g.example', '/')).status).toBe(200);
  });
});
