import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cookiePath } from './affinity.ts';
import type { PathMatch } from './plan.ts';

describe('the path of a session cookie', () => {
  const rows: readonly (readonly [PathMatch | undefined, string])[] = [
    [undefined, '/'],
    [{ type: 'prefix', value: '/' }, '/'],
    [{ type: 'prefix', value: '/shop' }, '/shop'],
    [{ type: 'prefix', value: '/shop/' }, '/shop'],
    [{ type: 'exact', value: '/shop/cart' }, '/shop/cart'],
    [{ type: 'exact', value: '/shop/' }, '/shop/'],
    // A cookie for /shop is not sent to /shopping.
    [{ type: 'string-prefix', value: '/shop' }, '/'],
    [{ type: 'string-prefix', value: '/shop/c' }, '/shop'],
    [{ type: 'prefix', value: '/Shop', ignoreCase: true }, '/'],
    [{ type: 'prefix', value: '/a/b;c/d' }, '/a'],
    [{ type: 'prefix', value: '/a/é/d' }, '/a'],
    [{ type: 'prefix', value: '/a b' }, '/'],
    [{ type: 'regex', value: '/p1/p2/.*/p3' }, '/p1/p2'],
    [{ type: 'regex', value: '/p1/p2.*' }, '/p1'],
    [{ type: 'regex', value: '^/p1/p2$' }, '/p1/p2'],
    [{ type: 'regex', value: '/p1/v1\\.0/x' }, '/p1/v1.0/x'],
    [{ type: 'regex', value: '/p1/x?y' }, '/p1'],
    [{ type: 'regex', value: '/p1/x+/y' }, '/p1'],
    [{ type: 'regex', value: '/p1/x{0,2}/y' }, '/p1'],
    [{ type: 'regex', value: '/p1/\\d+' }, '/p1'],
    [{ type: 'regex', value: '/a/b|/c' }, '/'],
    [{ type: 'regex', value: '(?i)/a/b' }, '/'],
    [{ type: 'regex', value: '.*' }, '/'],
  ];
  it.each(rows)('%j: %s', (match, path) => expect(cookiePath(match)).toBe(path));

  it('can always stand in a cookie', () => {
    const type = fc.constantFrom('exact', 'prefix', 'string-prefix', 'regex');
    fc.assert(
      fc.property(type, fc.string({ unit: 'binary' }), (kind, value) => {
        const path = cookiePath({ type: kind as PathMatch['type'], value: `/${value}` });
        expect(path).toMatch(/^\/[!-:<-~]*$/);
      }),
    );
  });

  it('covers what the pattern matches', () => {
    const pattern = fc.array(fc.constantFrom('/', 'a', 'b', '.', '?', '*', '(', ')', '[', ']', '\\.', '+', '|', '{2}'));
    const path = fc.array(fc.constantFrom('/', 'a', 'b', '.'), { maxLength: 6 });
    fc.assert(
      fc.property(pattern, path, (parts, characters) => {
        const source = `/${parts.join('')}`;
        let expression: RegExp;
        try {
          expression = new RegExp(`^(?:${source})$`);
        } catch {
          return;
        }
        const asked = `/${characters.join('')}`;
        if (!expression.test(asked)) return;
        const covering = cookiePath({ type: 'regex', value: source });
        // RFC 6265 section 5.1.4.
        const matches =
          asked === covering ||
          (asked.startsWith(covering) && (covering.endsWith('/') || asked[covering.length] === '/'));
        expect(matches, `${source} matches ${asked}, not covered by ${covering}`).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });
});
