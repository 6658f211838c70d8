import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseQuery } from './query.ts';

describe('query', () => {
  it.each([
    ['', 'a', undefined],
    ['a=1&a=2', 'a', '1'],
    ['a', 'a', ''],
    ['a=', 'a', ''],
    ['a=b=c', 'a', 'b=c'],
    ['&&a=1&', 'a', '1'],
    ['a=x+y%20z', 'a', 'x y z'],
    ['%61%2B=1', 'a+', '1'],
    ['a=%zz%4', 'a', '%zz%4'],
    ['=1', '', '1'],
    ['A=1', 'a', undefined],
  ])('%j has %j = %j', (query, name, expected) => {
    expect(parseQuery(query).get(name)).toBe(expected);
  });

  it('reads a bounded number of parameters', () => {
    expect(parseQuery('a=1&b=2&c=3', 2)).toEqual(new Map([['a', '1'], ['b', '2']])); // biome-ignore format: one line
  });

  it('agrees with URLSearchParams', () => {
    const piece = fc.stringMatching(/^(?:[a-c+=&]|%[0-9a-fA-F]{2}|%[g-i]){0,12}$/);
    fc.assert(
      fc.property(piece, (query) => {
        const judge = new URLSearchParams(query);
        const parsed = parseQuery(query);
        expect([...parsed.keys()]).toEqual([...new Set(judge.keys())]);
        for (const [name, value] of parsed) expect(value).toBe(judge.get(name));
      }),
      { numRuns: 500 },
    );
  });
});
