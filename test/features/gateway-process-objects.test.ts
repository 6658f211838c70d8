/** What `fairway gateway` writes besides statuses: Services of Gateways, the finalizer of classes, Events. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcessOptions } from '../../src/control/cluster/gateway-process.ts';
import type { EndpointSlice, GatewayClass, HTTPRoute, Service, Unstructured } from '../../src/kube/types/index.ts';
import { apiOf, ask, canBind, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { httpAnswer, statusBody } from '../support/fault-proxy.ts';
import { app, backendRef, gateway, gatewayVersion, httpRoute, stream } from '../support/manifests.ts';
import { openReplica, quickLease, type Replica } from '../support/replica.ts';

if (!canBind) console.log('skipped: the front door on its own addresses needs Linux and root');

const [first, second] = ['127.77.92.1', '127.77.92.2'] as const;
const finalizer = 'gateway-exists-finalizer.gateway.networking.k8s.io';
const gatewayGroup = 'gateway.networking.k8s.io';
const gateways = `/apis/${gatewayGroup}/v1/namespaces/default/gateways`;
const routes = `/apis/${gatewayGroup}/v1/namespaces/default/httproutes`;
const classes = `/apis/${gatewayGroup}/v1/gatewayclasses`;
const services = '/api/v1/namespaces/default/services';
const host = 'web.example.com';
const innerClass = {
  ...{ apiVersion: gatewayVersion, kind: 'GatewayClass', metadata: { name: 'inner' } },
  spec: { controllerName: 'example.com/inner' },
};
const innerGateway = (name: string) => {
  const made = gateway(name);
  return { ...made, spec: { ...(made['spec'] as object), gatewayClassName: 'inner' } };
};

describe.skipIf(!canBind)('what fairway gateway writes', () => {
  let door: TestDoor;
  let replicas: Replica[] = [];
  /** Writes of everything but statuses and Leases. */
  let writes: string[] = [];
  const api = () => apiOf(door);
  const service = (name: string) => door.store.get<Service>('services', `default/${name}`);
  const slice = (name: string) => door.store.get<EndpointSlice>('endpointslices.discovery.k8s.io', `default/${name}`);
  const classOf = (name: string) => door.store.get<GatewayClass>(`gatewayclasses.${gatewayGroup}`, name);
  const events = (of: string) =>
    (
      door.store.list('events') as unknown as (Unstructured & { message: string; involvedObject: { name: string } })[]
    ).filter(({ involvedObject }) => involvedObject.name === of);
  const quiet = () => new Promise((resume) => setTimeout(resume, 400));

  beforeAll(async () => {
    door = await openDoor(5, {
      ...{ gateway: false, paths: ['-'] },
      stdin: stream(
        ...app('web'),
        gateway('door'),
        innerClass,
        httpRoute('web', 'door', [{ backendRefs: [backendRef('web')] }], { hostnames: [host] }),
      ),
    });
    const relevant = /^(services|endpointslices|gatewayclasses|events)/;
    door.store.subscribe(({ type, resource, object, previous }) => {
      const isStatus = previous && (object as Unstructured).status !== (previous as Unstructured).status;
      if (relevant.test(resource) && !isStatus) writes.push(`${type} ${object.kind} ${object.metadata.name}`);
    });
  });
  afterEach(async () => {
    await Promise.all(replicas.map((replica) => replica.stop()));
    replicas = [];
  });
  afterAll(() => door?.close());

  async function start(listen: string = first, options: Partial<GatewayProcessOptions> = {}): Promise<Replica> {
    const given = { events: { instance: listen }, ...options };
    const replica = await openReplica(door.summary.api, listen, given);
    replicas.push(replica);
    await eventually(() => replica.role.isReady(), Boolean, 10_000);
    return replica;
  }
  const leads = (replica: Replica) => eventually(() => replica.role.isLeader(), Boolean, 8000);

  it('a Service by whose name Pods reach the Gateway, and the finalizer of its class', async () => {
    await start();
    const { spec } = await eventually(
      () => service('door-fairway')!,
      (found) => found?.spec.clusterIP !== undefined,
    );
    await eventually(
      () => slice('door-fairway-ipv4')?.endpoints.flatMap(({ addresses }) => addresses),
      (addresses) => addresses?.[0] === first,
    );
    const reached = () => ask({ address: spec.clusterIP!, host }).catch(() => undefined);
    await eventually(reached, (answer) => answer?.status === 200);
    expect(classOf('fairway')?.metadata.finalizers).toEqual([finalizer]);
    expect(classOf('inner')?.metadata.finalizers ?? []).toEqual([]);
  });

  it('nothing when a replica starts, and nothing is different', async () => {
    writes = [];
    await leads(await start());
    await quiet();
    expect(writes).toEqual([]);
  });

  it('what others spoil is put right, by the replica that leads', async () => {
    const leader = await start();
    await leads(leader);
    const follower = await start(second, { addresses: { listen: second, published: [first] } });
    await api().patch(`${services}/door-fairway`, { spec: { ports: [{ name: 'wrong', port: 81 }] } });
    const ports = () =>
      service('door-fairway')
        ?.spec.ports?.map(({ port }) => port)
        .join();
    await eventually(ports, (now) => now === '80');
    await api().remove(`${services}/door-fairway`);
    await eventually(ports, (now) => now === '80');
    const { uid } = service('door-fairway')!.metadata;
    await leader.stop();
    await leads(follower);
    await api().remove(`${services}/door-fairway`);
    await eventually(
      () => service('door-fairway')?.metadata.uid ?? uid,
      (now) => now !== uid,
    );
  });

  it('goes on without the permission to, and makes up for it when it has it', async () => {
    await api().remove(`${services}/door-fairway`);
    const replica = await openReplica(door.summary.api, first, { election: undefined } as object);
    replicas.push(replica);
    const forbidden = /^(POST|PATCH|DELETE) \S+\/(services|endpointslices|gatewayclasses\/fairway)(\?| )/;
    replica.api.faults = {
      answer: (line) => (forbidden.test(line) ? httpAnswer(403, statusBody(403, 'Forbidden')) : undefined),
    };
    await eventually(() => replica.role.isReady(), Boolean);
    await api().create(gateways, gateway('second', [{ name: 'http', port: 8090, protocol: 'HTTP' }]));
    await eventually(
      () => (door.store.get(`gateways.${gatewayGroup}`, 'default/second') as Unstructured | undefined)?.status,
      (status) => JSON.stringify(status ?? {}).includes('"Programmed"'),
    );
    expect((await ask({ address: first, host })).status).toBe(200);
    expect(service('second-fairway')).toBeUndefined();
    const told = await eventually(
      () => replica.logs.filter((line) => line.startsWith('error services default/second-fairway')),
      (lines) => lines.length > 0,
    );
    expect(told.length).toBeLessThan(5);
    replica.api.faults = {};
    for (const name of ['door-fairway', 'second-fairway'])
      await eventually(
        () => service(name),
        (found) => found !== undefined,
        6000,
      );
    await api().remove(`${gateways}/second`);
  });

  it('a class stays until its last Gateway is gone', async () => {
    await start(first, { controllerName: 'example.com/inner' });
    await api().create(gateways, innerGateway('one'));
    const held = () => classOf('inner')?.metadata.finalizers;
    await eventually(held, (now) => now?.includes(finalizer) === true);
    await api().remove(`${classes}/inner`);
    expect(classOf('inner')?.metadata.deletionTimestamp).toBeDefined();
    await quiet();
    expect(held()).toEqual([finalizer]);
    await api().remove(`${gateways}/one`);
    await eventually(
      () => classOf('inner'),
      (now) => now === undefined,
    );
    await eventually(
      () => service('one-inner'),
      (now) => now === undefined,
    );
    await api().create(classes, innerClass);
  });

  it('two with controller names of their own leave each other alone', async () => {
    await leads(await start());
    await api().create(gateways, innerGateway('inside'));
    const parents = ['door', 'inside'].map((name) => ({ name }));
    const route = httpRoute('shared', 'door', [{ backendRefs: [backendRef('web')] }], {
      hostnames: ['both.example.com'],
    });
    await api().create(routes, { ...route, spec: { ...(route['spec'] as object), parentRefs: parents } });
    const inner = await start(second, {
      ...{ controllerName: 'example.com/inner', addresses: { listen: second } },
      election: { namespace: 'default', name: 'inner', identity: second, ...quickLease },
    });
    await leads(inner);
    const entries = () =>
      door.store
        .get<HTTPRoute>(`httproutes.${gatewayGroup}`, 'default/shared')
        ?.status?.parents?.map(({ controllerName, parentRef }) => `${controllerName} ${parentRef.name}`)
        .sort();
    await eventually(entries, (now) => now?.join() === 'example.com/inner inside,fairway.dev/gateway door');
    for (const address of [first, second]) expect((await ask({ address, host: 'both.example.com' })).status).toBe(200);
    await eventually(
      () => service('inside-inner')?.metadata.labels?.['app.kubernetes.io/managed-by'],
      (label) => label === 'example.com.inner',
    );
    expect(service('door-fairway')?.metadata.labels?.['app.kubernetes.io/managed-by']).toBe('fairway.dev');
    writes = [];
    await quiet();
    expect(writes).toEqual([]);
    await inner.stop();
    const without = await start(second, {
      controllerName: 'example.com/inner',
      gatewayServices: false,
      election: undefined,
    } as object);
    await eventually(
      () => service('inside-inner'),
      (now) => now === undefined,
    );
    expect(service('door-fairway')).toBeDefined();
    expect(without.logs.filter((line) => line.startsWith('error'))).toEqual([]);
    expect((await ask({ address: second, host: 'both.example.com' })).status).toBe(200);
    for (const path of [`${gateways}/inside`, `${routes}/shared`]) await api().remove(path);
  });

  it('lets names of XBackends lead where it may, and nowhere else', async () => {
    const addresses: Record<string, string> = { 'inside.example.net': '10.9.9.9', 'allowed.example.net': '10.8.8.8' };
    const resolve = (name: string) => Promise.resolve([{ address: addresses[name]!, ttl: 60 }]);
    const external = { resolve, allowed: ['10.8.0.0/16'], denied: ['10.0.0.0/8'] };
    const { findings } = await start(first, { external, election: undefined } as object);
    const group = 'gateway.networking.x-k8s.io';
    const backends = `/apis/${group}/v1alpha1/namespaces/default/xbackends`;
    const names = Object.keys(addresses).map((hostname) => [hostname.split('.')[0]!, hostname] as const);
    for (const [name, hostname] of names) {
      await api().create(backends, {
        ...{ apiVersion: `${group}/v1alpha1`, kind: 'XBackend', metadata: { name } },
        spec: { type: 'ExternalHostname', externalHostname: { hostname }, port: { port: 80 } },
      });
      const rule = { backendRefs: [{ group, kind: 'XBackend', name, port: 80 }] };
      await api().create(routes, httpRoute(name, 'door', [rule], { hostnames: [`${name}.example.com`] }));
    }
    const told = () => findings.filter(({ code }) => code === 'FW3417').map(({ message }) => message);
    await eventually(told, (now) => now.length > 0);
    await quiet();
    expect(told()).toEqual([expect.stringContaining('inside.example.net leads to 10.9.9.9')]);
    for (const [name] of names)
      for (const path of [`${routes}/${name}`, `${backends}/${name}`]) await api().remove(path);
  });

  it('an Event for each finding, once, whoever leads', async () => {
    const leader = await start();
    await leads(leader);
    const follower = await start(second, { addresses: { listen: second, published: [first] } });
    await api().create(routes, httpRoute('broken', 'door', [{ backendRefs: [backendRef('nowhere')] }]));
    const [event] = await eventually(
      () => events('broken'),
      (now) => now.length > 0,
    );
    expect(event).toMatchObject({
      ...{ type: 'Warning', reason: 'FW3401', reportingInstance: first },
      involvedObject: { kind: 'HTTPRoute', namespace: 'default', name: 'broken' },
      message: expect.stringContaining('the Service default/nowhere does not exist; fix: '),
    });
    await leader.stop();
    await leads(follower);
    await eventually(() => follower.role.pendingEvents === 0, Boolean);
    await api().patch(`${routes}/broken`, { metadata: { labels: { changed: 'yes' } } });
    await new Promise((resume) => setTimeout(resume, 800));
    expect(events('broken').map(({ metadata }) => metadata.name)).toEqual([event!.metadata.name]);
    expect(events('broken')[0]).not.toHaveProperty('series');
    expect([...leader.logs, ...follower.logs].filter((line) => line.startsWith('error'))).toEqual([]);
    await api().remove(`${routes}/broken`);
  });

  it('no Events where they are refused, and statuses all the same', async () => {
    const replica = await start(first, { election: undefined } as object);
    replica.api.faults = {
      answer: (line) => (line.includes('/events') ? httpAnswer(403, statusBody(403, 'Forbidden')) : undefined),
    };
    await api().create(routes, httpRoute('worse', 'door', [{ backendRefs: [backendRef('nowhere')] }]));
    const error = () => replica.logs.filter((line) => line.startsWith('error Event default/worse.'));
    await eventually(error, (now) => now.length === 1);
    const found = door.store.get<HTTPRoute>(`httproutes.${gatewayGroup}`, 'default/worse');
    expect(found?.status?.parents).toHaveLength(1);
    expect(events('worse')).toEqual([]);
  });
});
