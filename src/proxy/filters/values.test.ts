/** Filters whose texts are made of requests: respond, request-values, response-values; the order of gates. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Condition, Filter, RequestFact, RequestValue } from '../../routing/plan/plan.ts';
import { OK } from '../testing/backend.ts';
import { share } from '../testing/plans.ts';
import { type TwoBackends, twoBackends } from '../testing/two-backends.ts';
import { answer, filter as auth } from './external-auth/testing.ts';

const fact = (name: RequestFact): RequestValue => ({ of: 'fact', fact: name });
const header = (name: string): RequestValue => ({ of: 'header', name });
const given = (value: RequestValue): Condition => ({ value: [value], test: { type: 'present' } });

describe('filters with texts made of requests', () => {
  let place: TwoBackends;
  beforeAll(async () => {
    place = await twoBackends('127.86.1', 1);
  });
  beforeEach(() => {
    place.app.requests.length = 0;
    place.helper.requests.length = 0;
    place.app.answer(OK);
    place.helper.answer(OK);
  });
  afterAll(() => place.close());

  const seen = () => place.app.requests.at(-1)!.lines;
  const named = (name: string) => seen().filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`));

  describe('respond', () => {
    const respond = (more: Partial<Extract<Filter, { type: 'respond' }>>): Filter => ({
      type: 'respond',
      when: [],
      status: 200,
      reason: 'so it is written',
      ...more,
    });

    it('answers those who meet the conditions, and lets the others on', async () => {
      await place.use([respond({ when: [given(header('x-old'))], status: 410 })]);
      expect(await place.ask({ lines: ['X-Old: 1'] })).toMatchObject({
        status: 410,
        body: '410 Gone: so it is written\n',
      });
      expect(place.app.requests).toEqual([]);
      expect(place.front.records.at(-1)).toMatchObject({ flag: 'fixed_response', reason: 'so it is written' });
      expect((await place.ask()).status).toBe(200);
    });

    it('answers 414 where patterns of conditions would cost too much, of whatever filter', async () => {
      const hostile: Condition = { value: [header('x-old')], test: { type: 'matches', pattern: '(?:a?){300}b' } };
      const filters: Filter[] = [
        respond({ when: [hostile], status: 410 }),
        { type: 'request-values', when: [hostile], set: [['x-seen', ['1']]] },
        { type: 'response-values', when: [hostile], set: [['x-seen', ['1']]], add: [], remove: [] },
      ];
      for (const filter of filters) {
        await place.use([filter]);
        expect((await place.ask({ lines: ['X-Old: aab'] })).status).toBe(filter.type === 'respond' ? 410 : 200);
        expect((await place.ask({ lines: [`X-Old: ${'a'.repeat(12_000)}`] })).status).toBe(414);
        expect(place.front.records.at(-1)).toMatchObject({ flag: 'bad_request' });
      }
    });

    it('counts the patterns of all filters together', async () => {
      const costly: Condition = { value: [header('x-old')], test: { type: 'matches', pattern: '(?:a?){300}b' } };
      const one = respond({ when: [costly], status: 410 });
      const lines = [`X-Old: ${'a'.repeat(600)}`];
      await place.use([one]);
      expect((await place.ask({ lines })).status).toBe(200);
      await place.use([one, one, one, one]);
      expect((await place.ask({ lines })).status).toBe(414);
    });

    it('sends elsewhere, to a path of the same host or not', async () => {
      await place.use([respond({ status: 301, location: ['/new', fact('uri')] })]);
      expect(await place.ask({ path: '/a?b' })).toMatchObject({
        status: 301,
        headers: { location: 'http://a.example:8080/new/a?b' },
      });
      expect(place.front.records.at(-1)).toMatchObject({ flag: 'redirect' });
      await place.use([respond({ status: 302, location: ['/', fact('query')], relative: true })]);
      expect((await place.ask({ path: '/a?/evil' })).headers['location']).toBe('/evil');
      await place.use([respond({ status: 308, location: ['https://', fact('hostname'), fact('uri')] })]);
      expect((await place.ask({ path: '/a?b' })).headers['location']).toBe('https://a.example/a?b');
    });

    it('has a body of its own', async () => {
      await place.use([respond({ body: ['für ', fact('path'), '\n'] })]);
      const got = await place.ask({ path: '/x' });
      expect(Buffer.from(got.body, 'latin1').toString()).toBe('für /x\n');
      expect(got.headers['content-type']).toBe('text/plain; charset=utf-8');
    });

    it.each<[string, Filter]>([
      ['a status that is none', respond({ status: 99 })],
      [
        'a condition that cannot be asked',
        respond({ when: [{ value: ['x'], test: { type: 'matches', pattern: '(' } }] }),
      ],
      ['a place that is not known', respond({ location: [{ of: 'response-header', name: 'x' }] })],
    ])('refuses all with %s', async (_what, filter) => {
      await place.use([filter]);
      expect((await place.ask()).status).toBe(500);
      expect(place.front.findings.at(-1)).toMatch(/^FW5221 /);
    });
  });

  describe('request-values', () => {
    it('win over clients and over what is said here', async () => {
      await place.use([
        {
          type: 'request-values',
          set: [
            ['X-Forwarded-For', [fact('forwarded-for-appended')]],
            ['X-Forwarded-Port', ['443']],
            ['X-Forwarded-Proto', [{ of: 'header', name: 'x-none' }]],
            ['X-Request-ID', [fact('request-id')]],
            ['X-Scheme', [fact('scheme'), '!']],
            ['Host', ['inner.', fact('hostname')]],
          ],
        },
      ]);
      await place.ask({ lines: ['X-Forwarded-For: 9.9.9.9', 'X-Scheme: gopher', 'X_Scheme: gopher', 'A_B: 1'] });
      expect(named('x-forwarded-for')).toEqual(['X-Forwarded-For: 9.9.9.9, 127.0.0.1']);
      expect(named('x-forwarded-port')).toEqual(['X-Forwarded-Port: 443']);
      expect(named('x-forwarded-proto')).toEqual([]);
      expect(named('x-forwarded-host')).toHaveLength(1);
      expect(named('x-request-id')[0]).toMatch(/^X-Request-ID: [0-9a-f]{32}$/);
      expect(named('x-scheme')).toEqual(['X-Scheme: http!']);
      expect(seen().join()).not.toMatch(/gopher/);
      expect(named('host')).toEqual(['Host: inner.a.example']);
      expect(named('a_b')).toHaveLength(1);
    });

    it('drop names with underscores, and apply to those who meet the conditions', async () => {
      await place.use([
        { type: 'request-values', when: [given(header('x-do'))], set: [['X-Do', ['done']]], dropUnderscored: true },
      ]);
      await place.ask({ lines: ['X-Do: 1', 'A_B: 1'] });
      expect(named('x-do')).toEqual(['X-Do: done']);
      expect(named('a_b')).toEqual([]);
      await place.ask({ lines: ['A_B: 1'] });
      expect(named('a_b')).toHaveLength(1);
    });

    it('names of strange characters are as if they were not there, for gates too', async () => {
      const respond = { type: 'respond', when: [given(header('a.b'))], status: 403, reason: 'seen' } as const;
      await place.use([{ type: 'request-values', set: [], dropStrange: true }, respond], { gates: 'as-listed' });
      await place.ask({ lines: ['X.Y: 1', 'A_B: 1', "A'B: 1", 'A-B: 1'] });
      expect([...named('x.y'), ...named("a'b")]).toEqual([]);
      expect([...named('a_b'), ...named('a-b')]).toHaveLength(2);
    });

    it('leave a host alone that would be none, and nothing breaks out of its line', async () => {
      await place.use([
        {
          type: 'request-values',
          set: [
            ['Host', [header('x-host')]],
            ['X-Path', [fact('normal-path')]],
          ],
        },
      ]);
      await place.ask({ path: '/a%0d%0aX-Evil:%201', lines: ['X-Host: a b'] });
      expect(named('host')).toEqual(['Host: a.example']);
      expect(named('x-path')).toEqual(['X-Path: /a%0D%0AX-Evil: 1']);
    });

    it('are left out where they cannot be, and refuse all where conditions cannot be asked', async () => {
      await place.use([{ type: 'request-values', set: [['Content-Length', ['9']]] }]);
      expect((await place.ask()).status).toBe(200);
      expect(place.front.findings.at(-1)).toMatch(/^FW5204 .*belongs to the connection/);
      const when: Condition[] = [{ value: ['x'], test: { type: 'matches', pattern: '(' } }];
      await place.use([{ type: 'request-values', when, set: [] }]);
      expect((await place.ask()).status).toBe(500);
    });
  });

  describe('response-values', () => {
    const values: Filter = {
      type: 'response-values',
      set: [
        ['X-Path', [fact('path')]],
        ['Server', []],
      ],
      add: [['X-Tag', ['<', { of: 'response-header', name: 'etag' }, '>']]],
      remove: ['X-Gone'],
    };

    it('change responses', async () => {
      await place.use([values]);
      place.app.answer(
        'HTTP/1.1 200 OK\r\nServer: x\r\nX-Tag: a\r\nX-Gone: 1\r\nETag: "1"\r\nContent-Length: 0\r\n\r\n',
      );
      const { headers } = await place.ask({ path: '/x' });
      expect(headers).toMatchObject({ 'x-path': '/x', 'x-tag': 'a, <"1">' });
      expect(headers).not.toHaveProperty('server');
      expect(headers).not.toHaveProperty('x-gone');
    });

    it('change answers made here, those of gates before them included', async () => {
      await place.use([{ type: 'ip-access', allow: ['192.0.2.1'], deny: [], status: 403 }, values]);
      expect(await place.ask({ path: '/x' })).toMatchObject({
        status: 403,
        headers: { 'x-path': '/x', 'x-tag': '<>' },
      });
    });

    it('are for some statuses and requests only', async () => {
      const constant: Filter = { type: 'response-values', statuses: [404], set: [['X-A', ['1']]], add: [], remove: [] };
      await place.use([constant, { ...values, when: [given(header('x-do'))] }]);
      expect((await place.ask({ lines: ['X-Do: 1'] })).headers).toHaveProperty('x-path');
      expect((await place.ask()).headers).not.toHaveProperty('x-a');
      place.app.answer(answer(404));
      const { headers } = await place.ask();
      expect(headers).toHaveProperty('x-a');
      expect(headers).not.toHaveProperty('x-path');
    });

    it('of one share are for its requests', async () => {
      await place.use([], { action: { type: 'forward', backends: [share('app', 1, [values])] } });
      expect((await place.ask({ path: '/x' })).headers).toMatchObject({ 'x-path': '/x' });
    });
  });

  describe('gates', () => {
    const teapot: Filter = { type: 'respond', when: [], status: 418, reason: 'a teapot' };
    const nobody: Filter = { type: 'ip-access', allow: ['192.0.2.1'], deny: [], status: 403 };

    it('come in the order of the list where the route says so', async () => {
      await place.use([auth(), nobody, teapot], { gates: 'as-listed' });
      place.helper.answer(answer(401));
      expect((await place.ask()).status).toBe(401);
      place.helper.answer(OK);
      expect((await place.ask()).status).toBe(403);
      await place.use([teapot, nobody, auth()], { gates: 'as-listed' });
      expect((await place.ask()).status).toBe(418);
      expect(place.helper.requests).toHaveLength(2);
    });

    it('come in their own order elsewhere', async () => {
      await place.use([auth(), nobody]);
      expect((await place.ask()).status).toBe(403);
      expect(place.helper.requests).toEqual([]);
    });
  });

  it('unlogged requests are answered as all others', async () => {
    await place.use([], { unlogged: true });
    const before = place.front.records.length;
    expect((await place.ask()).status).toBe(200);
    await place.use([]);
    await place.ask({ path: '/logged' });
    expect(await place.front.record(before + 1)).toMatchObject({ target: '/logged' });
  });

  describe('questions', () => {
    it('are made of the request', async () => {
      await place.use([
        auth({
          path: { type: 'template', value: ['check/', header('x-tenant'), '?u=', fact('escaped-uri')] },
          values: [
            ['X-Tenant', [header('x-tenant')]],
            ['X-Empty', [header('x-none')]],
          ],
          signIn: {
            url: ['https://', fact('hostname'), '/in?x=', header('x-tenant')],
            parameter: 'rd',
            statuses: [401],
          },
        }),
      ]);
      place.helper.answer(answer(401));
      const got = await place.ask({ path: '/a?b', lines: ['X-Tenant: a #b'] });
      expect(place.helper.requests[0]!.line).toBe('GET /check/a%20%23b?u=%2Fa%3Fb HTTP/1.1');
      const tenants = place.helper.requests[0]!.lines.filter((line) => /^x-(tenant|empty)/i.test(line));
      expect(tenants).toEqual(['X-Tenant: a #b']);
      expect(got).toMatchObject({
        status: 302,
        headers: { location: 'https://a.example/in?x=a%20#b&rd=http%3A%2F%2Fa.example%2Fa%3Fb' },
      });
    });

    it('go to sign in with a parameter of their own', async () => {
      const url = ['https://login/?rd=', fact('escaped-uri')];
      await place.use([auth({ signIn: { url, parameter: 'rd', statuses: [401] } })]);
      place.helper.answer(answer(401));
      expect((await place.ask({ path: '/a?b' })).headers['location']).toBe('https://login/?rd=%2Fa%3Fb');
    });

    it('are answered from memory by a key of choice', async () => {
      const cache = { zone: 'k', headers: [], lifetimes: [{ statuses: [200], ttlMs: 60_000 }] };
      await place.use([auth({ cache: { ...cache, key: [{ of: 'cookie', name: 'sid' }] } })]);
      for (const sid of ['a,1', 'a,2', 'a,1']) await place.ask({ path: `/${sid}`, lines: [`Cookie: sid=${sid}`] });
      expect(place.helper.requests).toHaveLength(2);
    });

    it.each([
      auth({ path: { type: 'template', value: [{ of: 'response-header', name: 'x' }] } }),
      auth({ values: [['Host', ['x']]] }),
      auth({ signIn: { url: [{ of: 'response-header', name: 'x' }], parameter: 'rd', statuses: [401] } }),
    ])('that cannot be put keep all out', async (filter) => {
      await place.use([filter]);
      expect((await place.ask()).status).toBe(500);
    });

    it('about pages for errors are made of the request', async () => {
      await place.use([
        {
          type: 'error-pages',
          backend: 'helper',
          statuses: [503],
          ownAnswers: false,
          path: '/',
          statusHeader: 'X-Code',
          facts: [],
          copyHeaders: [],
          setHeaders: [],
          values: [['X-Where', [fact('host'), fact('path')]]],
        },
      ]);
      place.app.answer(answer(503));
      expect((await place.ask({ path: '/x' })).status).toBe(200);
      expect(place.helper.requests[0]!.lines).toContain('X-Where: a.example/x');
    });
  });
});
