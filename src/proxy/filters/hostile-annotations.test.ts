/** Annotations of chance and of malice, through translation and data plane: bounded, loaded whole, and no more open. */
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { loadObjects } from '../../routing/ingress/test-helpers.ts';
import { type NginxKey, nginxAnnotations } from '../../routing/ingress-nginx/annotations/table.ts';
import { defaultNginxConfig } from '../../routing/ingress-nginx/config/config.ts';
import { configMap, hash, secret } from '../../routing/ingress-nginx/policy/testing.ts';
import { nginxIngress, services, translateNginx } from '../../routing/ingress-nginx/testing.ts';
import type { Filter, Plan, Route } from '../../routing/plan/plan.ts';
import type { TranslateOutput } from '../../routing/translate.ts';
import { createFront } from '../testing/front.ts';

const address = '127.92.1.1';
const host = 'shop.example';
const front = createFront();
afterAll(() => front.close());

const objects = [
  ...services('web', 'two', 'pages'),
  secret('users', { auth: `anna:${hash}` }, 'default'),
  configMap('headers', { 'X-Tenant': '$host' }, 'default'),
  ...loadObjects('{ apiVersion: v1, kind: Secret, metadata: { name: ca }, data: { ca.crt: $(root.crt) } }'),
];

/** What annotations of some kind take; each is tried as the value of any other, too. */
const sound = [
  ...['true', 'false', 'on', 'off', '0', '1', '100', '1000000000', '8k', '1m', '10.0.0.0/8', '::1', 'any', 'all'],
  ...['basic', 'users', 'ca', 'headers', 'default/users', 'pages', 'elsewhere/ca', 'cookie', 'GRPC', 'HTTPS', 'FCGI'],
  ...['/', '/$1', '/a/$2?b=$1', 'https://$host$request_uri', '$scheme://a.example/$1', 'http://pages.default.svc/$uri'],
  ...[
    'http://pages.default.svc:80/',
    '200 401 5m',
    'GET',
    'error timeout http_502',
    '404,503',
    'X-A,X-B',
    '~^/(.*)$ $1',
  ],
  ...['more_set_headers "A: $http_b";', 'if ($arg_a ~ "(x+x+)+y") { return 403 "$1"; }', 'rewrite ^/(.*) /x/$1 break;'],
  ...['return 200 "$uri";', 'proxy_set_header Host $http_host;', 'CN=.*', '*', 'https://*.example', 'alias.example'],
];
const hostile = [
  ...[
    '\r\nX-Evil: 1',
    'a\nb',
    '"',
    "'",
    '`',
    '{',
    '}',
    ';',
    '$',
    '${',
    '$$',
    '$nothing',
    '\\',
    '\0',
    '\u2028',
    '\ud800',
  ],
  ...[
    'ü',
    '💥',
    '%0d%0a',
    '../../etc/passwd',
    '//evil.example',
    'javascript:alert(1)',
    '(((((',
    '[',
    '*',
    '(?=a)',
    '\\1',
  ],
  ...[
    '(a+)+$',
    '(a|a)*b',
    '(.*){1000}',
    '((x{100}){100}){100}',
    '\\p{L}{500}',
    'constructor',
    '__proto__',
    'NaN',
    '-1',
  ],
  ...['1e400', ' ', ',', ', ,', ' '.repeat(20_000), ','.repeat(20_000), '$host'.repeat(5_000), 'a'.repeat(200_000)],
  ...['10.0.0.0/8,'.repeat(5_000), '$1'.repeat(2_000), '(x)'.repeat(3_000), '{'.repeat(5_000), 'if ($a) {'.repeat(500)],
];
const word = fc.oneof(fc.constantFrom(...sound), fc.constantFrom(...hostile), fc.string({ unit: 'binary', maxLength: 30 })); // biome-ignore format: one line
const text = fc.oneof(
  { weight: 5, arbitrary: word },
  fc.tuple(word, word).map(([a, b]) => a + b),
);
const keys = Object.keys(nginxAnnotations) as NginxKey[];
const annotationsOf = (names: readonly string[]) =>
  fc.dictionary(fc.constantFrom(...names), text, { maxKeys: 8, noNullPrototype: true });
const pathOf = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('/guarded', '/guarded/', '/g(/|$)(.*)', '/g/(?!x).*', '/(a+)+$', '/') },
  text.map((end) => `/${end}`),
);
const config = fc.constantFrom(
  defaultNginxConfig,
  { ...defaultNginxConfig, allowSnippetAnnotations: true, annotationsRiskLevel: 'Critical' as const },
  { ...defaultNginxConfig, allowCrossNamespaceResources: true, forceSslRedirect: true },
);

interface Given {
  readonly annotations: Record<string, string>;
  readonly others: Record<string, string>;
  readonly path: string;
  readonly config: typeof defaultNginxConfig;
}

function translate({ annotations, others, path, config: said }: Given): TranslateOutput {
  const rules = [[host, 'ImplementationSpecific', path, 'web']] as const;
  const list = [
    nginxIngress('other', [[host, 'Prefix', '/open', 'two']], { age: 1, annotations: others }),
    nginxIngress('guard', rules, { age: 2, annotations }),
  ];
  return translateNginx([...objects, ...list], {
    ingressNginx: { config: said, sslPassthrough: true },
    addresses: { ingress: () => [address], gateway: () => address, usable: () => true },
  });
}

/** A translation takes milliseconds; on a busy machine, not seconds. */
const longestMs = 2_000;

function bounded<T>(run: () => T): T {
  const start = performance.now();
  const made = run();
  expect(performance.now() - start).toBeLessThan(longestMs);
  return made;
}

async function load({ listeners, backends, certificates }: TranslateOutput): Promise<readonly string[]> {
  const plan: Plan = {
    listeners,
    backends: Object.fromEntries(backends.map((backend) => [backend.id, backend])),
    certificates: Object.fromEntries(certificates.map((certificate) => [certificate.id, certificate])),
  };
  const before = front.findings.length;
  const places = listeners.map(({ id, port }) => [id, { address, port: port + 8_000 }]);
  await front.plan(plan, Object.fromEntries(places));
  return front.findings.slice(before);
}

it('whatever annotations say, a plan comes of it in time, and the data plane takes all of it', async () => {
  const given = fc.record({ annotations: annotationsOf(keys), others: annotationsOf(keys), path: pathOf, config });
  await fc.assert(
    fc.asyncProperty(given, async (asked) => {
      const output = bounded(() => translate(asked));
      expect(await load(output)).toEqual([]);
    }),
    { numRuns: 150 },
  );
}, 60_000);

/** What protects, and the filter that does; the other keys may not take it away. */
const guards: readonly (readonly [annotations: Record<string, string>, filter: Filter['type']])[] = [
  [{ 'auth-type': 'basic', 'auth-secret': 'users' }, 'basic-auth'],
  [{ 'auth-url': 'http://pages.default.svc/' }, 'external-auth'],
  [{ 'allowlist-source-range': '10.0.0.0/8' }, 'ip-access'],
  [{ 'denylist-source-range': '10.0.0.0/8' }, 'ip-access'],
  [{ 'auth-tls-secret': 'ca' }, 'client-certificate'],
];

/** Of these it is said that less is asked. */
const opening = new Set(['satisfy', 'auth-tls-verify-client', 'enable-global-auth']);

const isGuarded = ({ action, filters }: Route, by: Filter['type']) =>
  action.type === 'respond' || filters.some(({ type }) => type === by);

it('what protects does so whatever else is said of the location, here or by another Ingress', async () => {
  const others = keys.filter((key) => !opening.has(key) && !key.startsWith('auth-tls'));
  const given = fc.record({ annotations: annotationsOf(others), others: annotationsOf(others), path: pathOf, config });
  await fc.assert(
    fc.asyncProperty(given, fc.constantFrom(...guards), async (asked, [guard, filter]) => {
      const output = bounded(() => translate({ ...asked, annotations: { ...asked.annotations, ...guard } }));
      const { hosts } = output.listeners[0]!;
      const routes = hosts.flatMap((each) => each.routes).filter(({ source }) => source.object.name === 'guard');
      expect(routes.filter((route) => !isGuarded(route, filter))).toEqual([]);
      // What is passed through as TLS would go by all of that.
      const passed = output.streams?.flatMap((stream) => stream.routes.flatMap((route) => route.backends)) ?? [];
      expect(passed.filter(({ backend = '' }) => backend.startsWith('default/web:'))).toEqual([]);
    }),
    { numRuns: 150 },
  );
}, 60_000);
