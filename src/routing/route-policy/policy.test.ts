import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../base/package-root.ts';
import { compile } from '../../control/compile.ts';
import { isAddressBlock } from '../../proxy/exchange/forwarded.ts';
import { parseHash } from '../../proxy/filters/basic-auth/passwords.ts';
import { headerFault } from '../../proxy/filters/facts.ts';
import { createTranslationCache } from '../incremental/cache.ts';
import {
  fairwayClass,
  ingressYaml,
  inputOf,
  loadObjects,
  serviceYaml,
  storeOf,
  translateYaml,
} from '../ingress/test-helpers.ts';
import type { Filter, Route } from '../plan/plan.ts';
import { type AnnotationName, readAnnotations, routeAnnotations } from './annotations.ts';
import { hashFault, usersOf } from './htpasswd.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const sha = '{SHA}J2E6dThXr2dQZE0mDeHGIlt88a0=';
const secretYaml = (auth: string) => `---
apiVersion: v1
kind: Secret
metadata: { name: users }
data: { auth: ${base64(auth)} }
`;

type Annotations = Readonly<Record<string, string>>;

function annotatedYaml(annotations: Annotations): string {
  const lines = Object.entries(annotations).map(([key, value]) => `    fairway.dev/${key}: ${JSON.stringify(value)}\n`);
  const rules = [
    ['a.example', 'Prefix', '/', 'web'],
    ['a.example', 'Prefix', '/more', 'web'],
  ] as const;
  return ingressYaml('web', rules).replace('{ name: web }', `\n  name: web\n  annotations:\n${lines.join('')}`);
}

const world = (annotations: Annotations) =>
  fairwayClass + serviceYaml('web') + secretYaml(`ada:${sha}`) + annotatedYaml(annotations);

function routesOf(annotations: Annotations) {
  const { listeners, diagnostics, backends } = translateYaml(world(annotations));
  return { routes: listeners[0]!.hosts[0]!.routes, findings: diagnostics, backends };
}

const values: Record<AnnotationName, { good: readonly string[]; bad: readonly string[] }> = {
  'allow-from': {
    good: ['10.0.0.0/8', '10.0.0.1, fd00::/8', '192.0.2.1\n192.0.2.2', '::/0', '10.0.0.1,10.0.0.1'],
    bad: ['', '10.0.0.0/33', 'fd00::/129', '10.0.0', 'localhost', '10.0.0.0/8,', 'fe80::1%eth0', '10.0.0.0/8 or so'],
  },
  'deny-from': { good: ['0.0.0.0/0'], bad: ['', 'all'] },
  'basic-auth': { good: ['users'], bad: ['', 'Users', 'other/users', 'a..b', '../users', 'a b'] },
  'basic-auth-realm': { good: ['The "shop"'], bad: ['', 'a\nb', 'ä', 'x'.repeat(129)] },
  'external-auth': {
    good: ['web:80', 'web:80/', 'web:80/a?b=c&d'],
    bad: [
      '',
      'web',
      'web:http',
      'web:0',
      'web:65536',
      'http://web:80/',
      'other/web:80',
      'web:80/a b',
      'web:80/#x',
      'web:80x',
    ],
  },
  'external-auth-request-headers': {
    good: ['*', 'Authorization', 'Cookie, X-Real_Ip'],
    bad: ['', 'Host', 'a:b', 'Connection', 'Cookie,', 'x, *, a b(', 'content-length'],
  },
  'external-auth-response-headers': { good: ['*', 'X-User X-Group'], bad: ['', 'Transfer-Encoding', 'X User:'] },
  'external-auth-sign-in': {
    good: ['https://login.example/start?x=1', 'http://[::1]:8080/'],
    bad: ['', '/start', 'javascript:alert(1)', 'https://', 'https://a b/', 'https:///x', 'https://a:b:c/'],
  },
  'external-auth-timeout': { good: ['1ms', '1m30s'], bad: ['', '0s', '10', '-1s', '10 s'] },
  'rate-limit': {
    good: ['10/s', '1/m burst=0', '10/h by=all burst=5', '10/s  by=header:X-Api-Key'],
    bad: [
      '',
      '10',
      '0/s',
      '10/d',
      '1.5/s',
      '10/s burst',
      '10/s burst=-1',
      '10/s by=cookie:a',
      '10/s by=header:',
      '10/s burst=1 burst=2',
      '10/s rate=1',
      '10/s, 100/m',
      '1000001/s',
    ],
  },
  'max-concurrent-requests': { good: ['1', '100 by=address'], bad: ['', '0', '-1', '1e3', '10 burst=1', 'by=all'] },
  'max-request-body': {
    good: ['0', '10Mi', '512k', '1.5Gi', '100'],
    bad: ['', '10m', '10MB', '10 Mi', '-1', '1.0001', '9Pi9', '1e3', '10K', '9007199254740993', '100Ei'],
  },
  rewrite: {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a group in a replacement
    good: ['^/a/(.*)$ -> /$1', '(?i)/A -> /b?x=1', '/(?P<n>.) -> /${1}'],
    bad: [
      '',
      '/a',
      '/a -> ',
      '-> /b',
      '/a -> /b -> /c',
      '/(a -> /$1',
      '/(a) -> /$2',
      '/a->/b',
      '(?=a) -> /b',
      '/a -> /b#c',
    ],
  },
  'error-pages': {
    good: ['404 -> web:80', '404,503 -> web:80/x', '500 502 -> web:80'],
    bad: ['', '404', '404 -> web', '200 -> web:80', '4xx -> web:80', '-> web:80', '404 -> ', '404 -> http://web/'],
  },
  compression: { good: ['gzip', 'br, gzip', 'br gzip'], bad: ['', 'on', 'gzip,', 'zstd', 'gzip;q=1'] },
  'compression-types': { good: ['text/*', 'text/html, image/svg+xml'], bad: ['', 'text', '*/*/*', 'text/html;q=1'] },
  'compression-min-size': { good: ['0', '1Ki'], bad: ['', 'small'] },
  'request-timeout': { good: ['0s', '10s'], bad: ['', '10', '1d'] },
  'backend-request-timeout': { good: ['100ms'], bad: ['fast'] },
  'idle-timeout': { good: ['0s', '5m'], bad: ['', '5', 'long'] },
  retry: {
    good: ['1', '2 codes=502,503', '3 backoff=10ms codes=500'],
    bad: ['', '0', 'on', '2 codes=', '2 codes=200', '2 backoff=0s', '2 codes=502, 503'],
  },
};

/** Those that an annotation means nothing without. */
const companions: Annotations = {
  'basic-auth-realm': 'basic-auth=users',
  'external-auth-request-headers': 'external-auth=web:80',
  'external-auth-response-headers': 'external-auth=web:80',
  'external-auth-sign-in': 'external-auth=web:80',
  'external-auth-timeout': 'external-auth=web:80',
  'compression-types': 'compression=br',
  'compression-min-size': 'compression=br',
};

function withCompanion(name: string, value: string): Annotations {
  const [other, of] = companions[name]?.split('=') ?? [];
  return { [name]: value, ...(other !== undefined && { [other]: of! }) };
}

const names = Object.keys(routeAnnotations) as AnnotationName[];

const refusal = (name: AnnotationName) => {
  const reason = `the annotation fairway.dev/${name} cannot be honoured`;
  return { type: 'respond', status: 503, reason };
};

describe('annotations of a route', () => {
  it.each(names)('%s takes values that are right', (name) => {
    for (const value of values[name].good) {
      const { routes, findings } = routesOf(withCompanion(name, value));
      expect(findings, value).toEqual([]);
      expect(routes.map(({ action }) => action.type)).toEqual(['forward', 'forward']);
    }
  });

  it.each(names)('%s takes no others', (name) => {
    const { guards } = routeAnnotations[name];
    for (const value of values[name].bad) {
      const { routes, findings } = routesOf({
        ...withCompanion(name, value),
        'deny-from': name === 'deny-from' ? value : '10.0.0.1',
      });
      expect(findings, value).toMatchObject([
        {
          code: guards ? 'FW5401' : 'FW5403',
          severity: 'error',
          object: { kind: 'Ingress', namespace: 'default', name: 'web' },
          fieldPath: `metadata.annotations["fairway.dev/${name}"]`,
          message: expect.stringContaining(routeAnnotations[name].expected),
        },
      ]);
      for (const { action, filters } of routes) {
        if (guards) expect(action).toEqual(refusal(name));
        else expect(filters[0]).toMatchObject({ type: 'ip-access', deny: ['10.0.0.1'] });
      }
    }
  });

  it.each(Object.entries(companions))('%s means nothing without %s', (name) => {
    const { routes, findings } = routesOf({ [name]: values[name as AnnotationName].good[0]! });
    expect(findings).toMatchObject([{ code: 'FW5404', severity: 'warning' }]);
    expect(routes[0]).toMatchObject({ filters: [], action: { type: 'forward' } });
  });

  it('are those of docs/policies.md', () => {
    const page = readFileSync(join(packageRoot, 'docs/policies.md'), 'utf8');
    const rows = [...page.matchAll(/^\| `fairway\.dev\/([a-z-]+)` \|/gm)].map(([, name]) => name);
    expect(rows).toEqual(names);
  });

  it('never make the reader throw', () => {
    const text = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[0-9]{1,3}(\/[smh])?( (burst|by|codes)=[a-z0-9:,]{0,5}){0,2}$/),
      fc.stringMatching(/^[()/^$a.*+{}0-9\\]{0,12} -> [/$0-9a]{0,5}$/),
    );
    fc.assert(
      fc.property(fc.constantFrom(...names), text, (name, value) => {
        const metadata = { name: 'web', annotations: { [`fairway.dev/${name}`]: value } };
        const { asked, problems } = readAnnotations({ apiVersion: 'v1', kind: 'Ingress', metadata });
        expect(Object.keys(asked).length + problems.length).toBe(1);
      }),
    );
  });

  it('give each rule the same, and limits of one zone', () => {
    const { routes } = routesOf({ 'rate-limit': '10/s', 'max-concurrent-requests': '5 by=address' });
    const expected: Filter[] = [
      {
        ...{ type: 'rate-limit', zone: 'Ingress/default/web', requests: 10, perMs: 1_000, burst: 9 },
        ...{ key: { by: 'address' }, status: 429 },
      },
      { type: 'concurrency', zone: 'Ingress/default/web', key: { by: 'address' }, max: 5, status: 503 },
    ];
    expect(routes.map(({ filters }) => filters)).toEqual([expected, expected]);
  });

  it('agree with the data plane on addresses and headers', () => {
    const entries = [...values['allow-from'].good, ...values['allow-from'].bad].flatMap((text) => text.split(/[\s,]+/));
    for (const entry of entries.filter((each) => each !== '' && !each.includes('%')))
      expect(routeAnnotations['allow-from'].read(entry) !== undefined, entry).toBe(isAddressBlock(entry));
    for (const header of ['Host', 'TE', 'Upgrade', 'Trailer', 'Keep-Alive', 'Proxy-Connection', 'X-A', 'Cookie', 'a:b'])
      expect(routeAnnotations['external-auth-request-headers'].read(header) !== undefined, header).toBe(
        headerFault(header) === undefined,
      );
  });
});

describe('a Secret with passwords', () => {
  const bcrypt = `$2y$05$FapbpMzi07PPKpWUtb8ofuCq/fTQ8bzWRnb8mJi3RgLIOKx5/R6Sa`;
  const apr1 = '$apr1$abcdefgh$rzZ/JvRMCMZSDkBiBMQ5c1';
  const read = (auth: string) =>
    usersOf({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'users' }, data: { auth: base64(auth) } });

  it('is read line by line', () => {
    const text = `# people\r\n\r\nada:${sha}\r\nbob:${bcrypt}:a comment\n eve:${apr1}\nada:${apr1}\nplain\n:${sha}\nmallory:x`;
    expect(read(text)).toEqual({
      users: [
        { name: 'ada', hash: sha },
        { name: 'bob', hash: bcrypt },
        { name: 'eve', hash: apr1 },
      ],
      problems: [
        'line 6 has the name of an earlier one',
        'line 7 is not NAME:HASH',
        'line 8 is not NAME:HASH',
        'line 9 has no whole hash of bcrypt, apr1, $1$, $5$, $6$, {SHA}, {SSHA} or {PLAIN}',
      ],
    });
  });

  it('must have somebody who can log in', () => {
    expect(read('# nobody\n')).toBe('has no user that can log in under the key auth');
    expect(read('ada:secret')).toMatch(/^has no user .*: line 1 has no whole hash/);
    expect(read('ada:secret')).not.toContain('secret');
    const { metadata } = { metadata: { name: 'users' } };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata } as const;
    expect(usersOf({ ...secret })).toBe('has nothing under the key auth');
    expect(usersOf({ ...secret, data: { password: 'eA==', username: 'eA==' } })).toBe(
      'has nothing under the key auth; its keys are password, username',
    );
    expect(usersOf({ ...secret, data: { auth: `ada:${sha}` } })).toBe('has no base64 under the key auth');
    expect(read(Array.from({ length: 10_001 }, (_, i) => `u${i}:${sha}`).join('\n'))).toMatch(/more than 10000/);
  });

  it('holds the hashes that the data plane can check, and no others', () => {
    const changed = fc
      .tuple(fc.constantFrom(sha, bcrypt, apr1), fc.nat(70), fc.constantFrom('', '$', '0', 'z', '/'))
      .map(([hash, at, other]) => hash.slice(0, at) + other + hash.slice(at + 1));
    fc.assert(
      fc.property(fc.oneof(changed, fc.constantFrom(sha, bcrypt, apr1, bcrypt.replace('05', '15'))), (hash) => {
        const isChecked = typeof parseHash(hash) !== 'string';
        // Base64 is read with more patience there.
        if (hash.startsWith('{SHA}')) expect(isChecked || hashFault(hash) !== undefined).toBe(true);
        else expect(hashFault(hash) === undefined).toBe(isChecked);
      }),
    );
  });
});

describe('what annotations refer to', () => {
  const store = () => storeOf(loadObjects(world({ 'basic-auth': 'users', 'external-auth': 'auth:80' })));
  const route = ({ plan }: ReturnType<typeof compile>): Route => plan.listeners[0]!.hosts[0]!.routes[0]!;

  it('is looked at again when it comes, changes or goes, and at no other time', () => {
    const objects = store();
    const cache = createTranslationCache();
    const now = () => route(compile(inputOf(objects, { cache })));
    const put = (yaml: string) => {
      for (const object of loadObjects(yaml))
        objects.put(object.kind === 'Secret' ? 'secrets' : 'services', {
          ...object,
          metadata: { namespace: 'default', ...object.metadata },
        });
    };
    expect(now().action).toEqual(refusal('external-auth'));
    put(serviceYaml('auth'));
    const guarded = now();
    expect(guarded.action.type).toBe('forward');
    expect(guarded.filters.map(({ type }) => type)).toEqual(['basic-auth', 'external-auth']);
    put(secretYaml(`eve:${sha}`).replace('name: users', 'name: others'));
    put(serviceYaml('another'));
    expect(now()).toBe(guarded);
    put(secretYaml(`eve:${sha}`));
    expect(now().filters[0]).toMatchObject({ users: [{ name: 'eve', hash: sha }] });
    objects.remove('secrets', 'default/users');
    expect(now().action).toEqual(refusal('basic-auth'));
  });

  it('is not asked for an Ingress that comes to be one of ingress-nginx, and again when it is one no more', () => {
    const yaml = world({ 'basic-auth': 'users' })
      .replaceAll('fairway\n', 'old\n')
      .replaceAll('name: fairway', 'name: old');
    const objects = storeOf(loadObjects(yaml));
    const cache = createTranslationCache();
    const now = (controller: string) => {
      const [ingressClass] = loadObjects(fairwayClass.replace('fairway }', 'old }'));
      objects.put('ingressclasses.networking.k8s.io', { ...ingressClass!, spec: { controller } } as never);
      const { plan, diagnostics } = compile(inputOf(objects, { cache, adopt: true }));
      const { filters } = plan.listeners[0]!.hosts[0]!.routes[0]!;
      const asksForPassword = filters.some(({ type }) => type === 'basic-auth');
      return [asksForPassword, diagnostics.map(({ code, severity }) => `${code} ${severity}`)];
    };
    expect(now('fairway.dev/ingress')).toEqual([true, []]);
    expect(now('k8s.io/ingress-nginx')).toEqual([false, ['FW5404 error']]);
    expect(now('example.com/other')).toEqual([true, ['FW2001 info']]);
  });

  it('is told once for an Ingress, however many paths it has', () => {
    const { findings } = routesOf({ 'basic-auth': 'gone', 'error-pages': '404 -> gone:80' });
    expect(findings.map(({ code }) => code)).toEqual(['FW5401', 'FW5403']);
  });

  it('of a Service with annotations of its own: what is wrong with those is told as well', () => {
    const yaml =
      world({ 'external-auth': 'auth:80' }) +
      serviceYaml('auth').replace('name: auth', 'name: auth, annotations: { fairway.dev/balance: x }');
    const { diagnostics, backends } = translateYaml(yaml);
    expect(diagnostics.map(({ code, object }) => [code, object?.name])).toEqual([['FW5301', 'auth']]);
    expect(backends.map(({ id }) => id)).toEqual(['default/auth:80', 'default/web:80']);
  });
});

describe('names that are not known', () => {
  it.each([
    ['alow-from', 'error', 'fairway.dev/allow-from may be meant'],
    ['ratelimit', 'error', 'fairway.dev/rate-limit may be meant'],
    ['compresion', 'warning', 'fairway.dev/compression may be meant'],
    ['whatever-else', 'warning', 'there is no annotation fairway.dev/whatever-else'],
    ['constructor', 'warning', 'there is no annotation fairway.dev/constructor'],
  ])('%s', (name, severity, message) => {
    const { findings, routes } = routesOf({ [name]: 'x' });
    expect(findings).toMatchObject([{ code: 'FW5402', severity, message: expect.stringContaining(message) }]);
    expect(routes[0]!.action.type).toBe('forward');
  });
});
