import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareHostnames,
  compareSpecificity,
  covers,
  intersect,
  normalizeHostname,
  widerHostnames,
} from './hostnames.ts';

const labels = fc.array(fc.constantFrom('a', 'b', 'com'), { minLength: 1, maxLength: 4 });
const name = labels.map((parts) => parts.join('.'));
const hostname = fc.oneof(
  name,
  name.map((suffix) => `*.${suffix}`),
  fc.constant('*'),
);

/** The definition, label by label: a star stands for one label and more. */
function holds(pattern: string, host: string): boolean {
  if (pattern === '*') return true;
  if (!pattern.startsWith('*.')) return pattern === host;
  const [wanted, given] = [pattern.split('.').slice(1), host.split('.')];
  return given.length > wanted.length && wanted.every((label, i) => given[given.length - wanted.length + i] === label);
}

describe('hostnames', () => {
  it.each([
    ['test.example.com', 'test.example.com', 'test.example.com'],
    ['test.example.com', '*.example.com', 'test.example.com'],
    ['*.example.com', 'foo.test.example.com', 'foo.test.example.com'],
    ['*.example.com', '*.example.com', '*.example.com'],
    ['*.example.com', '*.test.example.com', '*.test.example.com'],
    ['*.example.com', '*.com', '*.example.com'],
    ['*', '*.com', '*.com'],
    ['*', '*', '*'],
    ['*.example.com', 'example.com', undefined],
    ['*.example.com', 'test.example.net', undefined],
    ['*.example.com', 'badexample.com', undefined],
    ['a.example.com', 'b.example.com', undefined],
  ])('%s and %s meet in %s', (a, b, met) => {
    expect(intersect(a, b)).toBe(met);
    expect(intersect(b, a)).toBe(met);
  });

  it('meet exactly in the names that both stand for', () => {
    fc.assert(
      fc.property(hostname, hostname, name, (a, b, host) => {
        const met = intersect(a, b);
        expect(met !== undefined && holds(met, host)).toBe(holds(a, host) && holds(b, host));
      }),
    );
  });

  it('list as wider exactly those that cover and differ', () => {
    fc.assert(
      fc.property(hostname, hostname, (a, b) => {
        expect(widerHostnames(a).includes(b)).toBe(covers(b, a) && a !== b);
      }),
    );
  });

  it('put the narrower of two nested ones first', () => {
    fc.assert(
      fc.property(hostname, hostname, (a, b) => {
        fc.pre(a !== b && covers(a, b));
        expect(compareSpecificity(b, a)).toBeLessThan(0);
        expect(compareHostnames(b, a)).toBeLessThan(0);
      }),
    );
  });

  it('count an absent and an empty one as any, and letters as lower case', () => {
    expect([normalizeHostname(undefined), normalizeHostname(''), normalizeHostname('*.Example.COM')]).toEqual([
      '*',
      '*',
      '*.example.com',
    ]);
  });
});
