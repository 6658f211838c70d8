/** Hosts of ingress-nginx: who has a path, which path is tried first, and when paths are patterns. */
import { describe, expect, it } from 'vitest';
import type { TranslateInput, TranslateOutput } from '../translate.ts';
import { defaultNginxConfig } from './config/config.ts';
import { become, type IngressOptions, nginxIngress, serviceBackend, services, translateNginx } from './testing.ts';

const all = services('one', 'two', 'three', 'web', 'fallback');
const host = 'a.example';

const translate = (objects: readonly object[], changes: Partial<TranslateInput> = {}) =>
  translateNginx([...all, ...objects], changes);
const on = (output: TranslateOutput, target: string, name = host) => become({ output, host: name, target });
const codes = ({ diagnostics }: TranslateOutput) => diagnostics.map(({ code }) => code);

type Path = readonly [pathType: string, path: string, service: string];
const ingress = (name: string, paths: readonly Path[], options: IngressOptions = {}) =>
  nginxIngress(
    name,
    paths.map((path) => [host, ...path] as const),
    options,
  );

describe('merging', () => {
  it('the oldest Ingress has a path, and the others hear of it', () => {
    const output = translate([
      ingress('late', [['Prefix', '/x', 'two']], { age: 2 }),
      ingress('early', [['Prefix', '/x', 'one']], { age: 1 }),
    ]);
    expect(on(output, '/x')).toBe('one /x');
    expect(output.diagnostics).toMatchObject([{ code: 'FW2011', object: { name: 'late' } }]);
    expect(output.diagnostics[0]!.message).toBe('Prefix /x of host a.example belongs to Ingress default/early (spec.rules[0].http.paths[0])'); // biome-ignore format: one line
  });

  it('of equally old ones, the last by namespace and name is the first', () => {
    const output = translate([ingress('aaa', [['Prefix', '/', 'one']]), ingress('zzz', [['Prefix', '/', 'two']])]);
    expect(on(output, '/')).toBe('two /');
  });

  it('one path with two path types is two locations', () => {
    const output = translate([
      ingress('one', [['Prefix', '/x', 'one']], { age: 1 }),
      ingress('two', [['Exact', '/x', 'two']], { age: 2 }),
    ]);
    expect([on(output, '/x'), on(output, '/x/y')]).toEqual(['two /x', 'one /x/y']);
    expect(codes(output)).toEqual([]);
  });

  it('ImplementationSpecific is Prefix, also when somebody else has the path as Prefix', () => {
    const output = translate([
      ingress('one', [['ImplementationSpecific', '/x', 'one']], { age: 1 }),
      ingress('two', [['Prefix', '/x', 'two']], { age: 2 }),
    ]);
    expect([on(output, '/x/y'), on(output, '/xy')]).toEqual(['one /x/y', '404']);
    expect(codes(output)).toEqual(['FW2011']);
  });

  it('a host is one server for Ingresses of all namespaces', () => {
    const output = translate([
      ...services('far').map((service) => ({ ...service, metadata: { name: 'far', namespace: 'other' } })),
      ingress('one', [['Prefix', '/x', 'one']], { age: 1 }),
      ingress('two', [['Prefix', '/y', 'far']], { age: 2, namespace: 'other' }),
    ]);
    expect([on(output, '/x'), on(output, '/y')]).toEqual(['one /x', 'far /y']);
  });

  it('a path without a Service is as if it were not there', () => {
    const resource = { resource: { apiGroup: 'example.com', kind: 'Bucket', name: 'x' } };
    const spec = { rules: [{ host, http: { paths: [{ path: '/x', pathType: 'Prefix', backend: resource }] } }] };
    const output = translate([ingress('odd', [], { age: 1, spec }), ingress('one', [['Prefix', '/x', 'one']], { age: 2 })]); // biome-ignore format: one line
    expect(on(output, '/x')).toBe('one /x');
    expect(codes(output)).toEqual(['FW2022']);
  });

  it('Exact and Prefix paths are plain, unless the ConfigMap lets patterns in', () => {
    const objects = [ingress('odd', [['Prefix', '/x/(.*)', 'one']]), ingress('one', [['Prefix', '/y', 'two']])];
    const strict = translate(objects);
    expect([on(strict, '/x/1'), on(strict, '/y')]).toEqual(['404', 'two /y']);
    expect(strict.diagnostics).toMatchObject([{ code: 'FW2010', fieldPath: 'spec.rules[0].http.paths[0].path' }]);
    const config = { ...defaultNginxConfig, strictValidatePathType: false };
    const lenient = translate(objects, { ingressNginx: { config } });
    expect([on(lenient, '/x/(.*)'), codes(lenient)]).toEqual(['one /x/(.*)', []]);
  });
});

describe('order', () => {
  it('the longest path, and an equal one before all', () => {
    const output = translate([
      ingress('a', [
        ['Prefix', '/', 'one'],
        ['Prefix', '/aa', 'two'],
        ['Prefix', '/aa/bb', 'three'],
        ['Exact', '/aa/bb/cc', 'web'],
      ]),
    ]);
    const reached = ['/', '/aab', '/aa', '/aa/', '/aa/bb', '/aa/bb/x', '/aa/bb/cc', '/aa/bb/cc/'];
    expect(reached.map((path) => on(output, path).split(' ')[0])).toEqual([
      'one',
      'one',
      'two',
      'two',
      'three',
      'three',
      'web',
      'three',
    ]);
  });

  it('a slash is put behind a path that is there with it alone, as written, with the query', () => {
    const output = translate([
      ingress('a', [
        ['Prefix', '/', 'one'],
        ['Exact', '/exact/', 'two'],
        ['Prefix', '/prefix/', 'three'],
        ['Prefix', '/both/', 'two'],
        ['Exact', '/both', 'three'],
      ]),
    ]);
    expect(on(output, '/exact')).toBe('301 http://a.example/exact/');
    expect(on(output, '/exact?a=b')).toBe('301 http://a.example/exact/?a=b');
    expect(on(output, '/exact/x')).toBe('one /exact/x');
    expect(on(output, '/prefix')).toBe('301 http://a.example/prefix/');
    expect(on(output, '/prefix/x')).toBe('three /prefix/x');
    expect([on(output, '/both'), on(output, '/both/')]).toEqual(['three /both', 'two /both/']);
  });

  it('the redirect is relative where that is asked for', () => {
    const output = translate([
      ingress('a', [['Prefix', '/p/', 'one']], { annotations: { 'relative-redirects': 'true' } }),
    ]);
    expect(on(output, '/p?x')).toBe('301 /p/?x');
  });
});

describe('patterns', () => {
  it('one Ingress that uses them makes patterns of all paths of its host, and of no other', () => {
    const output = translate([
      ingress('plain', [['Prefix', '/plain', 'one'], ['Exact', '/exact', 'two']], { age: 1 }), // biome-ignore format: one line
      ingress('pattern', [['ImplementationSpecific', '/v[0-9]+', 'three']], { age: 2, annotations: { 'use-regex': 'true' } }), // biome-ignore format: one line
      nginxIngress('other', [['b.example', 'Prefix', '/plain', 'one']]),
    ]);
    expect(on(output, '/V2/x')).toBe('three /V2/x');
    expect(on(output, '/PLAINly')).toBe('one /PLAINly');
    expect(on(output, '/exactly')).toBe('two /exactly');
    expect(on(output, '/plainly', 'b.example')).toBe('404');
  });

  it('the longest is tried first, then the last in the order of characters', () => {
    const output = translate([
      ingress('a', [
        ['ImplementationSpecific', '/a.', 'one'],
        ['ImplementationSpecific', '/ab', 'two'],
        ['ImplementationSpecific', '/a.c', 'three'],
      ], { annotations: { 'use-regex': 'true' } }), // biome-ignore format: one line
    ]);
    expect([on(output, '/abc'), on(output, '/abx'), on(output, '/axx')]).toEqual([
      'three /abc',
      'two /abx',
      'one /axx',
    ]);
  });

  it('no slash is put behind a path', () => {
    const output = translate([ingress('a', [['Prefix', '/p/', 'one']], { annotations: { 'use-regex': 'true' } })]);
    expect([on(output, '/p'), on(output, '/P/x')]).toEqual(['404', 'one /P/x']);
  });

  it('^ holds for the first of alternatives alone', () => {
    const output = translate([
      ingress('a', [['ImplementationSpecific', '/a|/b', 'one']], { annotations: { 'use-regex': 'true' } }),
    ]);
    expect([on(output, '/ax'), on(output, '/x/b'), on(output, '/x/a')]).toEqual(['one /ax', 'one /x/b', '404']);
  });

  it('a pattern that cannot be had shuts what it begins with, and nothing else', () => {
    const output = translate([
      ingress('a', [['ImplementationSpecific', '/api/(?!internal)(.*)', 'one'], ['ImplementationSpecific', '/', 'two']], { annotations: { 'use-regex': 'true' } }), // biome-ignore format: one line
    ]);
    expect([on(output, '/api/x'), on(output, '/API/'), on(output, '/apix')]).toEqual(['503', '503', 'two /apix']);
    expect(output.diagnostics).toMatchObject([{ code: 'FW2018', fieldPath: 'spec.rules[0].http.paths[0].path' }]);
  });
});

describe('rewriting', () => {
  const target = (value: string, more = {}) => ({ annotations: { 'rewrite-target': value, ...more } });

  it('puts the target in the place of the whole path, with groups of the pattern, and keeps the query', () => {
    const output = translate([ingress('a', [['ImplementationSpecific', '/foo(/|$)(.*)', 'one']], target('/$2'))]);
    expect(on(output, '/foo')).toBe('one /');
    expect(on(output, '/foo/')).toBe('one /');
    expect(on(output, '/foo/bar?x=1')).toBe('one /bar?x=1');
    expect(on(output, '/FOO/Bar')).toBe('one /Bar');
    expect(on(output, '/foobar')).toBe('404');
  });

  it('makes patterns of all paths of the host', () => {
    const output = translate([
      ingress('a', [['Prefix', '/app', 'one']], { age: 1, ...target('/new') }),
      ingress('b', [['Exact', '/x', 'two']], { age: 2 }),
    ]);
    expect([on(output, '/APPLE/pie'), on(output, '/xyz')]).toEqual(['one /new', 'two /xyz']);
  });

  it('a group that the pattern does not have is nothing', () => {
    const output = translate([ingress('a', [['ImplementationSpecific', '/a/(.*)', 'one']], target('/$1/$2x'))]);
    expect(on(output, '/a/b')).toBe('one /b/x');
  });

  it('a target that is the path changes nothing for /', () => {
    const output = translate([ingress('a', [['Prefix', '/', 'one'], ['Prefix', '/x', 'two']], { age: 1 }), ingress('b', [], target('/'))]); // biome-ignore format: one line
    expect([on(output, '/X'), on(output, '/x/y')]).toEqual(['one /X', 'two /x/y']);
    const root = translate([ingress('a', [['Prefix', '/', 'one']], target('/'))]);
    expect([on(root, '/Y')]).toEqual(['one /Y']);
  });

  it('a target that drops the query', () => {
    const output = translate([ingress('a', [['ImplementationSpecific', '/a/(.*)', 'one']], target('/b?'))]);
    expect(on(output, '/a/x?q=1')).toBe('one /b');
  });

  it('a target with a scheme redirects, with groups and the query', () => {
    const output = translate([
      ingress('a', [['ImplementationSpecific', '/a/(.*)', 'one']], target('https://new.example/$1')),
    ]);
    expect(on(output, '/a/x')).toBe('302 https://new.example/x');
    expect(on(output, '/a/x?q=1')).toBe('302 https://new.example/x?q=1');
  });

  it('X-Forwarded-Prefix goes with it', () => {
    const withTarget = translate([
      ingress('a', [['ImplementationSpecific', '/a/(.*)', 'one']], target('/$1', { 'x-forwarded-prefix': '/a' })),
    ]);
    const routes = withTarget.listeners[0]!.hosts.find(({ hostname }) => hostname === host)!.routes;
    const sets = routes[0]!.filters.flatMap((filter) => (filter.type === 'request-values' ? filter.set : []));
    expect(sets).toContainEqual(['x-forwarded-prefix', ['/a']]);
  });
});

describe('default backends', () => {
  const toFallback = { defaultBackend: serviceBackend('fallback') };

  it('with rules, of the oldest Ingress of a host, are for what its paths leave, and for no other host', () => {
    const output = translate([
      ingress('a', [['Prefix', '/x', 'one']], { age: 1, spec: toFallback }),
      ingress('b', [['Prefix', '/y', 'two']], { age: 2, spec: { defaultBackend: serviceBackend('web') } }),
    ]);
    expect([on(output, '/x'), on(output, '/y'), on(output, '/z')]).toEqual(['one /x', 'two /y', 'fallback /z']);
    expect(on(output, '/', 'unknown.example')).toBe('404');
  });

  it('without rules are for all hosts that have none, before a rule without a host', () => {
    const output = translate([
      nginxIngress('rule', [['', 'Prefix', '/', 'one'], ['', 'Prefix', '/x', 'two']], { age: 1 }), // biome-ignore format: one line
      nginxIngress('all', [], { age: 2, spec: toFallback }),
      nginxIngress('late', [], { age: 3, spec: { defaultBackend: serviceBackend('web') } }),
      ingress('a', [['Prefix', '/a', 'three']]),
    ]);
    expect(on(output, '/', 'unknown.example')).toBe('fallback /');
    expect(on(output, '/x/y', 'unknown.example')).toBe('two /x/y');
    expect(on(output, '/other')).toBe('404');
    expect(codes(output).sort()).toEqual(['FW2011', 'FW2012']);
  });

  it('the default server answers for its health, and 404 for all else', () => {
    const output = translate([ingress('a', [['Prefix', '/', 'one']])]);
    expect(on(output, '/healthz', 'unknown.example')).toBe('200');
    expect(on(output, '/', '192.0.2.1')).toBe('404');
    expect(on(output, '/healthz')).toBe('one /healthz');
  });

  it('a path of one’s own is longer than the one for health', () => {
    const output = translate([nginxIngress('a', [['', 'Prefix', '/healthz/deep', 'one'], ['', 'Prefix', '/', 'two']])]); // biome-ignore format: one line
    expect(on(output, '/healthz/deep/x', 'x.example')).toBe('one /healthz/deep/x');
    expect(on(output, '/healthz', 'x.example')).toBe('200');
  });
});

describe('backends', () => {
  it('a port may be named as the Service names it, or by what it leads to', () => {
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'odd' }, spec: { ports: [{ name: 'http', port: 80, targetPort: 8080 }, { name: 'admin', port: 81, targetPort: 'adm' }] } }; // biome-ignore format: one line
    const ports = ['http', 80, 8080, 'admin', 'adm'];
    const output = translate([
      service,
      nginxIngress('a', ports.map((port, i) => [host, 'Prefix', `/${i}`, 'odd', port] as const)), // biome-ignore format: one line
    ]);
    expect(ports.map((_port, i) => on(output, `/${i}`))).toEqual(ports.map((_port, i) => `odd /${i}`));
    const unknown = translate([service, nginxIngress('a', [[host, 'Prefix', '/', 'odd', 'nope']])]);
    expect(on(unknown, '/')).toBe('503');
  });

  it('a Service that is a name outside of the cluster is led to, by its own port or any', () => {
    const far = (name: string, spec: object) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { type: 'ExternalName', ...spec } }); // biome-ignore format: one line
    const output = translate([
      far('far', { externalName: 'Far.example.org.' }),
      far('ported', { externalName: 'far.example.org', ports: [{ name: 'http', port: 80, targetPort: 8080 }] }),
      far('local', { externalName: 'localhost' }),
      nginxIngress('a', [[host, 'Prefix', '/a', 'far', 8443], [host, 'Prefix', '/b', 'ported', 'http'], [host, 'Prefix', '/c', 'local', 80]]), // biome-ignore format: one line
    ]);
    expect([on(output, '/a'), on(output, '/b'), on(output, '/c')]).toEqual(['far /a', 'ported /b', '503']);
    expect(output.backends.filter(({ external }) => external)).toMatchObject([
      { id: 'default/far:8443', external: { hostname: 'far.example.org' }, port: 8443 },
      { id: 'default/ported:8080', external: { hostname: 'far.example.org' }, port: 8080 },
    ]);
    expect(codes(output)).toEqual(['FW2024']);
  });
});
