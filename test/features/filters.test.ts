/** What a user does with filters of HTTPRoutes beyond headers and rewrites: mirrors and CORS. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explain } from '../../src/insight/explain/explain.ts';
import { parseRequest } from '../../src/insight/explain/request.ts';
import { openWorld } from '../../src/insight/sources.ts';
import type { HTTPRoute, Pod } from '../../src/kube/types/index.ts';
import { type Ask, ask, canBind, conditionsOf, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { app, backendRef, gateway, httpRoute, type Manifest, stream } from '../support/manifests.ts';

const under = (value: string) => ({ matches: [{ path: { type: 'PathPrefix', value } }] });
const mirror = (name: string, more: Manifest = {}) => ({
  type: 'RequestMirror',
  requestMirror: { backendRef: backendRef(name), ...more },
});
const rule = (path: string, filters: readonly Manifest[]) => ({
  ...under(path),
  filters,
  backendRefs: [backendRef('main')],
});

const mirrors = httpRoute('mirrors', 'gw', [
  rule('/all', [mirror('copy-1'), mirror('copy-2')]),
  rule('/fifth', [mirror('copy-1', { percent: 20 })]),
  rule('/third', [mirror('copy-2', { fraction: { numerator: 1, denominator: 3 } })]),
  rule('/changed', [
    { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'X-Set', value: 'yes' }] } },
    mirror('copy-1'),
  ]),
  rule('/lost', [mirror('gone')]),
]);
const cors = httpRoute('cors', 'gw', [
  rule('/cors', [
    {
      type: 'CORS',
      cors: {
        allowOrigins: ['https://www.foo.com', 'https://*.bar.com'],
        allowMethods: ['GET', 'PUT'],
        allowHeaders: ['x-header-1'],
        exposeHeaders: ['x-header-3'],
        allowCredentials: true,
      },
    },
  ]),
]);

describe.skipIf(!canBind)('filters of HTTPRoutes', () => {
  let door: TestDoor;
  const documents = stream(...['main', 'copy-1', 'copy-2'].flatMap((name) => app(name)), gateway('gw'), mirrors, cors);
  const send = (options: Omit<Ask, 'address'>) =>
    ask({ address: door.summary.gateways.find(({ name }) => name === 'gw')!.addresses[0]!, ...options });
  const conditions = (name: string) =>
    conditionsOf(
      door.store.get<HTTPRoute>('httproutes.gateway.networking.k8s.io', `default/${name}`)?.status?.parents[0]
        ?.conditions,
    );
  /** Requests for a path that a Deployment's Pod has logged. */
  const seen = async (name: string, path: string) => {
    const pod = door.store.list<Pod>('pods', 'default').find(({ metadata }) => metadata.name.startsWith(`${name}-`))!;
    const answer = await fetch(`${door.summary.api}/api/v1/namespaces/default/pods/${pod.metadata.name}/log`);
    const lines = (await answer.text()).split('\n');
    return lines.filter((line) => line.includes(`Echoing back request made to ${path} `)).length;
  };

  beforeAll(async () => {
    door = await openDoor(28, { paths: ['-'], stdin: documents });
  });
  afterAll(() => door.close(0));

  it('every request goes to the backend, and a copy to each mirror', async () => {
    const { status, echo } = await send({ path: '/all/1', method: 'POST', body: 'hello' });
    expect([status, echo.pod.slice(0, 4)]).toEqual([200, 'main']);
    for (const name of ['copy-1', 'copy-2'])
      await eventually(
        () => seen(name, '/all/1'),
        (count) => count === 1,
      );
    expect(await seen('main', '/all/1')).toBe(1);
  });

  it('a percentage and a fraction are exact', async () => {
    for (let i = 0; i < 30; i++) await send({ path: '/fifth' });
    for (let i = 0; i < 30; i++) await send({ path: '/third' });
    await eventually(
      () => seen('copy-1', '/fifth'),
      (count) => count >= 6,
    );
    await eventually(
      () => seen('copy-2', '/third'),
      (count) => count >= 10,
    );
    expect([await seen('copy-1', '/fifth'), await seen('copy-2', '/third')]).toEqual([6, 10]);
    expect(await seen('main', '/fifth')).toBe(30);
  });

  it('a mirror that does not exist costs nothing but a condition', async () => {
    expect((await send({ path: '/lost' })).status).toBe(200);
    expect(conditions('mirrors')).toContain('ResolvedRefs=False(BackendNotFound)');
    expect(conditions('mirrors')).toContain('Accepted=True(Accepted)');
    expect(conditions('cors')).toContain('ResolvedRefs=True(ResolvedRefs)');
  });

  it('a preflight request is answered at the door', async () => {
    const headers = {
      origin: 'https://app.bar.com',
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'x-header-1',
    };
    const answer = await send({ path: '/cors/preflight', method: 'OPTIONS', headers });
    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.bar.com',
      'access-control-allow-methods': 'GET, PUT',
      'access-control-allow-headers': 'x-header-1',
      'access-control-allow-credentials': 'true',
      'access-control-max-age': '5',
    });
    expect(await seen('main', '/cors/preflight')).toBe(0);
  });

  it('responses may be read from allowed origins, and from no others', async () => {
    const from = (origin: string) => send({ path: '/cors', headers: { origin } });
    const allowed = await from('https://www.foo.com');
    expect(allowed.status).toBe(200);
    expect(allowed.headers).toMatchObject({
      'access-control-allow-origin': 'https://www.foo.com',
      'access-control-expose-headers': 'x-header-3',
      vary: 'Origin',
    });
    const other = await from('https://foobar.com');
    expect(other.status).toBe(200);
    expect(other.headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('explain shows them', async () => {
    const world = await openWorld({ files: ['-'], stdin: documents, nodeResolvConf: 'nameserver 192.0.2.53\n' });
    const shown = async (path: string) => {
      const request = parseRequest({ url: `http://gw.example${path}` });
      if (!request.ok) throw new Error(request.error);
      return (await explain(world, request.value)).matched?.filters;
    };
    expect(await shown('/fifth')).toEqual(['mirror: copy 20 of 100 requests to default/copy-1:80']);
    expect(await shown('/cors')).toEqual([
      'cors: origins https://www.foo.com https://*.bar.com, methods GET PUT, headers x-header-1, exposed x-header-3, credentials, max age 5 s',
    ]);
  });
});
