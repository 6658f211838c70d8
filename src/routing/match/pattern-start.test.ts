/** What is taken for certain of patterns is, and few of many are run. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pathPattern } from '../ingress-nginx/rewrite.ts';
import type { Route } from '../plan/plan.ts';
import { compileListener } from './matcher.ts';
import { compilePattern } from './pattern.ts';
import { hasAlternatives, patternStart } from './pattern-start.ts';
import { answer, listener, request, route, virtualHost } from './test-helpers.ts';

const asNginx = (path: string) => {
  const made = pathPattern(path);
  if (!made.ok) throw new Error(made.error);
  return made.value.match;
};

describe('the start of a pattern', () => {
  it.each([
    ['/shop(/|$)(.*)', '/shop'],
    ['/v[0-9]+/x', '/v'],
    ['/a?b', '/'],
    ['/a{2}b', '/'],
    ['/a+b', '/a'],
    ['/a\\.b\\d', '/a.b'],
    ['^/a', '/a'],
    ['/a|/b', ''],
    ['/a(b|[)|]c)|d', ''],
    ['(?i)/a', ''],
    ['/é', '/'],
    ['/\\Qa|b\\E', ''],
    ['/a)|(b', ''],
  ])('%s: %s', (source, text) => {
    expect(patternStart(source)).toEqual({ text, isAll: false });
  });

  it('is all of a path that is text, as ingress-nginx has it', () => {
    expect(patternStart(asNginx('/shop/a.b').value).isAll).toBe(false);
    expect(patternStart(asNginx('/shop/a-b').value)).toEqual({ text: '/shop/a-b', isAll: true });
    expect(asNginx('/a(b|c)').value).toBe('(?:^/a(b|c))(?s:.*)');
    expect(hasAlternatives('/a(b|c)|d')).toBe(true);
  });

  const part = fc.oneof(
    fc.constantFrom('a', 'b', '/', '\\.', '.', '[ab|)]', '[^]a]', '(a|b)', '(?:b)', 'a*', 'b?', 'a{1,2}', '(/|$)', '.*', '|', '$'), // biome-ignore format: one line
    fc.constantFrom('(', ')', '[', '\\', '{', '\\Q|\\E', '^'),
  );

  it('is that of every text that the pattern matches', () => {
    const property = fc.property(
      fc.array(part, { maxLength: 7 }),
      fc.array(fc.stringMatching(/^[aAb/.|)]{0,6}$/), { maxLength: 20 }),
      fc.boolean(),
      (parts, texts, isPath) => {
        const path = `/${parts.join('')}`;
        const match = isPath ? pathPattern(path) : undefined;
        const source = match?.ok ? match.value.match.value : path;
        const compiled = compilePattern(source, { ignoreCase: true });
        if (!compiled.ok) return;
        const { text, isAll } = patternStart(source);
        for (const each of texts) {
          const begins = `/${each}`.toLowerCase().startsWith(text);
          if (compiled.value.matches(`/${each}`)) expect(begins).toBe(true);
          else expect(isAll && begins).toBe(false);
        }
      },
    );
    fc.assert(property, { numRuns: 2_000 });
  });
});

describe('what patterns cost', () => {
  const numbers = Array.from({ length: 500 }, (_, i) => i);
  const host = (paths: readonly string[]) =>
    virtualHost(
      'a.example',
      paths.map((path): Route => route(path, { path: asNginx(path) })),
      { paths: 'normal' },
    );

  it('is that of the few that can match', () => {
    const matcher = compileListener(listener([host(numbers.map((i) => `/app-${i}(/|$)(.*)`))]));
    expect(matcher.match(request('a.example', '/APP-77/x')).route?.id).toBe('/app-77(/|$)(.*)');
    expect(matcher.patternSteps).toBeLessThan(30 * 2 * 12);
  });

  it('is nothing for paths that are text', () => {
    const matcher = compileListener(listener([host(numbers.map((i) => `/app-${i}/`))]));
    expect(matcher.match(request('a.example', '/App-77/x')).route?.id).toBe('/app-77/');
    expect(matcher.patternSteps).toBe(0);
  });

  it('is bounded for all of a host together, and no route is found beyond', () => {
    const many = host([...numbers.map((i) => `/(.*x){20}${i}$`), '/']);
    const matcher = compileListener(listener([many]), undefined, { maxPatternSteps: 200_000 });
    expect(matcher.match(request('a.example', '/a')).route?.id).toBe('/');
    const long = request('a.example', `/${'x'.repeat(8_000)}`);
    expect(matcher.match(long)).toEqual({ host: many, tooCostly: true });
    const { result, hosts } = matcher.explain(long);
    expect(result.tooCostly).toBe(true);
    expect(hosts[0]!.routes[0]!.verdict).toMatchObject({ detail: expect.stringContaining('too many steps') });
    expect(matcher.match(request('a.example', '/a')).route?.id).toBe('/');
  });

  it('counts patterns of headers', () => {
    const match = { headers: [{ name: 'x', type: 'regex', value: 'a+b' }] } as const;
    const matcher = compileListener(listener([virtualHost('a.example', [route('r', match)])]), undefined, { maxPatternSteps: 1_000 }); // biome-ignore format: one line
    expect(matcher.match(request('a.example', '/', { headers: { x: 'aab' } })).route?.id).toBe('r');
    expect(matcher.match(request('a.example', '/', { headers: { x: 'a'.repeat(5_000) } })).tooCostly).toBe(true);
    expect(answer([virtualHost('a.example', [])], 'a.example')).toBe('host a.example');
  });
});
