/** What a newcomer does with examples/front-door: names, Ingress, Gateway, TLS, weights, StatefulSet names. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/package-root.ts';
import type { Gateway, HTTPRoute, Ingress, Pod } from '../../src/kube/types/index.ts';
import { askDns } from '../support/dns.ts';
import { ask, canBind, openDoor, type TestDoor } from '../support/door.ts';

if (!canBind) console.log('skipped: the front door on its own addresses needs Linux and root');

describe.skipIf(!canBind)('examples/front-door', () => {
  let door: TestDoor;
  let ingress: string;
  let gateway: string;
  let dns: { address: string; port: number };

  beforeAll(async () => {
    door = await openDoor(1, { paths: [join(packageRoot, 'examples/front-door')] });
    ingress = door.config.ingressAddress;
    gateway = door.summary.gateways[0]!.addresses[0]!;
    dns = door.summary.dns[0]!;
  });
  afterAll(() => door.close(0));

  it('starts without findings that call for action', () => {
    expect(door.summary.diagnostics.filter(({ severity }) => severity !== 'info')).toEqual([]);
  });

  it.each([
    ['api.example.com', '/v1', 'api-v1-'],
    ['api.example.com', '/v1/users?id=1', 'api-v1-'],
    ['api.example.com', '/v2/', 'api-v2-'],
    ['web.example.com', '/anything', 'web-frontend-'],
  ])('an Ingress leads %s%s to %s', async (host, path, pod) => {
    const { status, echo } = await ask({ address: ingress, host, path });
    expect(status).toBe(200);
    expect(echo).toMatchObject({ path, host, namespace: 'default' });
    expect(echo.pod).toMatch(new RegExp(`^${pod}`));
  });

  it('answers 404 for a path and for a host that nobody serves', async () => {
    expect((await ask({ address: ingress, host: 'api.example.com', path: '/v3' })).status).toBe(404);
    expect((await ask({ address: ingress, host: 'nobody.example.com' })).status).toBe(404);
  });

  it('serves the API over TLS with the certificate of its Secret', async () => {
    const { status, echo } = await ask({ address: ingress, host: 'api.example.com', path: '/v1', tls: true });
    expect(status).toBe(200);
    expect(echo.headers['X-Forwarded-Proto']).toEqual(['https']);
  });

  it('splits 90 to 10 on the Gateway, exactly over a hundred requests', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => ask({ address: gateway, host: 'canary.example.com' })),
    );
    const versions = answers.map(({ echo }) => echo.pod.slice(0, 6));
    expect(versions.filter((version) => version === 'api-v1')).toHaveLength(90);
    expect(versions.filter((version) => version === 'api-v2')).toHaveLength(10);
  });

  it('rewrites old paths and says so in a header', async () => {
    const { echo } = await ask({ address: gateway, host: 'api.example.com', path: '/legacy/users?q=1' });
    expect(echo.path).toBe('/v1/users?q=1');
    expect(echo.headers['X-Legacy-Path']).toEqual(['true']);
  });

  it('takes turns among the Pods of a Service address', async () => {
    const service = door.summary.services.find(({ name }) => name === 'web-frontend')!;
    const pods = new Set<string>();
    for (let i = 0; i < 6; i++) pods.add((await ask({ address: service.clusterIP!, port: 80 })).echo.pod);
    expect(pods.size).toBe(2);
  });

  it('resolves Services, Pods of a StatefulSet, external and public names', async () => {
    const service = door.summary.services.find(({ name }) => name === 'api-v1')!;
    expect((await askDns(dns, 'api-v1.default.svc.cluster.local')).data('A')).toEqual([service.clusterIP]);
    const member = door.store.get<Pod>('pods', 'default/mysql-1')!;
    expect((await askDns(dns, 'mysql-1.mysql.default.svc.cluster.local')).data('A')).toEqual([member.status!.podIP]);
    expect((await askDns(dns, 'mysql.default.svc.cluster.local')).data('A')).toHaveLength(2);
    expect((await askDns(dns, '_mysql._tcp.mysql.default.svc.cluster.local', 'SRV')).data('SRV').sort()).toEqual([
      'mysql-0.mysql.default.svc.cluster.local:3306',
      'mysql-1.mysql.default.svc.cluster.local:3306',
    ]);
    expect((await askDns(dns, 'payments.default.svc.cluster.local', 'CNAME')).data('CNAME')).toEqual([
      'payments.example.net',
    ]);
    expect((await askDns(dns, 'web.example.com')).data('A')).toEqual([ingress]);
    expect((await askDns(dns, 'canary.example.com')).data('A')).toEqual([gateway]);
    expect((await askDns(dns, 'nothing.default.svc.cluster.local')).rcode).toBe('NXDOMAIN');
    expect((await askDns(dns, 'dns-version.cluster.local', 'TXT')).data('TXT')).toEqual(['1.1.0']);
  });

  it('writes the statuses that a cluster would show', () => {
    expect(door.store.get<Ingress>('ingresses.networking.k8s.io', 'default/front-door')!.status).toEqual({
      loadBalancer: { ingress: [{ ip: ingress }] },
    });
    const conditions = (list: readonly { type: string; status: string }[] | undefined) =>
      Object.fromEntries((list ?? []).map(({ type, status }) => [type, status]));
    const stored = door.store.get<Gateway>('gateways.gateway.networking.k8s.io', 'default/external-gateway')!;
    expect(conditions(stored.status?.conditions)).toMatchObject({ Accepted: 'True', Programmed: 'True' });
    expect(stored.status?.addresses).toEqual([{ type: 'IPAddress', value: gateway }]);
    expect(stored.status?.listeners?.map(({ name, attachedRoutes }) => [name, attachedRoutes])).toEqual([
      ['http', 2],
      ['https', 1],
    ]);
    for (const name of ['canary', 'legacy']) {
      const route = door.store.get<HTTPRoute>('httproutes.gateway.networking.k8s.io', `default/${name}`)!;
      expect(route.status?.parents).toHaveLength(1);
      expect(conditions(route.status?.parents[0]?.conditions)).toEqual({ Accepted: 'True', ResolvedRefs: 'True' });
    }
  });
});
