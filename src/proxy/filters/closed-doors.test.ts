/** Locations of ingress-nginx that are shut, or guarded, on the wire: what does not get to the backend, and what not into a header. */
import { connect } from 'node:http2';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defaultNginxConfig, type NginxConfig } from '../../routing/ingress-nginx/config/config.ts';
import { hash, secret } from '../../routing/ingress-nginx/policy/testing.ts';
import { nginxIngress, services, translateNginx } from '../../routing/ingress-nginx/testing.ts';
import type { Plan } from '../../routing/plan/plan.ts';
import { askFront, type PlainRequest } from '../testing/ask.ts';
import { OK, type RecordingBackend, recordingBackend } from '../testing/backend.ts';
import { createFront } from '../testing/front.ts';
import { endpoint } from '../testing/plans.ts';

const address = '127.92.2.1';
const port = 8080;
const names = ['web', 'open', 'gate', 'pages'] as const;
const objects = [...services(...names, 'empty'), secret('users', { auth: `anna:${hash}` }, 'default')];
const front = createFront();
const backends = new Map<string, RecordingBackend>();

beforeAll(async () => {
  for (const [i, name] of names.entries()) backends.set(name, await recordingBackend(`127.92.2.${i + 2}`, 8080));
});
beforeEach(() => {
  for (const each of backends.values()) {
    each.requests.length = 0;
    each.answer(OK);
  }
});
afterAll(async () => {
  await front.close();
  for (const each of backends.values()) await each.close();
});
const seen = (name: (typeof names)[number]) => backends.get(name)!.requests;

/** `/` of `a.example` has the annotations, `/open` is another Ingress's. */
async function serve(annotations: Readonly<Record<string, string>>, config: Partial<NginxConfig> = {}, path = '/') {
  const list = [
    nginxIngress('open', [['a.example', 'Prefix', '/open', 'open']], { age: 1 }),
    nginxIngress('guard', [['a.example', 'ImplementationSpecific', path, 'web']], {
      ...{ age: 2, annotations: { ...annotations, ...(path !== '/' && { 'use-regex': 'true' }) } },
    }),
  ];
  const { listeners, ...output } = translateNginx([...objects, ...list], {
    ingressNginx: { config: { ...defaultNginxConfig, ...config } },
    addresses: { ingress: () => [address], gateway: () => address, usable: () => true },
  });
  const plan: Plan = {
    listeners,
    backends: Object.fromEntries(output.backends.map((backend) => [backend.id, backend])),
    certificates: {},
  };
  const ends = output.backends.flatMap(({ id, service, external }): [string, ReturnType<typeof endpoint>[]][] => {
    const at = (names as readonly string[]).indexOf(service);
    return external || at < 0 ? [] : [[id, [endpoint(`127.92.2.${at + 2}`, 8080)]]];
  });
  await front.endpoints(Object.fromEntries(ends));
  const findings = front.findings.length;
  await front.plan(plan, Object.fromEntries(listeners.map(({ id }) => [id, { address, port }])));
  expect(front.findings.slice(findings)).toEqual([]);
  return (request: PlainRequest = {}) => askFront(address, port, request);
}

const basic = { 'auth-type': 'basic', 'auth-secret': 'users' };
const gate = { 'auth-url': 'http://gate.default.svc.cluster.local/check' };
const anna = `Authorization: Basic ${Buffer.from('anna:lovelace').toString('base64')}`;

describe('what protects and cannot be honoured', () => {
  it.each([
    ['a Secret that is not there', 'auth-secret', { ...basic, 'auth-secret': 'gone' }],
    ['a host of the request', 'auth-url', { 'auth-url': 'http://$arg_a/' }],
    ['addresses that are none', 'allowlist-source-range', { 'allowlist-source-range': 'all' }],
    ['authorities that are not there', 'auth-tls-secret', { 'auth-tls-secret': 'default/gone' }],
    ['neither all nor any', 'satisfy', { satisfy: 'some' }],
    ['a firewall', 'enable-modsecurity', { 'enable-modsecurity': 'true' }],
    ['a snippet', 'configuration-snippet', { 'configuration-snippet': 'deny all;' }],
    ['headers', 'custom-headers', { 'custom-headers': 'gone' }],
  ])('answers 503 in the place of the backend, and names the annotation: %s', async (_what, name, annotations) => {
    const ask = await serve(annotations);
    for (const request of [{}, { method: 'POST' }, { path: '/x' }, { lines: [anna] }, { path: '//open/..//x' }]) {
      const { status, body } = await ask(request);
      expect([status, body]).toEqual([503, expect.stringContaining(`nginx.ingress.kubernetes.io/${name}`)]);
    }
    expect(seen('web')).toEqual([]);
    const sibling = await ask({ path: '/open/x' });
    expect([sibling.status, seen('open').length]).toEqual(name === 'auth-tls-secret' ? [503, 0] : [200, 1]);
  });

  it('over HTTP/2, and for hosts in other spellings, the same', async () => {
    const statusOver2 = (authority: string, path: string) =>
      new Promise((resolve, reject) => {
        const session = connect(`http://${address}:${port}`);
        session.on('error', reject);
        const request = session.request({ ':authority': authority, ':path': path });
        request.on('error', reject).on('response', (headers) => {
          resolve(headers[':status']);
          session.destroy();
        });
        request.end();
      });
    const hosts = ['a.example', 'A.EXAMPLE', 'a.example:80', 'a.example.'];
    for (const [annotations, status] of [
      [{ 'auth-type': 'digest' }, 503],
      [basic, 401],
    ] as const) {
      // biome-ignore format: one line
      await serve(annotations);
      for (const host of hosts) expect([host, await statusOver2(host, '/x')]).toEqual([host, status]);
    }
    expect(seen('web')).toEqual([]);
  });

  it('a service without endpoints, and one that does not answer, let nobody in', async () => {
    const ask = await serve({ 'auth-url': 'http://empty.default.svc.cluster.local/' });
    expect((await ask()).status).toBe(500);
    const deaf = await serve(gate);
    backends.get('gate')!.answer((_request, socket) => socket.destroy());
    expect((await deaf()).status).toBe(500);
    backends.get('gate')!.answer('HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n');
    expect((await deaf()).status).toBe(500);
    expect(seen('web')).toEqual([]);
  });

  it('pages for 401 and 403 let nobody in, whatever status they have', async () => {
    const pages = { 'custom-http-errors': '401,403,404', 'default-backend': 'pages' };
    const ask = await serve({ ...gate, ...pages });
    backends.get('gate')!.answer('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
    backends.get('pages')!.answer('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsorry');
    expect((await ask()).body).toBe('sorry');
    const byPassword = await serve({ ...basic, ...pages });
    expect((await byPassword()).body).toBe('sorry');
    expect(seen('web')).toEqual([]);
    expect((await byPassword({ lines: [anna] })).body).toBe('ok');
  });

  it('a preflight request gets no further than its answer', async () => {
    const ask = await serve({ ...basic, 'enable-cors': 'true' });
    expect((await ask({ method: 'OPTIONS' })).status).toBe(204);
    expect((await ask()).status).toBe(401);
    expect(seen('web')).toEqual([]);
  });

  it('copies of requests that are refused go nowhere', async () => {
    const ask = await serve({ ...basic, 'mirror-target': 'http://pages.default.svc/' });
    expect((await ask()).status).toBe(401);
    expect((await ask({ lines: [anna] })).status).toBe(200);
    for (let i = 0; i < 200 && seen('pages').length === 0; i++) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(seen('pages')).toHaveLength(1);
    expect(seen('pages')[0]!.lines.join('\n')).not.toMatch(/^authorization:/im);
  });
});

describe('what clients write into values made of requests', () => {
  const evil = '/%0d%0aX-Evil:%201%0d%0a%0d%0aGET%20/admin%20HTTP/1.1%0d%0aHost:%20b';
  const heardCleanly = () => {
    for (const { requests } of backends.values())
      for (const { line, lines } of requests) {
        expect(line).toMatch(/^[A-Z]+ \/[\x21-\x7e]* HTTP\/1\.1$/);
        expect(lines.filter((each) => /^x-evil/i.test(each))).toEqual([]);
        expect(line).not.toMatch(/^GET \/admin /);
      }
  };
  const permitted = { allowSnippetAnnotations: true, annotationsRiskLevel: 'Critical' } as const;

  it.each([
    ['temporal-redirect', { 'temporal-redirect': 'https://b.example$uri' }],
    ['permanent-redirect', { 'permanent-redirect': 'https://b.example$uri?$args' }],
    ['a rewrite to another host', { 'rewrite-target': 'https://b.example/$1' }],
    ['return', { 'configuration-snippet': 'return 302 https://b.example$uri;' }],
    ['a body', { 'configuration-snippet': 'return 200 "$uri";' }],
    ['add_header', { 'configuration-snippet': 'add_header X-A $uri always; more_set_headers "X-B: $uri$1$arg_a";' }],
    ['proxy_set_header', { 'configuration-snippet': 'proxy_set_header X-A "$uri $1 $arg_a"; proxy_set_header Host $uri;' }], // biome-ignore format: one row
    ['a rewrite', { 'rewrite-target': '/x/$1' }],
    ['a rewrite of a snippet', { 'configuration-snippet': 'rewrite ^/(.*)$ /y/$1 break;' }],
    ['upstream-vhost', { 'upstream-vhost': '$uri.example' }],
    ['auth-url', { 'auth-url': 'http://gate.default.svc/check$uri?a=$uri&b=$arg_a' }],
    ['auth-request-redirect', { ...gate, 'auth-request-redirect': '$uri' }],
    ['auth-cache-key', { ...gate, 'auth-cache-key': '$uri$http_x' }],
    ['mirror-target', { 'mirror-target': 'http://pages.default.svc$uri', 'mirror-host': 'm.example' }],
    ['error pages', { 'custom-http-errors': '404', 'default-backend': 'pages' }],
    ['sessions and hashes', { affinity: 'cookie', 'upstream-hash-by': '$uri$http_x' }],
    ['proxy-redirect', { 'proxy-redirect-from': 'http://in/', 'proxy-redirect-to': 'https://b.example/$uri' }],
    ['signing in', { ...gate, 'auth-signin': 'https://b.example/in?to=$uri' }],
  ])('line ends do not come out as such: %s', async (what, annotations) => {
    const ask = await serve(annotations, permitted, '/(.*)');
    if (what === 'signing in') backends.get('gate')!.answer('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
    if (what === 'proxy-redirect')
      backends.get('web')!.answer('HTTP/1.1 302 Found\r\nLocation: http://in/x\r\nContent-Length: 0\r\n\r\n');
    if (what === 'error pages') backends.get('web')!.answer('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    for (const path of [evil, `/a?a=${evil}`, '/%20b%20HTTP/1.1', '/%c3%a9%ff%7f%09']) {
      const answer = await ask({ path, lines: ['X: %0d%0aX-Evil: 1', 'Cookie: INGRESSCOOKIE=%0d%0a|x'] });
      expect(answer.headers).not.toHaveProperty('x-evil');
      expect(answer.status).toBeLessThan(400);
    }
    expect(backends.get('web')!.unread().concat(backends.get('gate')!.unread())).not.toContainEqual(expect.stringMatching(/admin/)); // biome-ignore format: one line
    heardCleanly();
  });

  it.each(['//evil.example', '/%2fevil.example', '/\\evil.example', '/%5cevil.example', '//evil.example/..'])(
    'a path leads to no other host where only a path was meant: %s',
    async (path) => {
      const placeOf = async (annotations: Record<string, string>, config: Partial<NginxConfig> = {}) => {
        const ask = await serve(annotations, { ...permitted, ...config }, '/(.*)');
        return (await ask({ path })).headers['location'] ?? '';
      };
      expect(await placeOf({ 'force-ssl-redirect': 'true' })).toMatch(/^https:\/\/a\.example(?:\/|\\|$)/);
      for (const relative of ['true', 'false']) {
        const place = await placeOf({ 'temporal-redirect': '/$1', 'relative-redirects': relative });
        expect(place).toMatch(relative === 'true' ? /^\/(?![/\\])/ : /^http:\/\/a\.example\//);
      }
    },
  );

  it('clients cannot say themselves what services and certificates say of them', async () => {
    const ask = await serve({ ...gate, 'auth-response-headers': 'X-User' });
    const lines = ['X-User: root', 'x_user: root', 'Connection: x-user', 'X-Original-URL: http://b/', 'X-Real-IP: 10.0.0.1', 'X-Forwarded-For: 10.0.0.1']; // biome-ignore format: one line
    expect((await ask({ lines })).status).toBe(200);
    expect(seen('web')[0]!.lines.join('\n')).not.toMatch(/root/);
    const asked = seen('gate')[0]!.lines.join('\n');
    expect(asked).toMatch(/^X-Original-URL: http:\/\/a\.example\/$/im);
    expect(asked).not.toMatch(/^x-(real-ip|forwarded-for): 10\.0\.0\.1/im);
  });
});
