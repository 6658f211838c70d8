/**
 * What nginx itself does with requests, alone: facts that the dialect of ingress-nginx is built on, so that a change of
 * nginx is noticed here and not as a puzzle elsewhere.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tell } from './harness/echo.ts';
import { location, nobody, prefix, rest, server } from './harness/lines.ts';
import { absence } from './harness/nginx.ts';
import type { Side } from './harness/observe.ts';
import { openStage, type Stage } from './harness/stage.ts';

const missing = absence();
if (missing) console.warn(`facts of nginx are not checked: ${missing}`);

const rewrite = (pattern: string, target: string) => ({ before: `rewrite "(?i)${pattern}" ${target} break;` });

const servers =
  nobody +
  server('a.test', prefix('/keep', 'beta') + location('= "/uuid"', 'gamma') + prefix('/slash/', 'beta') + location('"/"', 'alpha')) + // biome-ignore format: one line
  server('r.test', location('~* "^/(.*)"', 'alpha', rewrite('/(.*)', '/$1'))) +
  server('s.test', location('~* "^/app(/|$)(.*)"', 'alpha', rewrite('/app(/|$)(.*)', '/$2')) + rest()) +
  server('q.test', location('~* "^/app/(.*)"', 'alpha', rewrite('/app/(.*)', '/x?new=1&p=$1')) + location('~* "^/drop/(.*)"', 'alpha', rewrite('/drop/(.*)', '/y/$1?'))) + // biome-ignore format: one line
  server('g.test', location('~* "^/app"', 'alpha', rewrite('/app/v1', '/found'))) +
  server('e.test', location('"/dead"', 'dead') + location('"/slow"', 'alpha').replace('proxy_read_timeout 60s', 'proxy_read_timeout 1s')); // biome-ignore format: one line

describe.skipIf(missing)('nginx', () => {
  let stage: Stage;
  let nginx: Side;
  beforeAll(async () => {
    stage = await openStage('127.85.2');
    nginx = await stage.nginx({ servers, http: 'upstream dead { server 127.85.2.99:1; }' });
  });
  afterAll(() => stage?.close());

  /** Status, then where a redirect leads or which backend got what. */
  async function outcome(
    host: string,
    target: string,
    method = 'GET',
    headers: readonly (readonly [string, string])[] = [],
  ) {
    // biome-ignore format: one line
    const { status, headers: fields, seen } = await nginx.observe({ host, target, method, headers });
    const to = fields.find(([name]) => name === 'location')?.[1];
    return [status, to, ...seen.map(({ backend, target: got }) => `${backend} ${got}`)].filter(Boolean).join(' ');
  }

  it.each([
    ['/a//b/../c%2Fd', '200 alpha /a//b/../c%2Fd'],
    ['/keep/%2E%2E/uuid', '200 gamma /keep/%2E%2E/uuid'],
    ['/keep%2Fx', '200 beta /keep%2Fx'],
    ['////uuid', '200 gamma ////uuid'],
    ['/%75uid', '200 gamma /%75uid'],
    ['/SLASH', '200 alpha /SLASH'],
    ['/a#b', '200 alpha /a#b'],
    ['ftp://a.test/x', '200 alpha /x'],
    ['http://a.test?x', '200 alpha /?x'],
  ])('matches the path it makes of %s, and sends it as it came', async (target, expected) => {
    expect(await outcome('a.test', target)).toBe(expected);
  });

  it.each([
    ['/a//b/../c%2Fd', '200 alpha /a/c/d'],
    ['/a%20b%3Fc%23d%25e%5Cf', '200 alpha /a%20b%3Fc%23d%25e%5Cf'],
    ['/%C3%A9%7E%26%3D%2B%3B', '200 alpha /%C3%A9~&=+;'],
    ['/"<>^`{|}[]', '200 alpha /%22%3C%3E%5E%60%7B%7C%7D[]'],
    ['/a%0Ab', '200 alpha /a'],
    ['/a#b?c', '200 alpha /a'],
    ['/a/b/..?x=%2F..', '200 alpha /a/?x=%2F..'],
  ])('sends what it made of %s once it is rewritten', async (target, expected) => {
    expect(await outcome('r.test', target)).toBe(expected);
  });

  it.each([
    ['/app', '200 alpha /'],
    ['/APP/X', '200 alpha /X'],
    ['/app//x', '200 alpha /x'],
    ['/app/a%2Fb?c=%20', '200 alpha /a/b?c=%20'],
    ['/application', '404'],
  ])('takes a prefix off %s', async (target, expected) => {
    expect(await outcome('s.test', target)).toBe(expected);
  });

  it.each([
    ['/app/z?a=1', '200 alpha /x?new=1&p=z&a=1'],
    ['/app/a%26b', '200 alpha /x?new=1&p=a%26b'],
    ['/drop/z?a=1', '200 alpha /y/z'],
    ['/drop/a%3Fb?c', '200 alpha /y/a%3Fb'],
  ])('adds the query of %s to that of the target, unless that ends in a question mark', async (target, expected) => {
    expect(await outcome('q.test', target)).toBe(expected);
  });

  it('sends the request as it came where the rewrite finds nothing', async () => {
    expect(await outcome('g.test', '/app//x/../z%2F')).toBe('200 alpha /app//x/../z%2F');
    expect(await outcome('g.test', '/app/V1/x')).toBe('200 alpha /found');
  });

  it.each([
    ['/slash', '301 http://a.test/slash/'],
    ['//slash', '301 http://a.test/slash/'],
    ['/%73lash?x=%20', '301 http://a.test/slash/?x=%20'],
    ['/slash?', '301 http://a.test/slash/'],
  ])('adds the slash to %s by 301', async (target, expected) => {
    expect(await outcome('a.test', target)).toBe(expected);
    // The host of Location is in small letters and without the port.
    expect(await outcome('A.Test:8080', target)).toBe(expected);
  });

  it.each(['/..', '/a/../../x', '/%2e%2e/x', '/a%00b', '/a%', '/a%zz', '/a\x01b', '/a\x7fb', '*', 'a.test/x'])(
    'refuses %j with 400',
    async (target) => {
      expect(await outcome('a.test', target)).toBe('400');
    },
  );

  it('refuses TRACE and CONNECT with 405 and small letters with 400', async () => {
    expect(await outcome('a.test', '/', 'TRACE')).toBe('405');
    expect(await outcome('a.test', '/', 'CONNECT')).toBe('405');
    expect(await outcome('a.test', '/', 'get')).toBe('400');
    expect(await outcome('a.test', '/', 'A_B-C')).toBe('200 alpha /');
  });

  it('has 502 for a backend that is not there and 504 for one that is late', async () => {
    expect(await outcome('e.test', '/dead')).toBe('502');
    expect(await outcome('e.test', '/slow', 'GET', [tell('alpha', { afterMs: 1_300 })])).toBe('504 alpha /slow');
  });
});
