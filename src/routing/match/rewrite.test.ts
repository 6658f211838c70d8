import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RedirectAction } from '../plan/plan.ts';
import { joinTarget, type RedirectedRequest, redirectLocation, rewriteFault, rewritePath } from './rewrite.ts';

const prefixLengthOf = (prefix: string) => prefix.replace(/\/$/, '').length;

describe('prefix rewrite, the table of HTTPPathModifier.replacePrefixMatch', () => {
  it.each([
    ['/foo/bar', '/foo', '/xyz', '/xyz/bar'],
    ['/foo/bar', '/foo', '/xyz/', '/xyz/bar'],
    ['/foo/bar', '/foo/', '/xyz', '/xyz/bar'],
    ['/foo/bar', '/foo/', '/xyz/', '/xyz/bar'],
    ['/foo', '/foo', '/xyz', '/xyz'],
    ['/foo/', '/foo', '/xyz', '/xyz/'],
    ['/foo/bar', '/foo', '', '/bar'],
    ['/foo/', '/foo', '', '/'],
    ['/foo', '/foo', '', '/'],
    ['/foo/', '/foo', '/', '/'],
    ['/foo', '/foo', '/', '/'],
  ])('%s matched by %s with %j becomes %s', (path, prefix, value, expected) => {
    expect(rewritePath({ type: 'prefix', value }, path, prefixLengthOf(prefix))).toBe(expected);
  });

  it('prepends to everything under /', () => {
    expect(rewritePath({ type: 'prefix', value: '/app' }, '/', prefixLengthOf('/'))).toBe('/app/');
    expect(rewritePath({ type: 'prefix', value: '/app' }, '/a/b', prefixLengthOf('/'))).toBe('/app/a/b');
  });

  it('replaces part of an element where a string prefix matched', () => {
    expect(rewritePath({ type: 'prefix', value: '/xyz' }, '/foobar', '/foo'.length)).toBe('/xyzbar');
  });

  it('leaves the path alone where no prefix was matched', () => {
    expect(rewritePath({ type: 'prefix', value: '/xyz' }, '/foo/bar', undefined)).toBe('/foo/bar');
  });
});

describe('full rewrite', () => {
  it.each([
    ['/one', '/one'],
    ['', '/'],
    ['one', '/one'],
    ['/a b\r\nX-Injected: 1', '/a%20b%0D%0AX-Injected:%201'],
    ['/ü', '/%C3%BC'],
  ])('%j becomes %s', (value, expected) => {
    expect(rewritePath({ type: 'full', value }, '/foo/bar', 4)).toBe(expected);
  });
});

describe('regex rewrite', () => {
  const rewrite = (pattern: string, replacement: string, path: string, ignoreCase = false) =>
    rewritePath({ type: 'regex', pattern, replacement, ignoreCase }, path, undefined);

  it.each([
    ['/foo(/|$)(.*)', '/$2', '/foo/bar/baz', '/bar/baz'],
    ['/foo(/|$)(.*)', '/$2', '/foo', '/'],
    // The whole path is replaced, wherever the pattern is found, and only where it is.
    ['/foo(/|$)(.*)', '/$2', '/deep/foo/bar', '/bar'],
    ['^/foo(/|$)(.*)', '/$2', '/deep/foo/bar', '/deep/foo/bar'],
    ['^/foo', '/x', '/foo/bar', '/x'],
    ['^/(?P<shop>[^/]+)/item/(\\d+)$', '/item/$2?shop=$1', '/eu/item/17', '/item/17?shop=eu'],
    ['^/(a)?(b)', '/[$1]$2', '/b', '/[]b'],
    ['^(/.*)$', '$1/', '/x', '/x/'],
    ['^/(.*)$', '$1', '/x', '/x'],
    ['^/(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)$', '/$\x7b10}-$10-$0', '/abcdefghij', '/j-a0-/abcdefghij'],
    ['^/x', '/$$1', '/x', '/$1'],
    ['^/x', '/a$', '/x', '/a$'],
    ['^/x', '/a b\r\n', '/x', '/a%20b%0D%0A'],
  ])('%s to %s: %s becomes %s', (pattern, replacement, path, expected) => {
    expect(rewrite(pattern, replacement, path)).toBe(expected);
  });

  it('minds case unless told otherwise', () => {
    expect(rewrite('^/Foo', '/x', '/foo')).toBe('/foo');
    expect(rewrite('^/Foo', '/x', '/foo', true)).toBe('/x');
  });

  it.each([
    ['(', '/', /cannot be used/],
    ['(?<=a)b', '/', /cannot be used/],
    ['a{1000}', '/', /cannot be used/],
    ['^/(.*)', '/$2', /no group 2/],
  ])('%s to %s cannot be made', (pattern, replacement, why) => {
    expect(rewriteFault({ type: 'regex', pattern, replacement })).toMatch(why);
    expect(rewrite(pattern, replacement, '/b')).toBe('/b');
  });

  it('takes time in proportion to the path', () => {
    const time = (length: number) => {
      const path = `/${'a'.repeat(length)}!`;
      const started = performance.now();
      for (let i = 0; i < 5; i++) rewrite('^/(a+)+$', '/x', path);
      return performance.now() - started;
    };
    time(1_000);
    expect(time(8_000)).toBeLessThan(500 + 40 * time(1_000));
  });

  it('keeps the query, adds to one of its own, and drops it where it ends in a question mark', () => {
    const target = (replacement: string) => joinTarget(rewrite('^/a/(.*)', replacement, '/a/b'), 'q=1');
    expect(target('/$1')).toBe('/b?q=1');
    expect(target('/$1?x=2')).toBe('/b?x=2&q=1');
    expect(target('/$1?')).toBe('/b');
    expect(target('/$1?x=2?')).toBe('/b?x=2');
  });

  it('writes addresses of redirects', () => {
    const action = {
      type: 'redirect',
      status: 302,
      path: { type: 'regex', pattern: '^/a/(.*)', replacement: '/b/$1' },
    } as const;
    const request = { scheme: 'http', host: 'h', listenerPort: 80, path: '/a/c', query: 'q' } as const;
    expect(redirectLocation(action, request, undefined)).toBe('http://h/b/c?q');
  });
});

it('never yields anything that could end a line or a request target', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('full' as const, 'prefix' as const),
      fc.string({ unit: fc.integer({ min: 0, max: 0x2ff }).map((code) => String.fromCharCode(code)) }),
      (type, value) => {
        expect(rewritePath({ type, value }, '/foo/bar', 4)).toMatch(/^\/[\x21-\x7e]*$/);
      },
    ),
  );
});

describe('redirect', () => {
  const request: RedirectedRequest = {
    scheme: 'http',
    host: 'shop.example.com:8080',
    listenerPort: 8080,
    path: '/foo/bar',
    query: 'a=1&b=2',
  };
  const redirect = (
    action: Partial<RedirectAction>,
    changes: Partial<RedirectedRequest> = {},
    prefixLength: number | undefined = 4,
  ) =>
    redirectLocation({ type: 'redirect', status: 302, ...action }, { ...request, query: '', ...changes }, prefixLength);

  it.each<[string, Partial<RedirectAction>, Partial<RedirectedRequest>, string]>([
    ['neither scheme nor port: the listener port', {}, {}, 'http://shop.example.com:8080/foo/bar'],
    ['neither, on port 80: not written', {}, { listenerPort: 80 }, 'http://shop.example.com/foo/bar'],
    [
      'neither, https on 443: not written',
      {},
      { scheme: 'https', listenerPort: 443 },
      'https://shop.example.com/foo/bar',
    ],
    ['neither, http on 443: written', {}, { listenerPort: 443 }, 'http://shop.example.com:443/foo/bar'],
    ['scheme https: its own port, not written', { scheme: 'https' }, {}, 'https://shop.example.com/foo/bar'],
    ['scheme http: its own port, not written', { scheme: 'http' }, {}, 'http://shop.example.com/foo/bar'],
    ['scheme without well-known port: the listener port', { scheme: 'ws' }, {}, 'ws://shop.example.com:8080/foo/bar'],
    ['scheme and port', { scheme: 'https', port: 8443 }, {}, 'https://shop.example.com:8443/foo/bar'],
    ['https and port 443: not written', { scheme: 'https', port: 443 }, {}, 'https://shop.example.com/foo/bar'],
    ['https and port 80: written', { scheme: 'https', port: 80 }, {}, 'https://shop.example.com:80/foo/bar'],
    ['port only', { port: 8083 }, { listenerPort: 80 }, 'http://shop.example.com:8083/foo/bar'],
    ['port 80 only', { port: 80 }, {}, 'http://shop.example.com/foo/bar'],
    ['hostname', { hostname: 'example.org' }, { listenerPort: 80 }, 'http://example.org/foo/bar'],
    ['IPv6 literal', {}, { host: '[::1]:8080' }, 'http://[::1]:8080/foo/bar'],
    ['path', { path: { type: 'full', value: '/new' } }, { listenerPort: 80 }, 'http://shop.example.com/new'],
    ['prefix', { path: { type: 'prefix', value: '/new' } }, { listenerPort: 80 }, 'http://shop.example.com/new/bar'],
    ['query is kept', {}, { listenerPort: 80, query: 'a=1' }, 'http://shop.example.com/foo/bar?a=1'],
    ['no host in the request', {}, { host: '' }, '/foo/bar'],
    ['no host, and a path that looks like one', {}, { host: '', path: '//evil.example' }, '/evil.example'],
  ])('%s', (_name, action, changes, expected) => {
    expect(redirect(action, changes)).toBe(expected);
  });
});
