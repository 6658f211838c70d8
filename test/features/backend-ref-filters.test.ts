/** Filters of a single backendRef, through the data plane: what falls to that backend is changed, redirected or answered. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, canBind, openDoor, type TestDoor } from '../support/door.ts';
import { app, backendRef, gateway, httpRoute, stream } from '../support/manifests.ts';

const rule = (path: string, ...filters: object[]) => ({
  matches: [{ path: { type: 'PathPrefix', value: path } }],
  backendRefs: [backendRef('one', { filters })],
});
const redirect = {
  type: 'RequestRedirect',
  requestRedirect: {
    hostname: 'other.example',
    statusCode: 301,
    path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/to' },
  },
};

describe.skipIf(!canBind)('filters of a backendRef', () => {
  let door: TestDoor;
  const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    ask({ address: door.summary.gateways[0]!.addresses[0]!, host: 'a.example', path, headers, method });

  beforeAll(async () => {
    door = await openDoor(-5, {
      paths: ['-'],
      stdin: stream(
        ...app('one'),
        gateway('gw'),
        httpRoute('filtered', 'gw', [
          rule('/rewrite', {
            type: 'URLRewrite',
            urlRewrite: { hostname: 'b.example', path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/new' } },
          }),
          rule('/redirect', redirect),
          rule('/cors', { type: 'CORS', cors: { allowOrigins: ['https://a.example'], allowMethods: ['PUT'] } }),
          {
            matches: [{ path: { type: 'PathPrefix', value: '/half' } }],
            backendRefs: [backendRef('one', { filters: [redirect] }), backendRef('one')],
          },
          {
            matches: [{ path: { type: 'PathPrefix', value: '/gone' } }],
            backendRefs: [backendRef('absent', { filters: [redirect] })],
          },
        ]),
      ),
    });
  });
  afterAll(() => door.close(0));

  it('URLRewrite: host and path that the backend sees', async () => {
    const { echo } = await get('/rewrite/a?b=c');
    expect([echo.host, echo.path]).toEqual(['b.example', '/new/a?b=c']);
  });

  it('RequestRedirect: the share is redirected, the others are forwarded', async () => {
    const { status, headers } = await get('/redirect/a?b=c');
    expect([status, headers.location]).toEqual([301, 'http://other.example/to/a?b=c']);
    const statuses = [];
    for (let i = 0; i < 8; i++) statuses.push((await get('/half')).status);
    expect(statuses.toSorted()).toEqual([200, 200, 200, 200, 301, 301, 301, 301]);
  });

  it('a reference that leads nowhere is an error, whatever its filters', async () => {
    expect((await get('/gone')).status).toBe(500);
  });

  it('CORS: preflight requests are answered', async () => {
    const { status, headers } = await get(
      '/cors',
      { origin: 'https://a.example', 'access-control-request-method': 'PUT' },
      'OPTIONS',
    );
    expect([status, headers['access-control-allow-origin'], headers['access-control-allow-methods']]).toEqual([
      204,
      'https://a.example',
      'PUT',
    ]);
  });
});
