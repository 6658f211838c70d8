import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Ingress } from '../../../kube/types/index.ts';
import { readNginxAnnotations } from './read.ts';
import { type NginxKey, nginxAnnotations, nginxPrefix, rowOf } from './table.ts';

function read(annotations: Readonly<Record<string, string>>) {
  const named = Object.entries(annotations).map(([name, value]) => [`${nginxPrefix}${name}`, value]);
  const ingress: Ingress = {
    ...{ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' },
    ...{ metadata: { name: 'a', namespace: 'n', annotations: Object.fromEntries(named) }, spec: {} },
  };
  const reading = readNginxAnnotations(ingress);
  expect(readNginxAnnotations(ingress)).toBe(reading);
  return { ...reading, told: reading.problems.map(({ code, name }) => `${code} ${name}`) };
}

describe('values', () => {
  it.each<[NginxKey, string, unknown]>([
    ['ssl-redirect', 'T', true],
    ['ssl-redirect', '0', false],
    ['ssl-redirect', 'yes', undefined],
    ['proxy-read-timeout', '3600', 3_600],
    ['proxy-read-timeout', '+5', 5],
    ['proxy-read-timeout', '60s', undefined],
    ['proxy-read-timeout', '0', undefined],
    ['proxy-read-timeout', '9999999999', 596 * 3_600],
    ['proxy-body-size', '8m', 8 * 1_024 ** 2],
    ['proxy-body-size', '1K', 1_024],
    ['proxy-body-size', '0', 0],
    ['proxy-body-size', '10b', undefined],
    ['proxy-body-size', '10Mi', undefined],
    ['rewrite-target', '/$2', '/$2'],
    ['rewrite-target', 'https://$host/$1', 'https://$host/$1'],
    ['rewrite-target', '/a;b', undefined],
    ['rewrite-target', '/a"b', undefined],
    ['app-root', '/start', '/start'],
    ['app-root', 'https://a.example/', undefined],
    ['permanent-redirect', 'https://a.example/x?y=1', 'https://a.example/x?y=1'],
    ['permanent-redirect', 'https://a.example$request_uri', 'https://a.example$request_uri'],
    ['permanent-redirect', 'ftp://a.example', undefined],
    ['permanent-redirect-code', '308', undefined],
    ['server-alias', 'a.example, b.example,a.example', ['a.example', 'b.example']],
    ['backend-protocol', 'grpcs', 'GRPCS'],
    ['backend-protocol', 'h2c', undefined],
    ['allowlist-source-range', '10.0.0.0/8, 192.0.2.1', ['10.0.0.0/8', '192.0.2.1']],
    ['allowlist-source-range', '10.0.0.0/33', undefined],
    ['custom-http-errors', '404,503,', [404, 503]],
    ['custom-http-errors', '302', undefined],
    [
      'auth-url',
      'http://auth.ns.svc.cluster.local:4180/oauth2/auth?x=$request_uri',
      'http://auth.ns.svc.cluster.local:4180/oauth2/auth?x=$request_uri',
    ],
    ['auth-url', 'https://$host/oauth2/auth', 'https://$host/oauth2/auth'],
    ['auth-url', 'auth.ns.svc', undefined],
    ['auth-url', 'http://a..b/auth', undefined],
    ['auth-url', 'http://a.b/"; return 200', undefined],
    ['proxy-cookie-domain', 'localhost example.org', { from: 'localhost', to: 'example.org' }],
    ['proxy-cookie-domain', 'off', 'off'],
    ['proxy-cookie-domain', 'localhost', undefined],
    ['proxy-next-upstream', 'error timeout http_502', ['error', 'timeout', 'http_502']],
    ['proxy-next-upstream', 'error http_418', undefined],
    ['default-backend', 'pages', 'pages'],
    ['default-backend', 'ns/pages', undefined],
    ['upstream-hash-by', '$request_uri$host', '$request_uri$host'],
    ['limit-rps', '10', 10],
    ['limit-rps', '-1', undefined],
  ])('%s: %s', (name, text, value) => {
    expect((read({ [name]: text }).asked as Record<string, unknown>)[name]).toEqual(value);
  });

  it('of those that mean something only with another', () => {
    const { asked, problems } = read({
      ...{ 'auth-url': 'http://a.b.svc/', 'auth-cache-key': '$remote_user$http_authorization' },
      ...{ 'auth-cache-duration': '200 202 10m, 401 1m30s, 5m', 'auth-response-headers': 'X-User, X-Mail' },
    });
    expect(asked['auth-response-headers']).toEqual(['X-User', 'X-Mail']);
    expect(problems.map(({ code, name }) => [code, name])).toEqual([['FW5501', 'auth-cache-duration']]);
    const right = read({
      'auth-url': 'http://a.b/',
      'auth-cache-key': '$a',
      'auth-cache-duration': '200 202 10m, 401 90s, 5m',
    });
    expect(right.asked['auth-cache-duration']).toEqual([
      { statuses: [200, 202], ttlMs: 600_000 },
      { statuses: [401], ttlMs: 90_000 },
      { statuses: [200, 301, 302], ttlMs: 300_000 },
    ]);
  });

  it('of a Secret with a namespace or without', () => {
    const named = (text: string) => read({ 'auth-type': 'basic', 'auth-secret': text }).asked['auth-secret'];
    expect(named('users')).toEqual({ name: 'users' });
    expect(named('other/users')).toEqual({ namespace: 'other', name: 'users' });
    expect(named('../users')).toBeUndefined();
  });

  it('of the proxy-ssl family', () => {
    const { asked } = read({
      'proxy-ssl-secret': 'a/b',
      'proxy-ssl-protocols': 'TLSv1.2 TLSv1.3',
      'proxy-ssl-verify': 'on',
    });
    expect(asked).toMatchObject({ 'proxy-ssl-protocols': ['TLSv1.2', 'TLSv1.3'], 'proxy-ssl-verify': true });
  });
});

describe('findings', () => {
  it('a wrong value leaves an annotation at its default, or shuts what it protects', () => {
    expect(read({ 'ssl-redirect': 'maybe' })).toMatchObject({ asked: {}, told: ['FW5502 ssl-redirect'], broken: [] });
    const list = read({ 'whitelist-source-range': '10.0.0.0/99' });
    expect(list).toMatchObject({ told: ['FW5501 whitelist-source-range'], broken: ['whitelist-source-range'] });
  });

  it('an empty value is no annotation, but of lists of addresses', () => {
    expect(read({ 'auth-url': '', 'ssl-redirect': ' ' })).toMatchObject({ asked: {}, told: [], broken: [] });
    expect(read({ 'denylist-source-range': '' }).broken).toEqual(['denylist-source-range']);
    expect(read({ 'allowlist-source-range': '', 'whitelist-source-range': '10.0.0.1' })).toMatchObject({
      ...{ asked: { 'allowlist-source-range': ['10.0.0.1'] }, told: [], broken: [] },
    });
  });

  it('an older name counts where the newer one has no value', () => {
    expect(read({ 'whitelist-source-range': '10.0.0.1' }).asked).toEqual({ 'allowlist-source-range': ['10.0.0.1'] });
    const both = read({ 'whitelist-source-range': '10.0.0.1', 'allowlist-source-range': '10.0.0.2' });
    expect(both.asked).toEqual({ 'allowlist-source-range': ['10.0.0.2'] });
    const limits = read({ 'limit-rps': '1', 'limit-whitelist': '10.0.0.1' });
    expect(limits.asked['limit-allowlist']).toEqual(['10.0.0.1']);
  });

  it('what means nothing alone, the graver the more it guards', () => {
    const { problems, broken } = read({ 'auth-secret': 'users', 'auth-realm': 'Shop' });
    expect(problems).toMatchObject([
      { code: 'FW5506', name: 'auth-realm' },
      { code: 'FW5506', name: 'auth-secret', grave: true },
    ]);
    expect(broken).toEqual([]);
  });

  it('what is not followed, and what there is nothing to do about', () => {
    expect(read({ 'proxy-buffering': 'on' }).told).toEqual(['FW5504 proxy-buffering']);
    expect(read({ 'enable-opentelemetry': 'false' }).told).toEqual([]);
    expect(read({ 'stream-snippet': 'server {}' }).told).toEqual(['FW5503 stream-snippet']);
  });

  it('names that are not known, or no more', () => {
    expect(read({ 'auth-ulr': 'http://a.b.svc' }).problems).toMatchObject([
      { code: 'FW5505', grave: true, message: expect.stringContaining('auth-url may be meant') },
    ]);
    expect(read({ 'global-rate-limit-window': '1m' }).problems).toMatchObject([
      { code: 'FW5503', message: expect.stringContaining('limit-rps') },
    ]);
  });

  it('other prefixes are not looked at', () => {
    const annotations = { 'fairway.dev/rewrite': 'x', 'cert-manager.io/issuer': 'x' };
    const ingress = { metadata: { name: 'a', annotations } } as unknown as Ingress;
    expect(readNginxAnnotations(ingress)).toEqual({ asked: {}, problems: [], broken: [] });
  });
});

it('any text is read, taken or refused, and a protecting one that is refused is reported as that', () => {
  const keys = Object.keys(nginxAnnotations) as NginxKey[];
  const text = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'grapheme', maxLength: 20 }));
  fc.assert(
    fc.property(fc.constantFrom(...keys), text, (key, value) => {
      const { of = [] } = rowOf(key);
      const needed = Object.fromEntries(of.slice(0, 1).map((other) => [other, 'x']));
      const { asked, broken, problems } = read({ ...needed, [key]: value });
      const isRead = Object.hasOwn(asked, rowOf(key).alias ?? key);
      const wrong = problems.some(({ code, name }) => name === key && (code === 'FW5501' || code === 'FW5502'));
      expect(isRead && wrong).toBe(false);
      expect(broken.includes(key)).toBe(wrong && rowOf(key).protects);
    }),
    { numRuns: 1_000 },
  );
});

it('the time that it takes to read a value grows with its length alone', () => {
  const parts = ['a', ' ', ',', '-', '0', '$a', 'a.', 'a, ', '/a', '200 1m,', '*.', 'http://'];
  const since = process.cpuUsage();
  for (const key of Object.keys(nginxAnnotations) as NginxKey[])
    for (const part of parts) for (const end of ['!', '\u0000']) rowOf(key).read(part.repeat(20_000) + end);
  expect(process.cpuUsage(since).user).toBeLessThan(5_000_000);
});
