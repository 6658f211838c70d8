import { describe, expect, it } from 'vitest';
import type { RouteMatch } from '../plan/plan.ts';
import { compileListener, normalizeHost } from './matcher.ts';
import { answer, listener, request, route, under, virtualHost } from './test-helpers.ts';

describe('host', () => {
  it.each([
    ['example.com', 'example.com'],
    ['EXAMPLE.com:8080', 'example.com'],
    ['example.com.', 'example.com'],
    ['example.com.:80', 'example.com'],
    ['example.com..', 'example.com.'],
    ['example.com:', 'example.com'],
    ['[::1]:80', '[::1]'],
    ['[2001:DB8::1]', '[2001:db8::1]'],
    ['127.0.0.1:80', '127.0.0.1'],
    ['', ''],
  ])('%j is looked up as %j', (given, expected) => {
    expect(normalizeHost(given)).toBe(expected);
  });

  const doors = [
    virtualHost('api.example.com', [route('exact')]),
    virtualHost('*.deep.example.com', [route('one label')]),
    virtualHost('*.example.com', [route('any depth')], { wildcard: 'any-depth' }),
    virtualHost('*.example.org', [route('org')]),
  ];

  it.each([
    ['api.example.com', 'exact'],
    ['API.example.com:8080', 'exact'],
    ['other.example.com', 'any depth'],
    ['a.b.example.com', 'any depth'],
    ['x.deep.example.com', 'one label'],
    ['x.y.deep.example.com', 'any depth'],
    ['deep.example.com', 'any depth'],
    ['example.com', undefined],
    ['a.example.org', 'org'],
    ['a.b.example.org', undefined],
    ['example.org', undefined],
    ['.example.org', undefined],
    ['*.example.org', 'org'],
    ['', undefined],
  ])('%j goes to %s', (host, expected) => {
    expect(answer(doors, host)).toBe(expected);
  });

  it('falls to * when nothing else covers the name', () => {
    const all = [...doors, virtualHost('*', [route('catch-all')])];
    expect(answer(all, 'example.net')).toBe('catch-all');
    expect(answer(all, '')).toBe('catch-all');
    expect(answer(all, '[::1]:80')).toBe('catch-all');
  });

  it('does not try less specific hosts unless a fallback says so', () => {
    const exact = virtualHost('a.example.com', [route('a', under('/a'))]);
    const wide = virtualHost('*', [route('wide', under('/'))]);
    expect(answer([exact, wide], 'a.example.com', '/b')).toBe('host a.example.com');
    expect(answer([{ ...exact, fallback: '*' }, wide], 'a.example.com', '/b')).toBe('wide');
  });

  it('follows a chain of fallbacks and survives a circle', () => {
    const hosts = [
      virtualHost('a.example.com', [route('a', under('/a'))], { fallback: '*.example.com' }),
      virtualHost('*.example.com', [route('b', under('/b'))], { fallback: '*' }),
      virtualHost('*', [route('c', under('/c'))], { fallback: 'a.example.com' }),
    ];
    expect(answer(hosts, 'a.example.com', '/c')).toBe('c');
    expect(answer(hosts, 'a.example.com', '/d')).toBe('host a.example.com');
  });
});

describe('path', () => {
  const order = (...matches: [string, RouteMatch][]) => [
    virtualHost(
      '*',
      matches.map(([id, match]) => route(id, match)),
    ),
  ];

  it.each<[RouteMatch['path'], string, boolean]>([
    [{ type: 'exact', value: '/foo' }, '/foo', true],
    [{ type: 'exact', value: '/foo' }, '/foo/', false],
    [{ type: 'exact', value: '/foo' }, '/FOO', false],
    [{ type: 'exact', value: '/foo', ignoreCase: true }, '/FOO', true],
    [{ type: 'prefix', value: '/foo' }, '/foo', true],
    [{ type: 'prefix', value: '/foo' }, '/foo/', true],
    [{ type: 'prefix', value: '/foo' }, '/foo//bar', true],
    [{ type: 'prefix', value: '/foo/' }, '/foo', true],
    [{ type: 'prefix', value: '/foo' }, '/foobar', false],
    [{ type: 'prefix', value: '/Foo', ignoreCase: true }, '/fOO/bar', true],
    [{ type: 'prefix', value: '/' }, '/anything', true],
    [{ type: 'prefix', value: '/' }, '*', false],
    [{ type: 'string-prefix', value: '/foo' }, '/foobar', true],
    [{ type: 'string-prefix', value: '/foo' }, '/fo', false],
    [{ type: 'string-prefix', value: '/foo', ignoreCase: true }, '/FOObar', true],
    [{ type: 'regex', value: '/v[0-9]+/.*' }, '/v1/users', true],
    [{ type: 'regex', value: '/v[0-9]+' }, '/v1/users', false],
    [{ type: 'regex', value: '/v[0-9]+', ignoreCase: true }, '/V1', true],
    [{ type: 'regex', value: '(' }, '(', false],
  ])('%j and %s: %s', (path, given, expected) => {
    expect(answer(order(['it', { path }]), 'x', given) === 'it').toBe(expected);
  });

  it('is decided by the order of the routes, whatever their kind', () => {
    const hosts = order(
      ['regex', { path: { type: 'regex', value: '/a/.*' }, method: 'PUT' }],
      ['wide', under('/', { method: 'POST' })],
      ['exact', { path: { type: 'exact', value: '/a/b' } }],
      ['string', { path: { type: 'string-prefix', value: '/a/' } }],
      ['prefix', under('/a')],
      ['any', {}],
    );
    expect(answer(hosts, 'x', '/a/b', { method: 'PUT' })).toBe('regex');
    expect(answer(hosts, 'x', '/a/b', { method: 'POST' })).toBe('wide');
    expect(answer(hosts, 'x', '/a/b')).toBe('exact');
    expect(answer(hosts, 'x', '/a/c')).toBe('string');
    expect(answer(hosts, 'x', '/a')).toBe('prefix');
    expect(answer(hosts, 'x', '/b')).toBe('any');
  });

  it('says how much of the path a prefix covers', () => {
    const lengthOf = (match: RouteMatch, path: string) =>
      compileListener(listener(order(['it', match]))).match(request('x', path)).prefixLength;
    expect(lengthOf(under('/foo/'), '/foo/bar')).toBe(4);
    expect(lengthOf(under('/'), '/bar')).toBe(0);
    expect(lengthOf({ path: { type: 'exact', value: '/foo' } }, '/foo')).toBe(4);
    expect(lengthOf({ path: { type: 'regex', value: '.*' } }, '/foo')).toBeUndefined();
  });
});

describe('method, headers, query', () => {
  const hosts = [
    virtualHost('*', [
      route('method', { method: 'POST' }),
      route('header', { headers: [{ name: 'x-env', type: 'exact', value: 'blue' }] }),
      route('both', { headers: [{ name: 'x-a', type: 'regex', value: '[0-9]+' }, { name: 'x-b', type: 'exact', value: '' }] }), // biome-ignore format: table
      route('query', { query: [{ name: 'q', type: 'exact', value: 'a b' }] }),
      route('query regex', { query: [{ name: 'v', type: 'regex', value: 'v[0-9]' }] }),
    ]),
  ];

  it.each<[Parameters<typeof request>[2], string]>([
    [{ method: 'POST' }, 'method'],
    [{ method: 'post' }, 'host *'],
    [{ headers: { 'x-env': 'blue' } }, 'header'],
    [{ headers: { 'x-env': 'Blue' } }, 'host *'],
    [{ headers: { 'x-env': 'blue,green' } }, 'host *'],
    [{ headers: { 'x-a': '12', 'x-b': '' } }, 'both'],
    [{ headers: { 'x-a': '12' } }, 'host *'],
    [{ headers: { 'x-a': '12a', 'x-b': '' } }, 'host *'],
    [{ query: 'q=a+b' }, 'query'],
    [{ query: 'x=1&q=a%20b&q=c' }, 'query'],
    [{ query: 'q=c&q=a+b' }, 'host *'],
    [{ query: 'v=v1' }, 'query regex'],
    [{ query: 'v=v12' }, 'host *'],
  ])('%j goes to %s', (rest, expected) => {
    expect(answer(hosts, 'x', '/', rest)).toBe(expected);
  });

  it('forgets the host of the request before', () => {
    const matcher = compileListener(
      listener([virtualHost('a.example', [route('a')]), virtualHost('b.example', [route('b')])]),
    );
    const ids = ['a.example', 'A.example:80', 'b.example', 'none.example', 'b.example', 'a.example'].map(
      (name) => matcher.match(request(name, '/')).route?.id,
    );
    expect(ids).toEqual(['a', 'a', 'b', undefined, 'b', 'a']);
  });

  it('forgets the query of the request before', () => {
    const matcher = compileListener(listener(hosts));
    expect(matcher.match(request('x', '/', { query: 'v=v1' })).route?.id).toBe('query regex');
    expect(matcher.match(request('x', '/', { query: '' })).route).toBeUndefined();
  });
});

it('costs the same with ten thousand hosts as with one', () => {
  const hostOf = (n: number) =>
    virtualHost(
      `host-${n}.example.com`,
      Array.from({ length: 10 }, (_, i) => route(`${n}/${i}`, under(`/path/${9 - i}`))),
    );
  const one = compileListener(listener([hostOf(7777)]));
  const many = compileListener(listener(Array.from({ length: 10_000 }, (_, n) => hostOf(n))));
  const given = request('host-7777.example.com', '/path/0/x');
  // What was found for the host before does not help.
  const other = request('host-x.example.com', '/');
  const time = (matcher: typeof one) => {
    const started = performance.now();
    for (let i = 0; i < 10_000; i++) {
      if (matcher.match(given).route?.id !== '7777/9' || matcher.match(other).host) throw new Error('wrong route');
    }
    return performance.now() - started;
  };
  const best = (matcher: typeof one) => Math.min(...Array.from({ length: 5 }, () => time(matcher)));
  best(one);
  expect(best(many)).toBeLessThan(best(one) * 4 + 1);
});
