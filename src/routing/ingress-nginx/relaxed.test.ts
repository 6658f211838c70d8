/** A path that RE2 does not take shuts what it would take, and as little else as can be. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern } from '../match/pattern.ts';
import { relaxed } from './relaxed.ts';
import { pathPattern } from './rewrite.ts';
import { become, nginxIngress, services, translateNginx } from './testing.ts';

const all = services('guard', 'rest', 'other');
const host = 'a.example';
const estate = (path: string) =>
  translateNginx([
    ...all,
    nginxIngress('guard', [[host, 'ImplementationSpecific', path, 'guard']], { annotations: { 'use-regex': 'true' } }),
    nginxIngress('rest', [[host, 'Prefix', '/', 'rest']], { age: 1 }),
    nginxIngress('other', [[host, 'Prefix', '/b', 'other']], { age: 2 }),
  ]);

describe('a path that RE2 does not take', () => {
  it.each<readonly [path: string, shut: readonly string[], open: readonly string[]]>([
    ['/(?!b|c).*', ['/', '/a', '/x/b'], ['/b', '/B/x', '/c']],
    ['/(?!b$)', ['/', '/bx'], ['/b']],
    ['/app/(?=v[0-9])\\w+', ['/app/v1', '/app/x'], ['/a', '/b', '/app/']],
    ['/app(?<!x)/(\\w+)/\\1', ['/app/a/a', '/app/a/b'], ['/app', '/b']],
    ['/app/(?>a+)b', ['/app/aab'], ['/app/c', '/b']],
    ['/app/a++b', ['/app/aab'], ['/app/c', '/b']],
    // Nothing is known of these but how they begin.
    ['/app/(?(?=a)b|c)', ['/app/x'], ['/b', '/a']],
    ['/(?!\\Sx)', ['/', '/b', '/ax'], []],
    ['/x(?!b)|/c', ['/xa', '/xb', '/c'], ['/b']],
  ])('%s', (path, shut, open) => {
    const output = estate(path);
    expect(output.diagnostics.map(({ code }) => code)).toContain('FW2018');
    for (const target of shut) expect([target, become({ output, host, target })]).toEqual([target, '503']);
    for (const target of open)
      expect([target, become({ output, host, target })]).toEqual([target, expect.stringMatching(/^(?:rest|other) /)]);
  });

  it('lets nothing pass by that nginx would give it', () => {
    const part = fc.constantFrom(
      ...['a', 'b', '/', '.', '.*', 'a+', 'b?', '(a|b)', '[ab]', '[^a]', '|', '$', '\\.'],
      ...['(?!a)', '(?!b/|ab)', '(?=a)', '(?!(a))', '(?<!b)', '(?!.*b)', '(a)\\1', '(?!a)?', '(?:(?!b)a)*'],
    );
    const texts = fc.array(fc.stringMatching(/^[aAb/.]{0,6}$/), { minLength: 20, maxLength: 20 });
    const property = fc.property(fc.array(part, { maxLength: 6 }), texts, (parts, given) => {
      const path = `/${parts.join('')}`;
      const { path: wider, except } = relaxed(path);
      const pattern = pathPattern(wider);
      if (!pattern.ok) return;
      let nginx: RegExp;
      try {
        nginx = new RegExp(`^${path}`, 'is');
      } catch {
        // Not a pattern of JavaScript, which is the judge here.
        return;
      }
      const taking = compilePattern(pattern.value.match.value, { ignoreCase: true });
      const apart = except === undefined ? undefined : pathPattern(except);
      const leaving = apart?.ok ? compilePattern(apart.value.match.value, { ignoreCase: true }) : undefined;
      for (const text of given) {
        if (!nginx.test(`/${text}`)) continue;
        expect(taking.ok && taking.value.matches(`/${text}`)).toBe(true);
        expect(leaving?.ok && leaving.value.matches(`/${text}`)).not.toBe(true);
      }
    });
    fc.assert(property, { numRuns: 2_000 });
  });
});
