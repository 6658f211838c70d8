import { describe, expect, it } from 'vitest';
import { compileRuleFilters as compile, compileBackendFilters } from './http-filters.ts';
import type { HttpRule } from './http-match.ts';

type Filters = NonNullable<HttpRule['filters']>;
const headers = (type: 'set' | 'add', name: string, value: string): Filters => [
  { type: 'RequestHeaderModifier', requestHeaderModifier: { [type]: [{ name, value }] } },
];

const compileRuleFilters = (filters: Filters, at: string) => compile(filters, at, ({ name }) => `shop/${name}:80`);
const mirror = (more: object = {}): Filters[number] => ({
  type: 'RequestMirror',
  requestMirror: { backendRef: { name: 'copy', port: 80 }, ...more },
});
const cors = (given: object): Filters => [{ type: 'CORS', cors: given }];

describe('filters of an HTTPRoute', () => {
  it('keep their order, names as written', () => {
    const filters: Filters = [
      { type: 'URLRewrite', urlRewrite: { hostname: 'b.example.com' } },
      ...headers('set', 'X-Name', 'Value'),
    ];
    expect(compileRuleFilters(filters, 'filters')).toEqual({
      filters: [
        { type: 'rewrite', hostname: 'b.example.com' },
        { type: 'request-headers', set: [['X-Name', 'Value']], add: [], remove: [] },
      ],
    });
  });

  it.each([
    ['a line end in a value', headers('set', 'a', 'b\r\nc: d')],
    ['a NUL in a value', headers('add', 'a', 'b\0')],
    ['a colon in a name', headers('add', 'a:', 'b')],
    ['an empty name', headers('set', '', 'b')],
    [
      'a space in a name to remove',
      [{ type: 'ResponseHeaderModifier', responseHeaderModifier: { remove: ['a b'] } }] as Filters,
    ],
    [
      'a line end in a path',
      [{ type: 'URLRewrite', urlRewrite: { path: { type: 'ReplaceFullPath', replaceFullPath: '/a\n' } } }] as Filters,
    ],
    ['a percentage beyond 100', [mirror({ percent: 101 })]],
    ['a fraction beyond one', [mirror({ fraction: { numerator: 3, denominator: 2 } })]],
    ['a denominator of zero', [mirror({ fraction: { numerator: 0, denominator: 0 } })]],
    ['a percentage beside a fraction', [mirror({ percent: 1, fraction: { numerator: 1 } })]],
    ['an origin with a path', cors({ allowOrigins: ['https://a.example/'] })],
    ['an origin without a scheme', cors({ allowOrigins: ['a.example'] })],
    ['a star in the middle of an origin', cors({ allowOrigins: ['https://a.*.example'] })],
    ['a port that is none', cors({ allowOrigins: ['https://a.example:65536'] })],
    ['all origins beside one', cors({ allowOrigins: ['*', 'https://a.example'] })],
    ['all methods beside one', cors({ allowMethods: ['GET', '*'] })],
    ['all headers beside one', cors({ allowHeaders: ['a', '*'] })],
    ['a header to expose that is none', cors({ exposeHeaders: ['a\r\nb'] })],
    ['a maximal age of zero', cors({ maxAge: 0 })],
  ])('%s is refused', (_what, filters) => {
    expect(compileRuleFilters(filters, 'filters')).toMatchObject({ code: 'FW3301', reason: 'UnsupportedValue' });
  });

  it('are refused, not skipped, where they are not known', () => {
    const unknown = [{ type: 'toString' }] as unknown as Filters;
    expect(compileRuleFilters(unknown, 'filters')).toMatchObject({ code: 'FW3302', fieldPath: 'filters[0]' });
    const rewrite: Filters = [{ type: 'URLRewrite', urlRewrite: { hostname: 'a' } }];
    const compileOf = (spoken: 'HTTP' | 'gRPC') =>
      compileBackendFilters(rewrite, 'backendRefs[0].filters', () => undefined, spoken);
    expect(compileOf('gRPC')).toMatchObject({ code: 'FW3302' });
    expect(compileOf('HTTP')).toEqual({ filters: [{ type: 'rewrite', hostname: 'a' }] });
  });

  it('redirect with 302 unless another status is asked for', () => {
    expect(compileRuleFilters([{ type: 'RequestRedirect', requestRedirect: {} }], 'filters')).toEqual({
      filters: [],
      redirect: { type: 'redirect', status: 302 },
    });
  });

  it('mirror all requests, a percentage or a fraction, to several backends', () => {
    const filters = [mirror(), mirror({ percent: 20 }), mirror({ fraction: { numerator: 1, denominator: 1000 } })];
    const fractions = [
      { numerator: 100, denominator: 100 },
      { numerator: 20, denominator: 100 },
      { numerator: 1, denominator: 1000 },
    ];
    expect(compileRuleFilters(filters, 'filters')).toEqual({
      filters: fractions.map((fraction) => ({ type: 'mirror', backend: 'shop/copy:80', fraction })),
    });
  });

  it('leave out a mirror that leads nowhere', () => {
    expect(compile([mirror(), ...headers('set', 'a', 'b')], 'filters', () => undefined)).toMatchObject({
      filters: [{ type: 'request-headers' }],
    });
  });

  it.each([
    ['CORS twice', [...cors({}), ...cors({})]],
    ['a mirror beside a redirect', [mirror(), { type: 'RequestRedirect', requestRedirect: {} }] as Filters],
  ])('%s is refused as incompatible', (_what, filters) => {
    expect(compileRuleFilters(filters, 'filters')).toMatchObject({ code: 'FW3303', reason: 'IncompatibleFilters' });
  });

  it('share across origins for five seconds unless told otherwise, and nothing that is not named', () => {
    expect(compileRuleFilters(cors({ allowOrigins: ['https://*.a.example:8443'] }), 'filters')).toEqual({
      filters: [
        {
          type: 'cors',
          allowOrigins: ['https://*.a.example:8443'],
          allowMethods: [],
          allowHeaders: [],
          exposeHeaders: [],
          allowCredentials: false,
          maxAgeSeconds: 5,
        },
      ],
    });
  });
});
