import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OneRoute, oneRoute, PORT } from '../../testing/one-route.ts';
import { host, listener, planOf, route } from '../../testing/plans.ts';

describe('rewrite by a pattern', () => {
  let place: OneRoute;
  beforeAll(async () => {
    place = await oneRoute('127.77.14.40', '127.77.14.41');
  });
  afterAll(() => place.close());

  it('sends what the groups have matched', async () => {
    await place.use([{ type: 'rewrite', path: { type: 'regex', pattern: '/foo(/|$)(.*)', replacement: '/$2' } }]);
    await place.ask({ path: '/foo/a%20b//c?q=1' });
    expect(place.app.requests.at(-1)!.line).toBe('GET /a%20b//c?q=1 HTTP/1.1');
    await place.ask({ path: '/other?q=1' });
    expect(place.app.requests.at(-1)!.line).toBe('GET /other?q=1 HTTP/1.1');
  });

  it('sends nothing as it came where the pattern cannot be used', async () => {
    const before = place.app.requests.length;
    await place.use([{ type: 'rewrite', path: { type: 'regex', pattern: '(', replacement: '/' } }]);
    expect((await place.ask()).status).toBe(500);
    expect(place.app.requests).toHaveLength(before);
    expect(place.front.findings.at(-1)).toMatch(/^FW5221 .*pattern/);
  });

  it('redirects likewise, and with a bad pattern nowhere', async () => {
    const use = (pattern: string) => {
      const action = {
        type: 'redirect',
        status: 301,
        path: { type: 'regex', pattern, replacement: '/new/$1' },
      } as const;
      return place.front.plan(planOf([listener(place.address, PORT, [host('*', [route({ action })])])]));
    };
    await use('^/old/(.*)');
    const got = await place.ask({ path: '/old/a?b' });
    expect(got).toMatchObject({ status: 301, headers: { location: `http://a.example:${PORT}/new/a?b` } });
    await use('^/old/.*');
    expect((await place.ask({ path: '/old/a' })).status).toBe(500);
  });
});
