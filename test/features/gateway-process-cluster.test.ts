/** `fairway gateway` and what a cluster has or lacks: kinds and versions, Secrets by reference, Services, Ingresses. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readGatewayCrds } from '../../src/kube/schema/crd.ts';
import type { Gateway, GatewayClass, HTTPRoute, Ingress, Unstructured } from '../../src/kube/types/index.ts';
import { apiOf, ask, canBind, conditionsOf, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { httpAnswer, statusBody } from '../support/fault-proxy.ts';
import { app, backendRef, gateway, httpRoute, ingress, path, stream } from '../support/manifests.ts';
import { openReplica, type Replica } from '../support/replica.ts';

if (!canBind) console.log('skipped: the front door on its own addresses needs Linux and root');

const [here, forIngresses] = ['127.77.89.1', '127.77.89.2'] as const;
const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const tcpRoutes = 'tcproutes.gateway.networking.k8s.io';
const encoded = (text: string) => Buffer.from(text).toString('base64');
const alone = { election: undefined } as object;

describe.skipIf(!canBind)('fairway gateway in a cluster', () => {
  let door: TestDoor;
  let replica: Replica | undefined;
  const api = () => apiOf(door);
  const gatewayStatus = () => door.store.get<Gateway>('gateways.gateway.networking.k8s.io', 'default/door')?.status;
  const routeStatus = (name: string) =>
    door.store.get<HTTPRoute>('httproutes.gateway.networking.k8s.io', `default/${name}`)?.status;

  beforeAll(async () => {
    door = await openDoor(19, {
      gateway: false,
      paths: ['-'],
      stdin: stream(
        ...app('web'),
        gateway('door'),
        httpRoute('web', 'door', [{ backendRefs: [backendRef('web')] }], { hostnames: ['web.example.com'] }),
      ),
    });
  });
  afterEach(async () => {
    await replica?.stop();
    replica = undefined;
  });
  afterAll(() => door?.close());

  async function start(options: Parameters<typeof openReplica>[2] = {}): Promise<Replica> {
    replica = await openReplica(door.summary.api, here, { ...alone, ...options });
    await eventually(() => replica!.role.isReady(), Boolean, 10_000);
    return replica;
  }
  const codes = (of: Replica) => of.role.diagnostics().map(({ code, message }) => `${code} ${message.split(' ')[0]}`);

  it('starts before the API does, and is ready only when it has read and delivered everything', async () => {
    replica = await openReplica(door.summary.api, here, alone);
    replica.api.faults = { down: true };
    replica.api.cut();
    await eventually(
      () => codes(replica!),
      (now) => now.some((code) => code.startsWith('FW1602')),
    );
    expect(replica.role.isReady()).toBe(false);
    await expect(ask({ address: here })).rejects.toThrow();
    replica.api.faults = {};
    await eventually(() => replica!.role.isReady(), Boolean);
    expect((await ask({ address: here, host: 'web.example.com' })).status).toBe(200);
  });

  it('changes of a class only the finalizer that keeps it', async () => {
    const resource = 'gatewayclasses.gateway.networking.k8s.io';
    const applied = 'kubectl.kubernetes.io/last-applied-configuration';
    const finalizers = ['example.com/theirs'];
    await api().patch('/apis/gateway.networking.k8s.io/v1/gatewayclasses/fairway', {
      metadata: { annotations: { [applied]: '{}' }, finalizers },
    });
    await start();
    const { metadata } = await eventually(
      () => door.store.get<GatewayClass>(resource, 'fairway')!,
      (found) => (found.metadata.finalizers ?? []).length > 1,
    );
    expect(metadata.finalizers).toEqual([...finalizers, 'gateway-exists-finalizer.gateway.networking.k8s.io']);
    expect(metadata.annotations?.[applied]).toBe('{}');
  });

  it('goes on without a kind that is not served, says so, and picks it up when it comes', async () => {
    await api().remove(`${crds}/${tcpRoutes}`);
    const { role, findings } = await start();
    expect((await ask({ address: here, host: 'web.example.com' })).status).toBe(200);
    expect(codes(replica!)).toEqual([`FW1601 ${tcpRoutes}`]);
    await eventually(
      () => findings.map(({ code }) => code),
      (told) => told.includes('FW1601'),
    );
    await api().create(crds, readGatewayCrds().find(({ metadata }) => metadata.name === tcpRoutes)!);
    await eventually(
      () => role.diagnostics(),
      (now) => now.length === 0,
      15_000,
    );
  });

  it('speaks the older version where only that is served', async () => {
    const name = 'httproutes.gateway.networking.k8s.io';
    const spec = (await api().get(`${crds}/${name}`))['spec'] as { versions: { name: string; served: boolean }[] };
    const served = (v1: boolean) => ({
      spec: { versions: spec.versions.map((each) => ({ ...each, served: each.name === 'v1' ? v1 : each.served })) },
    });
    await api().patch(`${crds}/${name}`, served(false));
    await api().patch('/apis/gateway.networking.k8s.io/v1beta1/namespaces/default/httproutes/web', {
      spec: { hostnames: ['old.example.com'] },
    });
    await start();
    expect((await ask({ address: here, host: 'old.example.com' })).status).toBe(200);
    await eventually(
      () => routeStatus('web')?.parents?.[0]?.conditions?.[0]?.observedGeneration,
      (generation) => generation === 2,
    );
    await api().patch(`${crds}/${name}`, served(true));
  });

  it('reads the Secrets that something refers to and no others', async () => {
    await api().create('/api/v1/namespaces/default/secrets', {
      ...{ apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata: { name: 'nobodys' } },
      data: { password: encoded('x') },
    });
    await api().create('/api/v1/namespaces/default/secrets', {
      ...{ apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata: { name: 'users' } },
      data: { auth: encoded('ada:{SHA}0DPiKuNIrrVmD8IUCuw1hQxNqZc=\n') },
    });
    const closed = ingress(
      'closed',
      { 'closed.example.com': [path('/', 'Prefix', 'web')] },
      { ingressClassName: 'fairway' },
      {
        annotations: {
          'fairway.dev/basic-auth': 'users',
        },
      },
    );
    await api().create('/apis/networking.k8s.io/v1/namespaces/default/ingresses', closed);
    const { role } = await start({ addresses: { listen: here, ingressListen: forIngresses } });
    const host = 'closed.example.com';
    expect((await ask({ address: forIngresses, host })).status).toBe(401);
    const headers = { authorization: `Basic ${encoded('ada:admin')}` };
    expect((await ask({ address: forIngresses, host, headers })).status).toBe(200);
    expect(role.store.list('secrets').map(({ metadata }) => metadata.name)).toEqual(['users']);
    const shown = () => door.store.get<Ingress>('ingresses.networking.k8s.io', 'default/closed')?.status?.loadBalancer;
    await eventually(shown, (now) => now?.ingress?.[0]?.ip === forIngresses);
    // Where the address is shared, the older Gateway keeps its port.
    await replica!.stop();
    await start();
    expect((await ask({ address: here, host: 'old.example.com' })).status).toBe(200);
    expect(codes(replica!)).toEqual(['FW1605 the']);
    await eventually(shown, (now) => (now?.ingress ?? []).length === 0);
    await api().remove('/apis/networking.k8s.io/v1/namespaces/default/ingresses/closed');
  });

  it('shows the addresses of a Service, as they come and go', async () => {
    const service = {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'front' } },
      spec: { type: 'LoadBalancer', ports: [{ port: 80 }], allocateLoadBalancerNodePorts: false },
    };
    await start({ addresses: { listen: here, publishService: 'default/front' } });
    await eventually(
      () => conditionsOf(gatewayStatus()?.conditions),
      (now) => now.includes('Programmed=False(AddressNotAssigned)'),
    );
    expect(codes(replica!)).toEqual(['FW1606 statuses']);
    await api().create('/api/v1/namespaces/default/services', service);
    const { addresses } = await eventually(
      () => ({ addresses: gatewayStatus()?.addresses ?? [], conditions: conditionsOf(gatewayStatus()?.conditions) }),
      ({ conditions }) => conditions.includes('Programmed=True(Programmed)'),
    );
    const stored = door.store.get<Unstructured>('services', 'default/front')?.['status'];
    const { ingress: balanced } = (stored as { loadBalancer: { ingress: { ip: string }[] } }).loadBalancer;
    expect(addresses).toEqual(balanced.map(({ ip }) => ({ type: 'IPAddress', value: ip })));
  });

  it('serves all the same when it may not take the Lease, and says that nobody writes', async () => {
    const election = {
      namespace: 'default',
      name: 'forbidden',
      identity: 'x',
      leaseMs: 300,
      renewDeadlineMs: 200,
      retryMs: 50,
    };
    replica = await openReplica(door.summary.api, here, { election });
    replica.api.faults = {
      answer: (line) => (line.includes('/leases') ? httpAnswer(403, statusBody(403, 'Forbidden')) : undefined),
    };
    await eventually(() => replica!.role.isReady(), Boolean);
    await eventually(
      () => codes(replica!).map((code) => code.slice(0, 6)),
      (now) => now.includes('FW1607'),
    );
    expect((await ask({ address: here, host: 'old.example.com' })).status).toBe(200);
    expect(replica.patches()).toBe(0);
  });
});
