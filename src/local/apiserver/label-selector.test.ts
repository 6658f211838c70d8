import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLabelSelector } from './label-selector.ts';

function matches(selector: string, labels: Record<string, string>): boolean {
  const parsed = parseLabelSelector(selector);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value(labels);
}

describe('label selectors', () => {
  it.each<[string, Record<string, string>, boolean]>([
    ['', {}, true],
    ['a=b', { a: 'b' }, true],
    ['a==b', { a: 'c' }, false],
    ['a=', { a: '' }, true],
    ['a!=b', {}, true],
    ['a != b', { a: 'b' }, false],
    ['a', { a: '' }, true],
    ['!a', { a: '' }, false],
    ['! a', {}, true],
    ['a in (b, c)', { a: 'c' }, true],
    ['a in (b,c)', {}, false],
    ['a in (b,)', { a: '' }, true],
    ['a notin (b,c)', {}, true],
    ['a notin (b,c)', { a: 'b' }, false],
    ['a>3', { a: '4' }, true],
    ['a<3', { a: '4' }, false],
    ['a>3', { a: 'x' }, false],
    ['example.com/a=b,c', { 'example.com/a': 'b', c: '' }, true],
    ['in in (in)', { in: 'in' }, true],
    ['constructor', {}, false],
  ])('%j on %j', (selector, labels, expected) => {
    expect(matches(selector, labels)).toBe(expected);
  });

  it.each([
    'a b',
    'a=b=c',
    'a in b',
    'a in (b',
    ',a',
    'a,',
    '=b',
    'a=-',
    'a>x',
    '-a',
    '!',
    'a!',
    'a/b/c',
    '()',
    'a=b,,c',
  ])('refuses %j', (selector) => {
    expect(parseLabelSelector(selector).ok).toBe(false);
  });

  const key = fc.constantFrom<string>('a', 'b', 'c');
  const value = fc.constantFrom<string>('x', 'y', '');
  const requirement = fc.oneof(
    fc.tuple(key, value).map(([k, v]) => ({ text: `${k}=${v}`, test: (l: Map<string, string>) => l.get(k) === v })),
    fc.tuple(key, value).map(([k, v]) => ({ text: `${k} != ${v}`, test: (l: Map<string, string>) => l.get(k) !== v })),
    key.map((k) => ({ text: k, test: (l: Map<string, string>) => l.has(k) })),
    key.map((k) => ({ text: `!${k}`, test: (l: Map<string, string>) => !l.has(k) })),
    fc.tuple(key, fc.array(value, { minLength: 1, maxLength: 3 })).map(([k, v]) => ({
      text: `${k} in (${v.join(',')})`,
      test: (l: Map<string, string>) => l.has(k) && v.includes(l.get(k)!),
    })),
    fc.tuple(key, fc.array(value, { minLength: 1, maxLength: 3 })).map(([k, v]) => ({
      text: `${k} notin (${v.join(', ')})`,
      test: (l: Map<string, string>) => !l.has(k) || !v.includes(l.get(k)!),
    })),
  );

  it('agrees with its requirements taken one by one', () => {
    fc.assert(
      fc.property(fc.array(requirement, { minLength: 1, maxLength: 4 }), fc.dictionary(key, value), (all, labels) => {
        const map = new Map(Object.entries(labels));
        expect(matches(all.map(({ text }) => text).join(','), labels)).toBe(all.every(({ test }) => test(map)));
      }),
    );
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab=!<>(), /.-innot') }), (selector) => {
        expect(typeof parseLabelSelector(selector).ok).toBe('boolean');
      }),
    );
  });
});
