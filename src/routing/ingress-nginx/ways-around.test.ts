/** Ways that requests could take around what protects a location: other Ingresses, other names, other spellings of a path. */
import { describe, expect, it } from 'vitest';
import { loadObjects } from '../ingress/test-helpers.ts';
import { compileListener } from '../match/matcher.ts';
import type { Filter, Route } from '../plan/plan.ts';
import type { TranslateInput, TranslateOutput } from '../translate.ts';
import { defaultNginxConfig, type NginxConfig } from './config/config.ts';
import { hash, secret } from './policy/testing.ts';
import { become, type IngressOptions, nginxIngress, services, translateNginx } from './testing.ts';

const host = 'shop.example';
const objects = [
  ...services('web', 'two', 'pages', 'next'),
  secret('users', { auth: `anna:${hash}` }, 'default'),
  ...loadObjects(`{ apiVersion: v1, kind: Secret, metadata: { name: ca }, data: { ca.crt: $(root.crt) } }
---
{ apiVersion: v1, kind: Secret, metadata: { name: other-ca }, data: { ca.crt: $(root.crt) } }`),
];
const basic = { 'auth-type': 'basic', 'auth-secret': 'users' };

const translate = (list: readonly object[], config: Partial<NginxConfig> = {}, more: Partial<TranslateInput> = {}) =>
  translateNginx([...objects, ...list], { ingressNginx: { config: { ...defaultNginxConfig, ...config } }, ...more });

const ingress = (name: string, path: string, options: IngressOptions = {}, service = 'web') =>
  nginxIngress(name, [[host, 'Prefix', path, service]], options);

function routeOf(output: TranslateOutput, path: string, name = host): Route {
  const { route } = compileListener(output.listeners[0]!).match({ host: name, path, query: '', method: 'GET', headers: () => undefined }); // biome-ignore format: one line
  if (!route) throw new Error(`nobody takes ${name}${path}`);
  return route;
}
const typesOf = ({ filters }: Route) => filters.map(({ type }) => type);
const asks = (type: Filter['type']) => (route: Route) => typesOf(route).includes(type);
const on = (output: TranslateOutput, target: string, name = host) => become({ output, host: name, target });
const told = ({ diagnostics }: TranslateOutput) =>
  diagnostics.map(({ code, severity, object, fieldPath = '' }) => `${code} ${severity} ${object?.name} ${fieldPath.replace(/^.*\/(.*)"]$/, '$1')}`); // biome-ignore format: one line

describe('certificates of clients, which one Ingress says for the whole host', () => {
  const older = (annotations: Record<string, string>) => ingress('older', '/', { age: 1, annotations });
  const later = (annotations: Record<string, string>) => ingress('later', '/later', { age: 2, annotations });
  const asked = { 'auth-tls-secret': 'default/ca' };

  it.each([
    ['other authorities', asked, { 'auth-tls-secret': 'default/other-ca' }],
    ['required where the older takes none', { ...asked, 'auth-tls-verify-client': 'off' }, asked],
    ['required where the older takes or leaves', { ...asked, 'auth-tls-verify-client': 'optional' }, asked],
    ['known ones where the older takes any', { ...asked, 'auth-tls-verify-client': 'optional_no_ca' }, { ...asked, 'auth-tls-verify-client': 'optional' }], // biome-ignore format: one row
    ['a subject', asked, { ...asked, 'auth-tls-match-cn': 'CN=partner' }],
    ['another subject', { ...asked, 'auth-tls-match-cn': 'CN=other' }, { ...asked, 'auth-tls-match-cn': 'CN=partner' }],
    ['shorter chains', { ...asked, 'auth-tls-verify-depth': '3' }, asked],
    ['what cannot be read', asked, { 'auth-tls-secret': '../ca' }],
    ['a mode that cannot be read', asked, { ...asked, 'auth-tls-verify-client': 'yes' }],
  ])('a later Ingress that asks for %s is shut, and the older is not', (_what, first, second) => {
    const output = translate([older(first), later(second)]);
    for (const path of ['/later', '/later/a'])
      expect(routeOf(output, path).action).toMatchObject({ type: 'respond', status: 503 });
    expect(routeOf(output, '/').action.type).toBe('forward');
    expect(told(output)).toContainEqual(expect.stringMatching(/^FW5501 error later auth-tls-/));
  });

  it.each([
    ['the same', asked, asked],
    ['the same, its namespace left out', asked, { 'auth-tls-secret': 'ca' }],
    ['less', { ...asked, 'auth-tls-match-cn': 'CN=partner' }, { ...asked, 'auth-tls-verify-client': 'optional' }],
  ])('one that asks for %s goes by the older', (_what, first, second) => {
    const output = translate([older(first), later(second)]);
    for (const path of ['/', '/later'])
      expect([routeOf(output, path).action.type, asks('client-certificate')(routeOf(output, path))]).toEqual(['forward', true]); // biome-ignore format: one line
    expect(told(output).filter((line) => line.startsWith('FW5501'))).toEqual([]);
  });

  it('says so where requests come in over plain HTTP, without being sent to HTTPS', () => {
    expect(told(translate([older(asked)]))).toEqual(['FW5508 warning older auth-tls-secret']);
    expect(told(translate([older({ ...asked, 'force-ssl-redirect': 'true' })]))).toEqual([]);
    expect(told(translate([older({ ...asked, 'auth-tls-verify-client': 'optional' })]))).toEqual([]);
    expect(told(translate([older({ ...asked, 'auth-tls-match-cn': 'CN=a' })]))).toEqual([]);
  });

  it('backends are never told of a certificate that nobody has shown', () => {
    const { filters } = routeOf(translate([older({ ...asked, 'force-ssl-redirect': 'true' })]), '/');
    const set = filters.flatMap((filter) => (filter.type === 'request-values' ? filter.set : []));
    expect(set).toContainEqual(['ssl-client-cert', []]);
  });
});

describe('snippets of servers', () => {
  const permitted = { allowSnippetAnnotations: true, annotationsRiskLevel: 'Critical' } as const;
  const scripted = (name: string, age: number, text: string) =>
    ingress(name, `/${name}`, { age, annotations: { 'server-snippet': text } });

  it('that are not permitted shut the locations of their own Ingress alone', () => {
    const output = translate([scripted('one', 1, 'return 403;'), ingress('two', '/two', { age: 2 }), scripted('three', 3, 'deny all;')]); // biome-ignore format: one line
    expect([on(output, '/one'), on(output, '/two'), on(output, '/three')]).toEqual(['503', 'web /two', '503']);
    expect(told(output)).toEqual(['FW5501 error one server-snippet', 'FW5501 error three server-snippet']);
  });

  it('that are permitted and not understood shut the host, which they are said of', () => {
    const output = translate([scripted('one', 1, 'deny all;'), ingress('two', '/two', { age: 2 })], permitted);
    expect([on(output, '/one'), on(output, '/two')]).toEqual(['503', '503']);
  });

  it('of which a host has one already are left out with a finding', () => {
    const output = translate([scripted('one', 1, 'more_set_headers "A: a";'), scripted('two', 2, 'return 403;')], permitted); // biome-ignore format: one line
    expect([on(output, '/one'), on(output, '/two')]).toEqual(['web /one', 'web /two']);
    expect(told(output)).toEqual(['FW5503 error two server-snippet']);
    const same = translate([scripted('one', 1, 'return 403;'), scripted('two', 2, 'return 403;')], permitted);
    expect(told(same)).toEqual([]);
  });
});

describe('ssl-passthrough', () => {
  const passing = { 'ssl-passthrough': 'true' };
  const pass = (list: readonly object[]) =>
    translate(list, {}, { ingressNginx: { sslPassthrough: true, config: defaultNginxConfig } });

  it.each([
    ['passwords', basic],
    ['addresses', { 'allowlist-source-range': '10.0.0.0/8' }],
    ['addresses under their old name', { 'whitelist-source-range': '10.0.0.0/8' }],
    ['addresses to keep out', { 'denylist-source-range': '10.0.0.0/8' }],
    ['addresses that are none', { 'denylist-source-range': 'nobody' }],
    ['a service', { 'auth-url': 'http://pages.default.svc/' }],
    ['certificates', { 'auth-tls-secret': 'ca' }],
    ['a firewall', { 'enable-modsecurity': 'true' }],
    ['a snippet', { 'configuration-snippet': 'return 403;' }],
  ])('is not for a backend that is protected by %s', (_what, annotations) => {
    const output = pass([ingress('web', '/', { annotations: { ...passing, ...annotations } })]);
    expect(output.streams).toBeUndefined();
    expect(told(output)).toContain('FW5503 error web ssl-passthrough');
  });

  it('nor where another Ingress protects the same backend, as the first or below', () => {
    const apart = pass([ingress('owner', '/', { age: 1, annotations: basic }), ingress('web', '/x', { age: 2, annotations: passing }, 'two')]); // biome-ignore format: one line
    const below = pass([ingress('web', '/', { age: 1, annotations: passing }), ingress('guard', '/x', { age: 2, annotations: basic })]); // biome-ignore format: one line
    expect([apart.streams, below.streams]).toEqual([undefined, undefined]);
    expect(told(apart)).toEqual(['FW5503 error web ssl-passthrough']);
  });

  it('but is where what is protected is another backend', () => {
    const output = pass([ingress('web', '/', { age: 1, annotations: passing }), ingress('guard', '/x', { age: 2, annotations: basic }, 'two')]); // biome-ignore format: one line
    expect(output.streams).toHaveLength(1);
  });
});

describe('canaries', () => {
  const canary = { canary: 'true', 'canary-weight': '100' };

  it('are behind what protects the path that they share', () => {
    const output = translate([
      ingress('main', '/', { age: 1, annotations: basic }),
      ingress('canary', '/', { age: 2, annotations: canary }, 'next'),
    ]);
    expect(asks('basic-auth')(routeOf(output, '/'))).toBe(true);
    const broken = { ...basic, 'auth-secret': 'gone' };
    const shut = translate([
      ingress('main', '/', { age: 1, annotations: broken }),
      ingress('canary', '/', { age: 2, annotations: canary }, 'next'),
    ]);
    expect(on(shut, '/')).toBe('503');
  });

  it.each([
    ['auth-type', basic],
    ['whitelist-source-range', { 'whitelist-source-range': '10.0.0.0/8' }],
    ['denylist-source-range', { 'denylist-source-range': 'nobody' }],
  ])('protect nothing themselves, which is told: %s', (name, annotations) => {
    const output = translate([
      ingress('main', '/', { age: 1 }),
      ingress('canary', '/', { age: 2, annotations: { ...canary, ...annotations } }, 'next'),
    ]);
    expect(told(output)).toContain(`FW5503 error canary ${name}`);
  });
});

describe('a path whose Ingress asks for passwords', () => {
  const guarded = (options: IngressOptions = {}) =>
    ingress('guard', '/admin', { age: 2, ...options, annotations: { ...basic, ...options.annotations } });
  const open = ingress('open', '/', { age: 1 }, 'two');

  it.each([
    '/admin',
    '/admin/',
    '/admin/x',
    '//admin',
    '/./admin',
    '/x/../admin',
    '/x/..%2fadmin',
    '/%61dmin',
    '/admin%2Fx',
    '/%2fadmin',
    '/admin/../admin',
    '/admin//',
    '/x%2f%2e%2e%2fadmin',
    '/admin?x=/open',
  ])('asks for them at %s, as nginx would', (target) => {
    expect(asks('basic-auth')(routeOf(translate([open, guarded()]), target.split('?')[0]!))).toBe(true);
  });

  // To nginx these are other paths. Backends to which they are not must not be behind an open path as well.
  it.each(['/Admin', '/admin;x', '/adminx', '/%2561dmin', '/admin%5c', '/x\\admin', '/admin%00', '/admin/../x'])(
    'does not at %s, as nginx would not',
    (target) => {
      const { route } = compileListener(translate([open, guarded()]).listeners[0]!).match({ host, path: target, query: '', method: 'GET', headers: () => undefined }); // biome-ignore format: one line
      expect(route?.source.object.name).not.toBe('guard');
    },
  );

  it('asks for them under all names of the host, on both doors', () => {
    const output = translate([guarded({ annotations: { 'server-alias': 'alias.example,*.any.example' } })], {}, {});
    for (const name of ['alias.example', 'a.any.example', 'a.b.any.example', 'SHOP.example', 'shop.example:80'])
      expect(asks('basic-auth')(routeOf(output, '/admin', name))).toBe(true);
    for (const { hosts } of output.listeners) expect(hosts).toBe(output.listeners[0]!.hosts);
  });

  it('leads nowhere from the name with www. but to itself', () => {
    const output = translate([guarded({ annotations: { 'from-to-www-redirect': 'true' } })]);
    expect(routeOf(output, '/admin', 'www.shop.example').action).toMatchObject({ type: 'respond', status: 308 });
  });

  it('asks for them at / too, where no other Ingress has it', () => {
    const output = translate([
      guarded({ spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } } }),
    ]);
    expect(asks('basic-auth')(routeOf(output, '/'))).toBe(true);
    expect(asks('basic-auth')(routeOf(output, '/else'))).toBe(true);
  });

  it('and of whole hosts, at whatever host no Ingress has', () => {
    const everyone = nginxIngress('everyone', [], { annotations: basic, spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } } }); // biome-ignore format: one line
    const output = translate([everyone]);
    expect(asks('basic-auth')(routeOf(output, '/', 'nobody.example'))).toBe(true);
    // For load balancers; it leads nowhere.
    expect(routeOf(output, '/healthz', 'nobody.example').action).toMatchObject({ type: 'respond', status: 200 });
    const named = translate([
      everyone,
      nginxIngress('named', [['', 'Prefix', '/healthz', 'web']], { annotations: basic }),
    ]);
    expect(asks('basic-auth')(routeOf(named, '/healthz/x', 'nobody.example'))).toBe(true);
  });

  it('asks for them on a host with patterns, in any case of letters', () => {
    const pattern = ingress('pattern', '/p', { age: 3, annotations: { 'use-regex': 'true' } });
    const output = translate([open, guarded(), pattern]);
    for (const path of ['/ADMIN', '/admin', '/adminx', '/%41dmin/x']) expect(asks('basic-auth')(routeOf(output, path))).toBe(true); // biome-ignore format: one line
  });

  it.each([
    ['the slash at the end', { path: '/admin/' }],
    ['app-root', { annotations: { 'app-root': '/admin' } }],
  ])(
    'is not led past by %s',
    (_what, { path = '/admin', annotations = {} }: { path?: string; annotations?: object }) => {
      const output = translate([ingress('guard', path, { annotations: { ...basic, ...annotations } })]);
      for (const target of ['/', '/admin', '/admin/', '/admin/x']) {
        const route = routeOf(output, target);
        expect(asks('basic-auth')(route) || route.action.type === 'respond').toBe(true);
      }
    },
  );

  it('an exact path is behind passwords of its own, and not of those around it', () => {
    const exact = nginxIngress('exact', [[host, 'Exact', '/admin', 'web']], { age: 3, annotations: basic });
    const output = translate([open, ingress('around', '/admin', { age: 2 }), exact]);
    expect(['/admin', '/admin/', '/admin/x'].map((path) => asks('basic-auth')(routeOf(output, path)))).toEqual([true, false, false]); // biome-ignore format: one line
  });

  it('is open below the paths of challenges that an Ingress has, as no-auth-locations says', () => {
    const acme = ingress('acme', '/.well-known/acme-challenge', { annotations: basic });
    const output = translate([acme]);
    expect(asks('basic-auth')(routeOf(output, '/.well-known/acme-challenge/token'))).toBe(false);
    expect(asks('basic-auth')(routeOf(output, '/.well-known/acme-challeng'))).toBe(true);
    // Elsewhere the request decides nothing: where its location is, counts.
    expect(asks('basic-auth')(routeOf(translate([ingress('all', '/', { annotations: basic })]), '/.well-known/acme-challenge/x'))).toBe(true); // biome-ignore format: one line
    const listed = ingress('acme', '/.well-known/acme-challenge', { annotations: { 'allowlist-source-range': '10.0.0.0/8' } }); // biome-ignore format: one line
    expect(asks('ip-access')(routeOf(translate([listed]), '/.well-known/acme-challenge/token'))).toBe(true);
  });
});

describe('a pattern that cannot be used', () => {
  it('shuts what it may have taken, for the paths that it begins with', () => {
    const broken = (path: string) =>
      nginxIngress('broken', [[host, 'ImplementationSpecific', path, 'web']], { age: 2, annotations: { 'use-regex': 'true' } }); // biome-ignore format: one line
    const output = translate([ingress('open', '/', { age: 1 }, 'two'), broken('/admin/(?!public)')]);
    for (const path of ['/admin/x', '/ADMIN/x']) expect(on(output, path)).toBe('503');
    // nginx does not give it to the broken one either.
    expect(on(output, '/admin/public')).toBe('two /admin/public');
    expect(on(output, '/adminx')).toBe('two /adminx');
    expect(told(output)).toEqual(['FW2018 error broken spec.rules[0].http.paths[0].path']);
  });
});
