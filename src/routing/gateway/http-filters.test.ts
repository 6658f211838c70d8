import { describe, expect, it } from 'vitest';
import { compileBackendFilters, compileRuleFilters } from './http-filters.ts';
import type { HttpRule } from './http-match.ts';

type Filters = NonNullable<HttpRule['filters']>;
const headers = (type: 'set' | 'add', name: string, value: string): Filters => [
  { type: 'RequestHeaderModifier', requestHeaderModifier: { [type]: [{ name, value }] } },
];

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
  ])('%s is refused', (_what, filters) => {
    expect(compileRuleFilters(filters, 'filters')).toMatchObject({ code: 'FW3301', reason: 'UnsupportedValue' });
  });

  it('are refused, not skipped, where they are not known', () => {
    const unknown = [{ type: 'toString' }] as unknown as Filters;
    expect(compileRuleFilters(unknown, 'filters')).toMatchObject({ code: 'FW3302', fieldPath: 'filters[0]' });
    const rewrite: Filters = [{ type: 'URLRewrite', urlRewrite: { hostname: 'a' } }];
    expect(compileBackendFilters(rewrite, 'backendRefs[0].filters')).toMatchObject({ code: 'FW3302' });
  });

  it('redirect with 302 unless another status is asked for', () => {
    expect(compileRuleFilters([{ type: 'RequestRedirect', requestRedirect: {} }], 'filters')).toEqual({
      filters: [],
      redirect: { type: 'redirect', status: 302 },
    });
  });
});
