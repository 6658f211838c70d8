import { describe, expect, it } from 'vitest';
import { compileListener } from './matcher.ts';
import { listener, request, route, under, virtualHost } from './test-helpers.ts';

describe('explain', () => {
  const hosts = [
    virtualHost('shop.example.com', [
      route('post', under('/cart', { method: 'POST' })),
      route('beta', under('/cart', { headers: [{ name: 'x-beta', type: 'exact', value: 'yes' }] })),
      route('cart', under('/cart')),
      route('rest', under('/')),
      route('users', under('/users')),
    ]),
    virtualHost('*.example.com', [route('wild')]),
    virtualHost('*', [route('any')]),
  ];
  const explain = (...given: Parameters<typeof request>) => compileListener(listener(hosts)).explain(request(...given));

  it('gives each route its verdict', () => {
    const [tried] = explain('Shop.example.com:80', '/cart').hosts;
    expect(tried?.routes.map(({ route: { id }, verdict }) => [id, verdict])).toEqual([
      ['post', { outcome: 'lost', reason: 'method', detail: 'method is GET', wanted: 'method = POST', got: 'GET' }],
      [
        'beta',
        { outcome: 'lost', reason: 'header', detail: 'header x-beta is missing', wanted: 'header x-beta = yes' },
      ],
      ['cart', { outcome: 'matched' }],
      ['rest', { outcome: 'lost', reason: 'precedence', detail: 'cart comes first', wanted: 'under /', got: '/cart' }],
      [
        'users',
        { outcome: 'lost', reason: 'path', detail: 'path is /cart', wanted: 'path under /users', got: '/cart' },
      ],
    ]);
  });

  it('gives each host its verdict', () => {
    const summary = (host: string) =>
      explain(host).hosts.map(({ host: { hostname }, verdict }) => [
        hostname,
        verdict.outcome === 'matched' ? 'matched' : verdict.reason,
      ]);
    expect(summary('shop.example.com')).toEqual([
      ['shop.example.com', 'matched'],
      ['*.example.com', 'precedence'],
      ['*', 'precedence'],
    ]);
    expect(summary('a.b.example.com')).toEqual([['*', 'matched'], ['*.example.com', 'host']]); // biome-ignore format: table
    expect(summary('example.com')).toEqual([['*', 'matched'], ['*.example.com', 'host']]); // biome-ignore format: table
  });

  it('names the path first where a pattern and something cheaper fail', () => {
    const path = { type: 'regex' as const, value: '/v[0-9]+' };
    const only = listener([virtualHost('*', [route('pattern', { path, method: 'POST' })])]);
    const verdictOf = (asked: string) =>
      compileListener(only).explain(request('x', asked)).hosts[0]?.routes[0]?.verdict;
    expect(verdictOf('/w')).toMatchObject({ reason: 'path', wanted: 'path matches /v[0-9]+', got: '/w' });
    expect(verdictOf('/v1')).toMatchObject({ reason: 'method' });
  });

  it('has nothing to show for a name that no host covers', () => {
    const explanation = compileListener(listener([hosts[0]!])).explain(request('other.example'));
    expect(explanation).toEqual({ hostname: 'other.example', result: {}, hosts: [] });
  });
});
