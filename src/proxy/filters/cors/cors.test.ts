/** Cases of the Gateway API suite (HTTPRouteCORS), the wording of HTTPCORSFilter, and what browsers do not forgive. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CorsFilter } from '../../../routing/plan/plan.ts';
import { askFront, type PlainAnswer } from '../../testing/ask.ts';
import { type RecordingBackend, recordingBackend } from '../../testing/backend.ts';
import { createFront } from '../../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route, share } from '../../testing/plans.ts';
import { createOriginTest } from './origins.ts';

describe('origins', () => {
  it.each<[string, string, boolean]>([
    ['*', 'https://a.example', true],
    ['*', 'null', true],
    ['https://www.foo.com', 'https://www.foo.com', true],
    ['https://www.foo.com', 'HTTPS://WWW.foo.com', true],
    ['https://www.foo.com', 'https://www.foo.com:443', true],
    ['https://www.foo.com:443', 'https://www.foo.com', true],
    ['http://www.foo.com', 'http://www.foo.com:80', true],
    ['https://www.foo.com', 'https://www.foo.com:8443', false],
    ['https://www.foo.com', 'http://www.foo.com', false],
    ['https://www.foo.com', 'https://www.foo.com.evil.com', false],
    ['https://www.foo.com', 'https://www.foo.com/', false],
    ['https://www.foo.com', 'https://user@www.foo.com', false],
    ['https://www.foo.com', 'null', false],
    ['https://*.bar.com', 'https://www.bar.com', true],
    ['https://*.bar.com', 'https://xpto.www.bar.com', true],
    ['https://*.bar.com', 'https://bar.com', false],
    ['https://*.bar.com', 'https://.bar.com', false],
    ['https://*.bar.com', 'https://foobar.com', false],
    ['https://*.bar.com', 'https://evil.com#.bar.com', false],
    ['https://*.bar.com', 'http://www.bar.com', false],
    ['https://*.bar.com:8443', 'https://www.bar.com:8443', true],
    ['https://*.bar.com:8443', 'https://www.bar.com', false],
    ['https://*', 'https://any.host.at.all', true],
    ['https://*', 'http://any.host', false],
    ['http://*:8080', 'http://[::1]:8080', true],
    ['http://localhost:3000', 'http://localhost:3000', true],
    ['https://a.com', `https://${'a'.repeat(300)}.com`, false],
    ['nonsense', 'nonsense', false],
  ])('%s and %s: %s', (entry, origin, allowed) => {
    expect(createOriginTest([entry])(origin)).toBe(allowed);
    expect(createOriginTest(['https://other.example', entry])(origin)).toBe(allowed);
  });
});

const address = '127.83.2.10';
const port = 8080;
const front = createFront();
let app: RecordingBackend;

const none: CorsFilter = {
  type: 'cors',
  allowOrigins: [],
  allowMethods: [],
  allowHeaders: [],
  exposeHeaders: [],
  allowCredentials: false,
  maxAgeSeconds: 5,
};
const filters: Record<string, Partial<CorsFilter>> = {
  all: {
    allowOrigins: ['https://www.foo.com', 'https://*.bar.com'],
    allowMethods: ['GET', 'OPTIONS'],
    allowHeaders: ['x-header-1', 'x-header-2'],
    exposeHeaders: ['x-header-3', 'x-header-4'],
    allowCredentials: true,
    maxAgeSeconds: 3600,
  },
  any: { allowOrigins: ['*'], allowMethods: ['*'], allowHeaders: ['*'], exposeHeaders: ['*'] },
  'any-credentials': {
    allowOrigins: ['*'],
    allowMethods: ['*'],
    allowHeaders: ['*'],
    exposeHeaders: ['*'],
    allowCredentials: true,
  },
  nobody: {},
  broken: { allowOrigins: ['https://x y', '*'], allowHeaders: ['a b'], exposeHeaders: ['a\r\nb: c'] },
};

const ask = (path: string, method: string, lines: readonly string[]): Promise<PlainAnswer> =>
  askFront(address, port, { path: `/${path}`, method, lines });
const preflight = (path: string, origin: string, method = 'GET', headers = 'x-header-1, x-header-2') =>
  ask(path, 'OPTIONS', [
    `Origin: ${origin}`,
    `Access-Control-Request-Method: ${method}`,
    ...(headers ? [`Access-Control-Request-Headers: ${headers}`] : []),
  ]);
const sharing = ({ headers }: PlainAnswer) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-') || name === 'vary'));
const preflightVary = 'Access-Control-Request-Method, Access-Control-Request-Headers, Origin';

describe('CORS', () => {
  beforeAll(async () => {
    app = await recordingBackend('127.83.2.11', port);
    app.answer(
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Mine: 1\r\nSet-Cookie: a\r\nAccess-Control-Allow-Origin: https://evil.example\r\nAccess-Control-Allow-Credentials: true\r\n\r\nok',
    );
    const routes = Object.entries(filters).map(([name, filter]) =>
      route({ id: name, match: { path: { type: 'prefix', value: `/${name}` } }, filters: [{ ...none, ...filter }] }),
    );
    const redirect = route({
      id: 'redirect',
      match: { path: { type: 'prefix', value: '/redirect' } },
      filters: [{ ...none, ...filters.all }],
      action: { type: 'redirect', scheme: 'https', status: 301 },
    });
    const empty = route({
      id: 'empty',
      match: { path: { type: 'prefix', value: '/empty' } },
      filters: [{ ...none, ...filters.all }],
      action: { type: 'forward', backends: [share('nobody')] },
    });
    await front.plan(
      planOf(
        [listener(address, port, [host('*', [...routes, redirect, empty, route()])])],
        [backend('app'), backend('nobody')],
      ),
    );
    await front.endpoints({ app: [endpoint('127.83.2.11', port)] });
  });
  afterAll(async () => {
    await front.close();
    await app.close();
  });

  it.each(['https://www.foo.com', 'https://www.bar.com', 'https://xpto.www.bar.com'])(
    'answers a preflight request from %s, and the backend never sees it',
    async (origin) => {
      const before = app.requests.length;
      const answer = await preflight('all', origin);
      expect(answer.status).toBe(204);
      expect(answer.headers['content-length']).toBeUndefined();
      expect(sharing(answer)).toEqual({
        'access-control-allow-origin': origin,
        'access-control-allow-methods': 'GET, OPTIONS',
        'access-control-allow-headers': 'x-header-1, x-header-2',
        'access-control-expose-headers': 'x-header-3, x-header-4',
        'access-control-allow-credentials': 'true',
        'access-control-max-age': '3600',
        vary: preflightVary,
      });
      expect(app.requests.length).toBe(before);
    },
  );

  it('grants nothing to a preflight request from elsewhere', async () => {
    for (const path of ['all', 'nobody']) {
      const answer = await preflight(path, 'https://foobar.com');
      expect(answer.status).toBe(204);
      expect(sharing(answer)).toEqual({ vary: preflightVary });
    }
  });

  it('marks actual responses, instead of the backend', async () => {
    const answer = await ask('all', 'GET', ['Origin: https://www.foo.com']);
    expect(answer.status).toBe(200);
    expect(sharing(answer)).toEqual({
      'access-control-allow-origin': 'https://www.foo.com',
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'x-header-3, x-header-4',
      vary: 'Origin',
    });
    for (const lines of [['Origin: https://foobar.com'], ['Origin: https://www.foo.com', 'Origin: https://b'], []]) {
      const other = await ask('all', 'GET', lines);
      expect(other.status).toBe(200);
      expect(sharing(other)).toEqual({ vary: 'Origin' });
    }
  });

  it('says * without credentials, and what was asked for with them', async () => {
    expect(sharing(await preflight('any', 'https://foobar.com:12345', 'PUT'))).toEqual({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': '*',
      'access-control-allow-headers': '*',
      'access-control-expose-headers': '*',
      'access-control-max-age': '5',
    });
    expect(sharing(await preflight('any-credentials', 'https://other.foo.com', 'PUT'))).toMatchObject({
      'access-control-allow-origin': 'https://other.foo.com',
      'access-control-allow-methods': 'PUT',
      'access-control-allow-headers': 'x-header-1, x-header-2',
      'access-control-allow-credentials': 'true',
      vary: preflightVary,
    });
    const without = await preflight('any-credentials', 'https://other.foo.com', 'PUT', '');
    expect(without.headers).not.toHaveProperty('access-control-allow-headers');
    const odd = await preflight('any-credentials', 'https://other.foo.com', 'P T', 'a b');
    expect(odd.headers).not.toHaveProperty('access-control-allow-methods');
    expect(odd.headers).not.toHaveProperty('access-control-allow-headers');
    const actual = await ask('any-credentials', 'GET', ['Origin: https://other.foo.com']);
    expect(actual.headers['access-control-expose-headers']).toBe('content-length, x-mine, date');
  });

  it('leaves an OPTIONS request alone that is no preflight', async () => {
    const before = app.requests.length;
    expect((await ask('all', 'OPTIONS', ['Origin: https://www.foo.com'])).status).toBe(200);
    expect((await ask('all', 'OPTIONS', ['Access-Control-Request-Method: GET'])).status).toBe(200);
    expect(app.requests.length).toBe(before + 2);
  });

  it('marks redirects and errors made here, so that scripts can see them', async () => {
    const headers = { 'access-control-allow-origin': 'https://www.foo.com' };
    expect(await ask('redirect', 'GET', ['Origin: https://www.foo.com'])).toMatchObject({ status: 301, headers });
    expect(await ask('empty', 'GET', ['Origin: https://www.foo.com'])).toMatchObject({ status: 503, headers });
    expect(await preflight('redirect', 'https://www.foo.com')).toMatchObject({ status: 204, headers });
  });

  it('leaves other routes as they are', async () => {
    const answer = await ask('', 'GET', ['Origin: https://www.foo.com']);
    expect(sharing(answer)).toEqual({
      'access-control-allow-origin': 'https://evil.example',
      'access-control-allow-credentials': 'true',
    });
  });

  it('leaves out what cannot stand in a header, and says so', async () => {
    const answer = await preflight('broken', 'https://a.example');
    expect(answer.status).toBe(204);
    expect(answer.headers).not.toHaveProperty('access-control-allow-headers');
    expect(answer.headers).not.toHaveProperty('access-control-expose-headers');
    expect(front.findings.filter((finding) => finding.startsWith('FW5204 route broken:'))).toHaveLength(3);
  });
});
