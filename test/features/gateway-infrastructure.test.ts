/** Gateways are reached by name: the Service and the slices that are generated for each, through the running cluster. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EndpointSlice, Gateway, KubeObject, Service } from '../../src/kube/types/index.ts';
import { askDns } from '../support/dns.ts';
import { apiOf, ask, canBind, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { app, gateway, gatewayVersion, httpRoute, type Manifest, stream } from '../support/manifests.ts';

const prefix = 'gateway.networking.k8s.io';
const gateways = '/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways';
const services = '/api/v1/namespaces/default/services';

const gatewayClass: Manifest = {
  apiVersion: gatewayVersion,
  kind: 'GatewayClass',
  metadata: { name: 'fairway' },
  spec: { controllerName: 'fairway.dev/gateway' },
};

const web: Manifest = {
  ...gateway('web', [
    { name: 'http', port: 80, protocol: 'HTTP' },
    { name: 'alt', port: 8080, protocol: 'HTTP' },
  ]),
  spec: {
    gatewayClassName: 'fairway',
    infrastructure: { labels: { team: 'shop' }, annotations: { 'example.com/note': 'a text' } },
    listeners: [
      { name: 'http', port: 80, protocol: 'HTTP' },
      { name: 'alt', port: 8080, protocol: 'HTTP' },
    ],
  },
};

/** Somebody else's, with the name that the Service of the Gateway `taken` would have. */
const other: Manifest = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'taken-fairway', labels: { mine: 'yes' } },
  spec: { selector: { app: 'echo' }, ports: [{ port: 80 }] },
};

describe.skipIf(!canBind)('infrastructure of Gateways', () => {
  let door: TestDoor;
  const writes: string[] = [];
  const service = (name: string) => door.store.get<Service>('services', `default/${name}`);
  const slice = (name: string) => door.store.get<EndpointSlice>('endpointslices.discovery.k8s.io', `default/${name}`);
  const stored = (name: string) => door.store.get<Gateway>(`gateways.${prefix}`, `default/${name}`)!;

  beforeAll(async () => {
    door = await openDoor(-2, {
      paths: ['-'],
      stdin: stream(
        gatewayClass,
        web,
        gateway('taken'),
        other,
        ...app('echo'),
        httpRoute('all', 'web', [{ backendRefs: [{ name: 'echo', port: 80 }] }]),
        httpRoute('one', { name: 'web', sectionName: 'alt' }, [
          { matches: [{ path: { value: '/through' } }], backendRefs: [{ name: 'inner-fairway', port: 80 }] },
        ]),
        gateway('inner'),
        httpRoute('inner', 'inner', [
          {
            filters: [
              { type: 'ResponseHeaderModifier', responseHeaderModifier: { set: [{ name: 'x-inner', value: 'yes' }] } },
            ],
            backendRefs: [{ name: 'echo', port: 80 }],
          },
        ]),
      ),
    });
    door.store.subscribe(({ type, resource, object }) => {
      if (resource === 'services' || resource.startsWith('endpointslices'))
        writes.push(`${type} ${resource} ${(object as KubeObject).metadata.name}`);
    });
  });
  afterAll(() => door.close(0));

  it('a Service and a slice with the labels of GEP-1762, owned by the Gateway', () => {
    const { metadata, spec } = service('web-fairway')!;
    expect(metadata.labels).toMatchObject({
      [`${prefix}/gateway-name`]: 'web',
      [`${prefix}/gateway-class-name`]: 'fairway',
      team: 'shop',
    });
    expect(metadata.annotations).toMatchObject({ 'example.com/note': 'a text' });
    expect(metadata.ownerReferences).toEqual([
      { apiVersion: gatewayVersion, kind: 'Gateway', name: 'web', uid: stored('web').metadata.uid, controller: true },
    ]);
    expect(spec).toMatchObject({ type: 'ClusterIP', clusterIP: expect.stringMatching(/^127\./) });
    expect(spec.selector).toBeUndefined();
    expect(spec.ports!.map(({ name, port, protocol }) => [name, port, protocol])).toEqual([
      ['http-80', 80, 'TCP'],
      ['http-8080', 8080, 'TCP'],
    ]);
    const { metadata: own, endpoints } = slice('web-fairway-ipv4')!;
    expect(own.labels).toMatchObject({
      'endpointslice.kubernetes.io/managed-by': 'fairway.dev',
      'kubernetes.io/service-name': 'web-fairway',
      team: 'shop',
    });
    expect(endpoints.map(({ addresses }) => addresses)).toEqual([[stored('web').status!.addresses![0]!.value]]);
    const all = door.store.list<EndpointSlice>('endpointslices.discovery.k8s.io');
    expect(
      all.filter(({ metadata: { labels } }) => labels?.['kubernetes.io/service-name'] === 'web-fairway'),
    ).toHaveLength(1);
  });

  it('its name resolves, and its ClusterIP leads to the Gateway', async () => {
    const { clusterIP } = service('web-fairway')!.spec;
    const { data } = await askDns(
      { address: door.config.dnsAddress, port: 53 },
      'web-fairway.default.svc.cluster.local',
    );
    expect(data('A')).toEqual([clusterIP]);
    for (const port of [80, 8080]) {
      const { status, echo } = await ask({ address: clusterIP!, port, path: '/named' });
      expect([status, echo.path]).toEqual([200, '/named']);
    }
  });

  it('a route may lead to the Service of another Gateway', async () => {
    const { clusterIP } = service('web-fairway')!.spec;
    const { status, headers, echo } = await ask({ address: clusterIP!, port: 8080, path: '/through' });
    expect([status, headers['x-inner'], echo.path]).toEqual([200, 'yes', '/through']);
  });

  it("what somebody else owns is never touched, and the Gateway's status says so", () => {
    const { metadata, spec } = service('taken-fairway')!;
    expect(metadata.labels).toEqual({ mine: 'yes' });
    expect(spec.selector).toEqual({ app: 'echo' });
    expect(slice('taken-fairway-ipv4')).toBeUndefined();
    const programmed = stored('taken').status!.conditions!.find(({ type }) => type === 'Programmed');
    expect(programmed).toMatchObject({
      status: 'True',
      message: expect.stringContaining('the Service taken-fairway of this namespace belongs to somebody else'),
    });
    expect(door.diagnostics()).toContainEqual(
      expect.objectContaining({ code: 'FW3006', object: expect.objectContaining({ name: 'taken' }) }),
    );
  });

  it('labels, annotations and ports follow the Gateway; what others added stays', async () => {
    const api = apiOf(door);
    const before = service('web-fairway')!.spec.clusterIP;
    await api.patch(`${services}/web-fairway`, { metadata: { labels: { theirs: 'kept' } } });
    await api.patch(`${gateways}/web`, {
      spec: {
        infrastructure: { labels: { tier: 'front', team: null }, annotations: { 'example.com/note': null } },
        listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }],
      },
    });
    const { metadata, spec } = await eventually(
      () => service('web-fairway')!,
      (now) => now.metadata.labels?.['tier'] === 'front',
    );
    expect(metadata.labels).toMatchObject({ theirs: 'kept' });
    expect(metadata.labels).not.toHaveProperty('team');
    expect(metadata.annotations).not.toHaveProperty('example.com/note');
    expect(spec.clusterIP).toBe(before);
    expect(spec.ports!.map(({ port }) => port)).toEqual([80]);
    expect(slice('web-fairway-ipv4')!.ports!.map(({ port }) => port)).toEqual([80]);
  });

  it('what others change of ours is put right, and nothing is written when nothing is different', async () => {
    const api = apiOf(door);
    await api.patch(`${services}/web-fairway`, { spec: { ports: [{ name: 'wrong', port: 81 }] } });
    await eventually(
      () => service('web-fairway')!.spec.ports!.map(({ port }) => port),
      ([port]) => port === 80,
    );
    await door.settled();
    await new Promise((resume) => setTimeout(resume, 100));
    writes.length = 0;
    await api.patch(`${gateways}/web`, { metadata: { labels: { irrelevant: 'yes' } } });
    await door.settled();
    await new Promise((resume) => setTimeout(resume, 150));
    expect(writes).toEqual([]);
  });

  it('a Service that somebody deletes comes back; those of a Gateway that is deleted go with it', async () => {
    const api = apiOf(door);
    const { uid } = service('inner-fairway')!.metadata;
    await api.remove(`${services}/inner-fairway`);
    await eventually(
      () => service('inner-fairway')?.metadata.uid,
      (now) => now !== undefined && now !== uid,
    );
    await api.remove(`${gateways}/inner`);
    await eventually(
      () => [service('inner-fairway'), slice('inner-fairway-ipv4')],
      (left) => left.every((object) => object === undefined),
    );
  });

  it('a name that becomes free is taken', async () => {
    await apiOf(door).remove(`${services}/taken-fairway`);
    await eventually(
      () => service('taken-fairway')?.metadata.labels?.[`${prefix}/gateway-name`],
      (name) => name === 'taken',
    );
    await eventually(
      () => stored('taken').status!.conditions!.find(({ type }) => type === 'Programmed')!.message,
      (message) => !message.includes('somebody else'),
    );
  });
});
