/** What a user does with the experimental fields and kinds of the Gateway API, with real traffic. */
import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Gateway, HTTPRoute, XBackend, XBackendTrafficPolicy } from '../../src/kube/types/index.ts';
import { type AuthorizationServer, authorizationServer } from '../../src/proxy/testing/authorization-server.ts';
import { apiOf, ask, canBind, conditionsOf, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { app, backendRef, gateway, httpRoute, type Manifest, stream } from '../support/manifests.ts';
import { type Asked, podless, type StandIn, startStandIn } from '../support/stand-ins.ts';

const routes = '/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes';
const gateways = '/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways';

const asksHttp = (more: Manifest = {}, http: Manifest = {}): Manifest => ({
  type: 'ExternalAuth',
  externalAuth: { protocol: 'HTTP', backendRef: backendRef('auth'), http, ...more },
});
const asksGrpc = (more: Manifest = {}): Manifest => ({
  type: 'ExternalAuth',
  externalAuth: { protocol: 'GRPC', backendRef: backendRef('authz'), grpc: {}, ...more },
});
const guarded = (name: string, filter: Manifest): Manifest =>
  httpRoute(name, 'gw', [{ filters: [filter], backendRefs: [backendRef('web')] }], { hostnames: [`${name}.example`] });

const experimental = 'gateway.networking.x-k8s.io';
const trafficPolicy = (service: string, spec: Manifest): Manifest => ({
  ...{ apiVersion: `${experimental}/v1alpha1`, kind: 'XBackendTrafficPolicy', metadata: { name: service } },
  spec: { targetRefs: [{ group: '', kind: 'Service', name: service }], ...spec },
});
const outside = (name: string, hostname: string, port: number): Manifest => ({
  ...{ apiVersion: `${experimental}/v1alpha1`, kind: 'XBackend', metadata: { name } },
  spec: { type: 'ExternalHostname', externalHostname: { hostname }, port: { port } },
});
const external = (name: string): Manifest => ({ group: experimental, kind: 'XBackend', name });

describe.skipIf(!canBind)('experimental fields of the Gateway API', () => {
  const asked: Asked[] = [];
  let auth: StandIn;
  let flaky: StandIn;
  /** Addresses of names outside. */
  const names: Record<string, string[]> = { 'outside.example': ['127.0.0.1'], 'metadata.example': ['169.254.169.254'] };
  let authz: AuthorizationServer;
  let door: TestDoor;
  const addressOf = (name: string) => door.summary.gateways.find((one) => one.name === name)!.addresses[0]!;
  const get = (host: string, headers: Record<string, string> = {}, more: object = {}) =>
    ask({ address: addressOf('gw'), host: `${host}.example`, headers, ...more });
  const parentsOf = (name: string) =>
    door.store.get<HTTPRoute>('httproutes.gateway.networking.k8s.io', `default/${name}`)?.status?.parents ?? [];

  beforeAll(async () => {
    const answer: RequestListener = ({ headers }, response) => {
      const isKnown = headers.authorization === 'Bearer good';
      response.writeHead(isKnown ? 200 : 401, { 'x-user': 'ada', 'x-more': 'm', 'www-authenticate': 'Bearer' });
      response.end(isKnown ? '' : 'who are you?');
    };
    auth = await startStandIn('auth', asked, answer);
    authz = await authorizationServer('127.0.0.1');
    flaky = await startStandIn('flaky', asked, (_, response) => response.writeHead(500).end('no'));
    door = await openDoor(-10, {
      paths: ['-'],
      stdin: stream(
        podless('auth'),
        podless('authz'),
        ...app('web'),
        gateway('gw'),
        guarded('plain', asksHttp()),
        guarded('listed', asksHttp({ forwardBody: { maxSize: 10 } }, { path: '/check', allowedHeaders: ['X-A'], allowedResponseHeaders: ['X-User'] })), // biome-ignore format: one line
        guarded('calls', asksGrpc({ forwardBody: { maxSize: 10 } })),
        guarded('gone', asksHttp({ backendRef: backendRef('nobody') })),
        podless('flaky'),
        ...app('sticky', { replicas: 3 }),
        trafficPolicy('flaky', {
          retryConstraint: { budget: { percent: 0 }, minRetryRate: { count: 1, interval: '1h' } },
        }),
        trafficPolicy('sticky', { sessionPersistence: { sessionName: 'shop' } }),
        httpRoute('flaky', 'gw', [{ retry: { attempts: 3, codes: [500] }, backendRefs: [backendRef('flaky')] }], { hostnames: ['flaky.example'] }), // biome-ignore format: one line
        httpRoute('sticky', 'gw', [{ backendRefs: [backendRef('sticky')] }], { hostnames: ['sticky.example'] }),
        outside('far', 'outside.example', auth.port),
        outside('inside', 'metadata.example', 80),
        httpRoute(
          'far',
          'gw',
          [
            { matches: [{ path: { value: '/in' } }], backendRefs: [external('inside')] },
            { backendRefs: [external('far')] },
          ],
          { hostnames: ['far.example'] },
        ),
      ),
      external: {
        allowed: ['127.0.0.1'],
        resolve: async (hostname) => (names[hostname] ?? []).map((address) => ({ address, ttl: 1 })),
        minTtlMs: 50,
        retryMs: 50,
      },
      backends: [
        { namespace: 'default', service: 'flaky', host: '127.0.0.1', targetPort: flaky.port },
        { namespace: 'default', service: 'auth', host: '127.0.0.1', targetPort: auth.port },
        { namespace: 'default', service: 'authz', host: '127.0.0.1', targetPort: authz.port },
      ],
    });
  });
  afterAll(async () => {
    await door?.close(0);
    auth?.server.close();
    flaky?.server.close();
    authz?.close();
  });
  beforeEach(() => {
    asked.length = 0;
    authz.asked.length = 0;
  });

  describe('ExternalAuth over HTTP', () => {
    it('passes the answer of the service on, and lets in with its headers', async () => {
      const denied = await get('plain', { 'x-a': '1' }, { path: '/shop?q=1' });
      expect(denied).toMatchObject({ status: 401, text: 'who are you?', headers: { 'www-authenticate': 'Bearer' } });
      const got = await get(
        'plain',
        { authorization: 'Bearer good', 'x-user': 'root', 'x-a': '1' },
        { path: '/shop?q=1' },
      );
      expect(got.status).toBe(200);
      expect(got.echo.headers).toMatchObject({ 'X-User': ['ada'], 'X-More': ['m'], Authorization: ['Bearer good'] });
      const [, seen] = asked;
      expect(seen).toMatchObject({ url: '/shop?q=1', headers: { host: 'plain.example', 'content-length': '0' } });
      expect(Object.keys(seen!.headers)).not.toContain('x-a');
    });

    it('sends and copies what is listed, below the path, with bodies that are not too large', async () => {
      const headers = { authorization: 'Bearer good', 'x-a': '1', 'x-b': '2' };
      const got = await get('listed', headers, { method: 'POST', body: 'small', path: '/shop' });
      expect(got.echo.headers).toMatchObject({ 'X-User': ['ada'] });
      expect(Object.keys(got.echo.headers)).not.toContain('X-More');
      expect(asked[0]).toMatchObject({ url: '/check/shop', headers: { 'x-a': '1', 'content-length': '5' } });
      expect(Object.keys(asked[0]!.headers)).not.toContain('x-b');
      expect((await get('listed', headers, { method: 'POST', body: 'x'.repeat(11) })).status).toBe(413);
      expect(asked).toHaveLength(1);
    });

    it('lets nobody in where there is nobody to ask, and says so', async () => {
      expect((await get('gone', { authorization: 'Bearer good' })).status).toBe(500);
      expect(conditionsOf(parentsOf('gone')[0]?.conditions)).toContain('ResolvedRefs=False(BackendNotFound)');
    });
  });

  describe('ExternalAuth over gRPC', () => {
    it('lets in as the service says, and denies', async () => {
      const set = (key: string, value: string) => ({ header: { key, value } });
      authz.answer(({ request: { http } }) =>
        http.headers?.['authorization'] === 'Bearer good'
          ? { status: {}, ok_response: { headers: [set('X-User', 'ada')], response_headers_to_add: [set('X-Seen', 'yes')], headers_to_remove: ['authorization'] } } // biome-ignore format: one line
          : { status: { code: 16 }, denied_response: { status: { code: 401 }, body: 'who?' } },
      );
      expect(await get('calls')).toMatchObject({ status: 401, text: 'who?' });
      const got = await get('calls', { authorization: 'Bearer good' }, { method: 'POST', body: 'small', path: '/a?b' });
      expect(got).toMatchObject({ status: 200, headers: { 'x-seen': 'yes' } });
      expect(got.echo.headers).toMatchObject({ 'X-User': ['ada'] });
      expect(Object.keys(got.echo.headers)).not.toContain('Authorization');
      expect(authz.asked[1]!.request.http).toMatchObject({ method: 'POST', path: '/a?b', host: 'calls.example', body: 'small' }); // biome-ignore format: one line
    });
  });

  describe('default Gateways', () => {
    const api = () => apiOf(door);
    const route = {
      useDefaultGateways: 'All',
      hostnames: ['any.example'],
      rules: [{ backendRefs: [backendRef('web')] }],
    };

    it('carry routes that name none, from when they are default until they are not', async () => {
      await api().create(routes, { ...httpRoute('any', 'gw', []), spec: route });
      await door.settled();
      expect((await get('any')).status).toBe(404);
      expect(parentsOf('any')).toEqual([]);
      await api().patch(`${gateways}/gw`, { spec: { defaultScope: 'All' } });
      await eventually(
        () => get('any'),
        ({ status }) => status === 200,
      );
      await eventually(
        async () => parentsOf('any').length,
        (count) => count === 1,
      );
      expect(parentsOf('any')[0]).toMatchObject({
        parentRef: { kind: 'Gateway', namespace: 'default', name: 'gw' },
        controllerName: 'fairway.dev/gateway',
      });
      expect(conditionsOf(parentsOf('any')[0]!.conditions)).toContain('Accepted=True(Accepted)');
      const { status } = door.store.get<Gateway>('gateways.gateway.networking.k8s.io', 'default/gw')!;
      expect(conditionsOf(status?.conditions)).toContain('DefaultGateway=True(DefaultGateway)');
      await api().patch(`${gateways}/gw`, { spec: { defaultScope: null } });
      await eventually(
        () => get('any'),
        (answer) => answer.status === 404,
      );
      await eventually(
        async () => parentsOf('any').length,
        (count) => count === 0,
      );
    });
  });

  describe('XBackendTrafficPolicy', () => {
    it('keeps retries within the budget, and answers 503 beyond it', async () => {
      expect((await get('flaky')).status).toBe(503);
      expect(asked).toHaveLength(2);
      expect((await get('flaky')).status).toBe(503);
      expect(asked).toHaveLength(3);
      const policy = door.store.get<XBackendTrafficPolicy>(`xbackendtrafficpolicies.${experimental}`, 'default/flaky')!;
      expect(policy.status?.ancestors).toMatchObject([
        { ancestorRef: { name: 'gw' }, controllerName: 'fairway.dev/gateway' },
      ]);
      expect(conditionsOf(policy.status?.ancestors[0]?.conditions)).toEqual(['Accepted=True(Accepted)']);
    });

    it('keeps sessions with their Pod', async () => {
      const first = await get('sticky');
      const [cookie = ''] = first.headers['set-cookie'] ?? [];
      expect(cookie).toMatch(/^shop=[^;]+; Path=\/; SameSite=Lax; HttpOnly$/);
      const pods = new Set<string>();
      for (let i = 0; i < 6; i++) pods.add((await get('sticky', { cookie: cookie.split(';')[0]! })).echo.pod);
      expect([...pods]).toEqual([first.echo.pod]);
    });
  });

  describe('XBackend', () => {
    const found = () => door.store.get<XBackend>(`xbackends.${experimental}`, 'default/far')?.status?.parents;

    it('is what its name leads to, for as long as it does', async () => {
      await eventually(
        () => get('far'),
        ({ status }) => status === 401,
      );
      expect(asked.at(-1)).toMatchObject({ at: 'auth', headers: { host: 'far.example' } });
      expect(found()).toMatchObject([{ parentRef: { kind: 'Gateway', namespace: 'default', name: 'gw' } }]);
      expect(conditionsOf(found()![0]!.conditions)).toEqual(['Accepted=True(Accepted)']);
      names['outside.example'] = [];
      await eventually(
        () => get('far'),
        ({ status }) => status === 503,
      );
      names['outside.example'] = ['127.0.0.1'];
      await eventually(
        () => get('far'),
        ({ status }) => status === 401,
      );
    });

    it('never leads to a metadata service', async () => {
      expect((await get('far', {}, { path: '/in' })).status).toBe(503);
      const findings = door.diagnostics().filter(({ code }) => code === 'FW3417');
      expect(findings.map(({ message }) => message).join()).toMatch(/metadata\.example leads to 169\.254\.169\.254/);
    });
  });
});
