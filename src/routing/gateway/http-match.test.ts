import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileMatch, type HttpMatch } from './http-match.ts';
import { type CompiledMatch, compareRank } from './match-values.ts';

function compiled(match: HttpMatch): CompiledMatch {
  const result = compileMatch(match, 'matches[0]');
  if ('message' in result) throw new Error(result.message);
  return result;
}

/** In order of precedence, each of a lower rank than the one before. */
const order: HttpMatch[] = [
  { path: { type: 'Exact', value: '/a' } },
  { path: { type: 'RegularExpression', value: '/a.+' } },
  { path: { type: 'RegularExpression', value: '/a' } },
  { path: { value: '/abc' }, method: 'GET' },
  {
    path: { value: '/abc' },
    headers: [
      { name: 'a', value: '1' },
      { name: 'b', value: '1' },
    ],
  },
  { path: { value: '/abc/' }, headers: [{ name: 'a', value: '1' }], queryParams: [{ name: 'q', value: '1' }] },
  { path: { value: '/abc' }, headers: [{ name: 'a', value: '1' }] },
  { path: { value: '/abc' }, queryParams: [{ name: 'q', value: '1' }] },
  { path: { value: '/abc' } },
  { path: { value: '/ab' }, method: 'GET' },
  {},
];

describe('matches of an HTTPRoute', () => {
  it('rank as the API documents', () => {
    const indices = fc.tuple(fc.nat(order.length - 1), fc.nat(order.length - 1));
    fc.assert(
      fc.property(indices, ([i, j]) => {
        const difference = compareRank(compiled(order[i]!).rank, compiled(order[j]!).rank);
        expect(Math.sign(difference)).toBe(Math.sign(i - j));
      }),
    );
  });

  it('take headers without regard to case and parameters with it, the first of each name', () => {
    const { match } = compiled({
      headers: [
        { name: 'X-A', value: '1' },
        { name: 'x-a', value: '2' },
      ],
      queryParams: [
        { name: 'A', type: 'RegularExpression', value: 'x|y' },
        { name: 'a', value: '1' },
        { name: 'a', value: '2' },
      ],
    });
    expect(match).toEqual({
      path: { type: 'prefix', value: '/' },
      headers: [{ name: 'x-a', type: 'exact', value: '1' }],
      query: [
        { name: 'A', type: 'regex', value: 'x|y' },
        { name: 'a', type: 'exact', value: '1' },
      ],
    });
  });

  it.each<[HttpMatch, string]>([
    [{ path: { type: 'RegularExpression', value: '(' } }, 'matches[0].path.value'],
    [{ path: { type: 'Exact', value: 'a' } }, 'matches[0].path.value'],
    [{ path: { type: 'constructor' as 'Exact', value: '/a' } }, 'matches[0].path.type'],
    [{ headers: [{ name: 'a', type: 'RegularExpression', value: '(?!x)' }] }, 'matches[0].headers[0].value'],
    [{ queryParams: [{ name: 'a', type: 'Prefix' as 'Exact', value: 'x' }] }, 'matches[0].queryParams[0].type'],
    [{ method: 'get' as 'GET' }, 'matches[0].method'],
  ])('%j is refused at %s', (match, fieldPath) => {
    expect(compileMatch(match, 'matches[0]')).toMatchObject({ fieldPath });
  });
});
