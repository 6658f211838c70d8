import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileListener } from './matcher.ts';
import { escapeArgument, escapePath, normalPath } from './normal-path.ts';
import { rewriteNormal, writeTarget } from './normal-rewrite.ts';
import { redirectLocation } from './rewrite.ts';
import { answer, listener, request, route, under, virtualHost } from './test-helpers.ts';

/** Whatever is to be done, one at a time, until nothing is left to do. */
function naive(path: string): string | undefined {
  if (/%(?![0-9a-f]{2})|%00/i.test(path)) return undefined;
  let left = path.replace(/%(..)/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  for (let before = ''; before !== left; ) {
    before = left;
    left = left.replace('//', '/').replace(/\/\.(\/|$)/, '/');
    if (/^\/\.\.(\/|$)/.test(left)) return undefined;
    left = left.replace(/\/(?!\.\.?(?:\/|$))[^/]+\/\.\.(\/|$)/, '/');
  }
  return left;
}

const pieces = fc.constantFrom('/', '.', '..', 'a', 'b%20', '%2F', '%2e', '%2E', '%c3%a9', '%3f', '%25', '%0A', '%00', '%', '%z1', '+'); // biome-ignore format: one line
const paths = fc.array(pieces, { maxLength: 12 }).map((list) => `/${list.join('')}`);

describe('the normal form of a path', () => {
  it.each<[string, string | undefined]>([
    ['/', '/'],
    ['/a/b.c/d', '/a/b.c/d'],
    ['/a//b///', '/a/b/'],
    ['/a/./b/.', '/a/b/'],
    ['/a/../b/..', '/'],
    ['/a/b/..', '/a/'],
    ['/..a/...', '/..a/...'],
    ['/a%2Fb%2f%2e%2E/c', '/a/c'],
    ['/%E2%82%AC', '/\xe2\x82\xac'],
    ['/a%3Fb%23c%2525', '/a?b#c%25'],
    ['/..', undefined],
    ['/a/../..', undefined],
    ['/%2e%2e/a', undefined],
    ['/a%00', undefined],
    ['/a%', undefined],
    ['/a%2', undefined],
    ['/a%2g', undefined],
    ['*', '*'],
  ])('%s is %j', (path, normal) => expect(normalPath(path)).toBe(normal));

  it('is the naive one', () => {
    fc.assert(
      fc.property(paths, (path) => {
        expect(normalPath(path)).toBe(naive(path));
      }),
      { numRuns: 2_000 },
    );
  });

  it('stays what it is, and is escaped so that it comes out again', () => {
    fc.assert(
      fc.property(paths, (path) => {
        const normal = normalPath(path);
        if (normal === undefined) return;
        expect(escapePath(normal)).toMatch(/^[!-~]*$/);
        expect(normalPath(escapePath(normal))).toBe(normal);
      }),
    );
  });

  it('is the very same text where it was normal', () => {
    const path = `/${'a'.repeat(20)}`;
    expect(normalPath(path)).toBe(path);
  });

  it('is escaped as a path, or further within a query', () => {
    const all = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
    expect(escapePath(all).replace(/%[0-9A-F]{2}/g, '')).toBe("!$&'()*+,-./0123456789:;=@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz~"); // biome-ignore format: one line
    expect(escapeArgument("a&b+c;d=e/f'")).toBe("a%26b%2Bc%3Bd=e/f'");
  });
});

describe('hosts whose paths are compared in their normal form', () => {
  const regex = (value: string) => ({ path: { type: 'regex' as const, value } });
  const hosts = [
    virtualHost(
      'n.example',
      [route('admin', under('/admin')), route('word', regex('/w/[a-z ]+')), route('café', under('/café'))],
      { paths: 'normal', fallback: '*' },
    ),
    virtualHost('*', [route('any', under('/any')), route('raw', under('/a%64min'))]),
  ];
  const at = (path: string, host = 'n.example') => answer(hosts, host, path);

  it.each([
    ['/admin/x', 'admin'],
    ['/a%64min/x', 'admin'],
    ['//x/..%2fadmin', 'admin'],
    ['/w/a%20b', 'word'],
    ['/caf%C3%A9/x', 'café'],
    ['/any', 'any'],
    ['/x', 'host n.example'],
  ])('%s is answered by %s', (path, expected) => expect(at(path)).toBe(expected));

  it('leave other hosts as they are', () => expect(at('/a%64min', 'o.example')).toBe('raw'));

  it('refuse what has none', () => {
    const { match, explain } = compileListener(listener(hosts));
    expect(match(request('n.example', '/..'))).toMatchObject({ host: hosts[0], badPath: true });
    expect(match(request('o.example', '/..')).badPath).toBeUndefined();
    const { result, hosts: [tried] } = explain(request('n.example', '/%2e%2e/admin')); // biome-ignore format: one line
    expect(result.badPath).toBe(true);
    expect(tried?.verdict).toMatchObject({ outcome: 'lost', detail: expect.stringMatching(/leaves the root/) });
    expect(tried?.routes[0]?.verdict).toMatchObject({ outcome: 'lost', reason: 'path', wanted: 'path under /admin' });
  });

  it('are explained by what was compared', () => {
    const { explain } = compileListener(listener(hosts));
    const [tried] = explain(request('n.example', '/w/..//caf%C3%A9')).hosts;
    expect(tried?.routes.map(({ verdict }) => verdict.outcome)).toEqual(['lost', 'lost', 'matched']);
    expect(tried?.routes[1]?.verdict).toMatchObject({ detail: 'path is /café', got: '/café' });
  });
});

describe('rewrites of normal paths', () => {
  const rewritten = (pattern: string, replacement: string, path: string, query = '') => {
    const normal = normalPath(path)!;
    const made = rewriteNormal({ type: 'regex', pattern, replacement }, { path, normalPath: normal, query }, undefined);
    return made && writeTarget(made.path, made.query);
  };

  it.each<[string, string, string, string, string | undefined]>([
    ['^/a/(.*)', '/$1', '/a/b%20c', '', '/b%20c'],
    ['^/a/(.*)', '/$1', '/a//../a/b', 'q=1', '/b?q=1'],
    ['^/a/(.*)', '/x%20$1', '/a/b', '', '/x%2520b'],
    ['^/a/(.*)', '/x?p=$1', '/a/b%26c', 'q=1', '/x?p=b%26c&q=1'],
    ['^/a/(.*)', '/x?p=$1', '/a/b&c', '', '/x?p=b&c'],
    ['^/a/(.*)', '/x?p=$1?', '/a/b', 'q=1', '/x?p=b'],
    ['^/a/(.*)', '/x?', '/a/b', 'q=1', '/x'],
    ['^/a/(.*)', '/$1', '/a/b%3Fc', '', '/b%3Fc'],
    ['^/a/(.*)', '/$1', '/b', '', undefined],
    ['^/é(.*)', '/ü$1', '/%c3%a9x', '', '/%C3%BCx'],
    ['^/a(x)?(.*)', '$1$2', '/ab', '', '/b'],
  ])('%s to %s makes %s?%s %s', (pattern, replacement, path, query, expected) =>
    expect(rewritten(pattern, replacement, path, query)).toBe(expected),
  );

  it('have the other kinds too', () => {
    const asked = { path: '/a/b%20c', normalPath: '/a/b c', query: 'q' };
    expect(rewriteNormal({ type: 'full', value: '/x%20y?z' }, asked, 2)).toEqual({ path: '/x y', query: 'z&q' });
    expect(rewriteNormal({ type: 'prefix', value: '/x/' }, asked, 2)).toEqual({ path: '/x/b c', query: 'q' });
    expect(rewriteNormal({ type: 'prefix', value: '/x' }, asked, undefined)).toBeUndefined();
  });

  it('count for redirects', () => {
    const path = { type: 'regex', pattern: '^/a/(.*)', replacement: '/$1' } as const;
    const location = (given: string) =>
      redirectLocation(
        { type: 'redirect', status: 302, path },
        { scheme: 'http', host: 'a', listenerPort: 80, path: given, normalPath: normalPath(given)!, query: 'q' },
        undefined,
      );
    expect(location('/x/../a/b%20c')).toBe('http://a/b%20c?q');
    expect(location('/b/%2e')).toBe('http://a/b/%2e?q');
  });
});
