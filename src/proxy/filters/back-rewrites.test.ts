/** What backends say of places and cookies, changed on its way: location-rewrite and cookie-rewrite, beside nginx. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CookieRewriteFilter, Filter, LocationRewriteFilter } from '../../routing/plan/plan.ts';
import { askFront } from '../testing/ask.ts';
import { hasNginx, startNginx } from '../testing/nginx.ts';
import { type OneRoute, oneRoute, PORT } from '../testing/one-route.ts';

const [door, behind, judge] = ['127.86.3.1', '127.86.3.2', '127.86.3.3'] as const;
const able = hasNginx();

type Rule = LocationRewriteFilter['rules'][number];

/** Directives of nginx, and the rules that they come to. */
const redirects: readonly (readonly [string, readonly Rule[]])[] = [
  ['http://in.example:8000/two/ /one/', [{ from: { type: 'prefix', value: 'http://in.example:8000/two/' }, to: ['/one/'] }]],
  ['http://in.example https://$host:1', [{ from: { type: 'prefix', value: 'http://in.example' }, to: ['https://', { of: 'fact', fact: 'hostname' }, ':1'] }]],
  ['~^http://[a-z.]+(:[0-9]+)?(/.*)$ /x$2', [{ from: { type: 'regex', value: '^http://[a-z.]+(:[0-9]+)?(/.*)$' }, to: ['/x$2'] }]],
  ['~*IN(.) https://$1/', [{ from: { type: 'regex', value: 'IN(.)', ignoreCase: true }, to: ['https://$1/'] }]],
]; // biome-ignore format: one line each
const places = [
  'http://in.example:8000/two/some/uri?q#f',
  'http://in.example/',
  '/two/relative',
  'https://IN.example/',
  'http://other.example/',
];

const cookieRules: readonly (readonly [string, Omit<CookieRewriteFilter, 'type'>])[] = [
  ['proxy_cookie_domain .In.example out.example;', { domain: { from: '.In.example', to: 'out.example' } }],
  ['proxy_cookie_path /two/ /;', { path: { from: '/two/', to: '/' } }],
  ['proxy_cookie_domain in.example .o; proxy_cookie_path / /x/;', { domain: { from: 'in.example', to: '.o' }, path: { from: '/', to: '/x/' } }],
]; // biome-ignore format: one line each
const cookies = [
  'a=1; Domain=in.example; Path=/two/some',
  'a=1; domain=.IN.EXAMPLE; path=/TWO/',
  'a=Domain=in.example; Secure; Domain=sub.in.example; Path=/two',
  'Domain=in.example; PATH=/two/; HttpOnly',
  'path=/two/',
];

describe('what comes back', () => {
  let place: OneRoute;
  let nginx: { close(): Promise<void> } | undefined;
  beforeAll(async () => {
    place = await oneRoute(door, behind);
    if (!able) return;
    const blocks = [...redirects.map(([words]) => `proxy_redirect ${words};`), ...cookieRules.map(([words]) => words)];
    nginx = await startNginx(
      blocks
        .map(
          (words, i) =>
            `server { listen ${judge}:${PORT + i}; port_in_redirect off; location / { proxy_pass http://${behind}:${PORT}; ${words} } }`,
        )
        .join('\n'),
      judge,
      PORT,
    );
  });
  beforeEach(() => {
    place.app.requests.length = 0;
  });
  afterAll(async () => {
    await place.close();
    await nginx?.close();
  });

  const says = (...lines: string[]) =>
    place.app.answer(`HTTP/1.1 302 Found\r\n${lines.map((line) => `${line}\r\n`).join('')}Content-Length: 0\r\n\r\n`);

  async function bothSay(filter: Filter, line: string, header: string, index: number) {
    await place.use([filter]);
    says(line);
    const mine = await place.ask();
    const theirs = await askFront(judge, PORT + index, {});
    return [mine.headers[header]?.replace('a.example:8080', 'a.example'), theirs.headers[header]] as const;
  }

  it.skipIf(!able).each(redirects.map(([words, rules], i) => [words, rules, i] as const))(
    'redirects by %s are those of nginx',
    async (_words, rules, i) => {
      const filter: Filter = { type: 'location-rewrite', rules };
      for (const given of places) {
        const [mine, theirs] = await bothSay(filter, `Location: ${given}`, 'location', i);
        expect(mine).toBe(theirs);
        const refresh = await bothSay(filter, `Refresh: 5; URL=${given}`, 'refresh', i);
        expect(refresh[0]).toBe(refresh[1]);
      }
    },
  );

  it.skipIf(!able).each(cookieRules.map(([words, rules], i) => [words, rules, i + redirects.length] as const))(
    'cookies by %s are those of nginx',
    async (_words, rules, i) => {
      for (const given of cookies) {
        const [mine, theirs] = await bothSay(
          { type: 'cookie-rewrite', ...rules },
          `Set-Cookie: ${given}`,
          'set-cookie',
          i,
        );
        expect(mine).toBe(theirs);
      }
    },
  );

  it('keeps the order of cookies, and those that stay', async () => {
    await place.use([{ type: 'cookie-rewrite', path: { from: '/a', to: '/b' } }]);
    says('Set-Cookie: one=1; Path=/x', 'Set-Cookie: two=2; Path=/a', 'Set-Cookie: three=3');
    expect((await place.ask()).headers['set-cookie']).toBe('one=1; Path=/x, two=2; Path=/b, three=3');
  });

  it('takes the first rule that fits', async () => {
    const rules: readonly Rule[] = [
      { from: { type: 'prefix', value: '/none' }, to: ['/1'] },
      { from: { type: 'prefix', value: '/a' }, to: ['https://x/'] },
      { from: { type: 'prefix', value: '/' }, to: ['/3'] },
    ];
    await place.use([{ type: 'location-rewrite', rules }]);
    says('Location: /a b\xe9');
    expect((await place.ask()).headers['location']).toBe('https://x/%20b%E9');
  });

  it('leaves answers alone that were made here', async () => {
    await place.use([
      { type: 'location-rewrite', rules: [{ from: { type: 'prefix', value: 'http' }, to: ['gopher'] }] },
      { type: 'respond', when: [], status: 302, location: ['/x'], reason: 'there' },
    ]);
    expect((await place.ask()).headers['location']).toBe('http://a.example:8080/x');
  });

  it('says what cannot be done', async () => {
    await place.use([{ type: 'location-rewrite', rules: [{ from: { type: 'regex', value: '(' }, to: [] }] }]);
    expect((await place.ask()).status).toBe(500);
    await place.use([{ type: 'cookie-rewrite', path: { from: '/', to: '/; Secure' } }]);
    says();
    expect((await place.ask()).status).toBe(302);
    expect(place.front.findings.at(-1)).toMatch(/^FW5204 .*cannot stand in a cookie/);
  });
});
