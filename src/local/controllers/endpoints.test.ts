import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EndpointSlice, Endpoints, KubeObject, Pod, Service, Unstructured } from '../../kube/types/index.ts';
import { createTestCluster, deployment, endpointsOf, passThrough, pod, service } from './cluster.fixture.ts';
import type { EndpointGroup } from './service-endpoints.ts';
import { layOut } from './slice-layout.ts';

const handWritten = (name: string, subsets: Endpoints['subsets'], labels = {}): Endpoints => ({
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: { name, namespace: 'default', labels },
  subsets,
});

describe('EndpointSlices', () => {
  it('look as the endpointslice controller makes them', () => {
    const cluster = createTestCluster();
    const web = service('web', {
      ports: [{ name: 'http', port: 80, targetPort: 'http', appProtocol: 'kubernetes.io/h2c' }],
    });
    web.metadata.labels = { team: 'shop', 'kubernetes.io/service-name': 'forged' };
    cluster.apply(web, pod('web-1', { app: 'web' }));
    const [slice] = cluster.slices('web');
    const [item] = cluster.pods();
    expect(slice!.metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(slice!.metadata.labels).toEqual({
      team: 'shop',
      'kubernetes.io/service-name': 'web',
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    });
    expect(slice!.metadata.ownerReferences).toMatchObject([{ kind: 'Service', name: 'web', controller: true }]);
    expect(slice!.addressType).toBe('IPv4');
    expect(slice!.ports).toEqual([{ name: 'http', protocol: 'TCP', port: 8080, appProtocol: 'kubernetes.io/h2c' }]);
    expect(slice!.endpoints).toEqual([
      {
        addresses: [item!.status!.podIP],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: 'fairway',
        targetRef: { kind: 'Pod', namespace: 'default', name: 'web-1', uid: item!.metadata.uid },
      },
    ]);
  });

  it('are one per family for a dual-stack Service', () => {
    const cluster = createTestCluster();
    cluster.apply(service('web', { ipFamilyPolicy: 'RequireDualStack' }), pod('web-1', { app: 'web' }));
    expect(
      cluster
        .slices('web')
        .map((slice) => slice.addressType)
        .sort(),
    ).toEqual(['IPv4', 'IPv6']);
    expect(endpointsOf(cluster.slices('web'))).toEqual(cluster.pods()[0]!.status!.podIPs!.map(({ ip }) => ip));
  });

  it('are there, empty, while a Service has no Pods, and keep their name when Pods come', () => {
    const cluster = createTestCluster();
    cluster.apply(service('web'));
    const [empty] = cluster.slices('web');
    expect(empty).toMatchObject({ endpoints: [], ports: [] });
    cluster.apply(pod('web-1', { app: 'web' }));
    expect(cluster.slices('web').map((slice) => slice.metadata.name)).toEqual([empty!.metadata.name]);
    expect(cluster.slices('web')[0]!.endpoints).toHaveLength(1);
  });

  it('know not-ready Pods, and publish them where the Service says so', () => {
    const cluster = createTestCluster();
    const unready = pod('web-1', { app: 'web' });
    unready.metadata.annotations = { 'fairway.dev/ready': 'false' };
    cluster.apply(
      service('web'),
      service('eager', { selector: { app: 'web' }, publishNotReadyAddresses: true }),
      unready,
    );
    expect(cluster.slices('web')[0]!.endpoints[0]!.conditions).toEqual({
      ready: false,
      serving: false,
      terminating: false,
    });
    expect(cluster.slices('eager')[0]!.endpoints[0]!.conditions).toEqual({
      ready: true,
      serving: false,
      terminating: false,
    });
  });

  it('name the hosts of a headless Service whose Pods are under it', () => {
    const cluster = createTestCluster();
    cluster.apply(
      service('db', { clusterIP: 'None' }),
      service('other', { clusterIP: 'None', selector: { app: 'db' } }),
      pod('db-0', { app: 'db' }, { hostname: 'db-0', subdomain: 'db' }),
    );
    const [slice] = cluster.slices('db');
    expect(slice!.metadata.labels).toHaveProperty(['service.kubernetes.io/headless'], '');
    expect(slice!.endpoints[0]!.hostname).toBe('db-0');
    expect(cluster.slices('other')[0]!.endpoints[0]!.hostname).toBeUndefined();
  });

  it('of a headless Service without ports have none', () => {
    const cluster = createTestCluster();
    cluster.apply(service('db', { clusterIP: 'None', ports: undefined }), pod('db-0', { app: 'db' }));
    expect(cluster.slices('db')).toMatchObject([{ ports: [], endpoints: [{ addresses: [expect.any(String)] }] }]);
  });

  it('resolve named ports on each Pod, by protocol, in sidecars too', () => {
    const cluster = createTestCluster();
    const withPort = (containerPort: number, protocol: 'TCP' | 'UDP' = 'TCP') => ({
      containers: [{ name: 'app', image: 'app', ports: [{ name: 'http', containerPort, protocol }] }],
    });
    const sidecar = {
      containers: [{ name: 'app', image: 'app' }],
      initContainers: [
        { name: 'setup', image: 'setup', ports: [{ name: 'http', containerPort: 1 }] },
        { name: 'proxy', image: 'proxy', restartPolicy: 'Always', ports: [{ name: 'http', containerPort: 9000 }] },
      ],
    };
    cluster.apply(
      service('web', { ports: [{ name: 'web', port: 80, targetPort: 'http' }] }),
      pod('a', { app: 'web' }, withPort(8080)),
      pod('b', { app: 'web' }, withPort(9000)),
      pod('c', { app: 'web' }, withPort(8080)),
      pod('d', { app: 'web' }, withPort(8080, 'UDP')),
      pod('e', { app: 'web' }, sidecar),
    );
    const byPorts = Object.fromEntries(
      cluster
        .slices('web')
        .map((slice) => [
          slice.ports!.map(({ port }) => port).join(),
          slice.endpoints.map((endpoint) => endpoint.targetRef!.name),
        ]),
    );
    expect(byPorts).toEqual({ '8080': ['a', 'c'], '9000': ['b', 'e'], '': ['d'] });
  });

  it('leave out finished Pods and Pods of other namespaces', () => {
    const cluster = createTestCluster();
    const elsewhere = {
      ...pod('far', { app: 'web' }),
      metadata: { name: 'far', namespace: 'far', labels: { app: 'web' } },
    };
    cluster.apply(service('web'), pod('web-1', { app: 'web' }), elsewhere);
    expect(endpointsOf(cluster.slices('web'))).toHaveLength(1);
    const item = cluster.get<Pod>('pods', 'default/web-1');
    cluster.objects.update({ ...item, status: { ...item.status, phase: 'Succeeded' } }, { subresource: 'status' });
    cluster.cluster.settle();
    expect(endpointsOf(cluster.slices('web'))).toEqual([]);
  });

  it('follow labels and selectors', () => {
    const cluster = createTestCluster();
    cluster.apply(service('web'), pod('web-1', { app: 'web' }));
    cluster.patch('pods', 'default/web-1', { metadata: { labels: { app: 'other' } } });
    expect(endpointsOf(cluster.slices('web'))).toEqual([]);
    cluster.patch('services', 'default/web', { spec: { selector: { app: 'other' } } });
    expect(endpointsOf(cluster.slices('web'))).toHaveLength(1);
  });

  it('carry the zone of the node, also when it changes', () => {
    const cluster = createTestCluster();
    cluster.apply(service('web'), pod('web-1', { app: 'web' }));
    const node = cluster.get('nodes', 'fairway');
    const labels = { ...node.metadata.labels, 'topology.kubernetes.io/zone': 'harbour-1' };
    cluster.apply({ ...node, metadata: { ...node.metadata, labels } } as Unstructured);
    expect(cluster.slices('web')[0]!.endpoints[0]!.zone).toBe('harbour-1');
  });

  it('hold 100 endpoints at most, and a change rewrites one of them', () => {
    const cluster = createTestCluster();
    cluster.apply(service('web'), deployment('web', 250));
    expect(
      cluster
        .slices('web')
        .map((slice) => slice.endpoints.length)
        .sort(),
    ).toEqual([100, 100, 50]);
    const before = new Map(cluster.slices('web').map((slice) => [slice.metadata.name, slice.metadata.resourceVersion]));
    cluster.delete('pods', `default/${cluster.podNames()[0]}`);
    const rewritten = cluster
      .slices('web')
      .filter(({ metadata }) => before.get(metadata.name) !== metadata.resourceVersion);
    expect(rewritten.length).toBeLessThanOrEqual(2);
    expect(endpointsOf(cluster.slices('web'))).toHaveLength(250);
  });

  it('are put right when somebody changes or deletes them', () => {
    const cluster = createTestCluster();
    cluster.apply(service('web'), pod('web-1', { app: 'web' }));
    const [slice] = cluster.slices('web');
    cluster.apply({ ...slice!, endpoints: [] } as EndpointSlice);
    expect(cluster.slices('web')[0]!.endpoints).toHaveLength(1);
    cluster.delete('endpointslices.discovery.k8s.io', `default/${slice!.metadata.name}`);
    expect(cluster.slices('web').map(({ metadata }) => metadata.name)).toEqual([slice!.metadata.name]);
  });

  it('written by hand are left alone', () => {
    const cluster = createTestCluster();
    const manual: EndpointSlice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'manual', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['192.0.2.1'] }],
      ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    };
    cluster.apply(service('web', { selector: undefined }), manual);
    expect(cluster.slices('web')).toHaveLength(1);
    const { resourceVersion } = cluster.slices('web')[0]!.metadata;
    cluster.patch('services', 'default/web', { spec: { selector: { app: 'web' } } });
    const kept = cluster.slices('web').find(({ metadata }) => metadata.name === 'manual');
    expect(kept!.metadata.resourceVersion).toBe(resourceVersion);
  });

  it('go when their Service goes, loses its selector or becomes an ExternalName', () => {
    const cluster = createTestCluster();
    cluster.apply(service('a'), service('b'), service('c'), pod('x', { app: 'a' }));
    cluster.delete('services', 'default/a');
    cluster.patch('services', 'default/b', { spec: { selector: {} } });
    cluster.patch('services', 'default/c', { spec: { type: 'ExternalName', externalName: 'example.com' } });
    for (const name of ['a', 'b', 'c']) {
      expect(cluster.slices(name)).toEqual([]);
      expect(cluster.store.get('endpoints', `default/${name}`)).toBeUndefined();
    }
  });
});

describe('the layout of slices', () => {
  const group = (ids: readonly number[]): EndpointGroup => ({
    family: 'IPv4',
    ports: [{ name: '', port: 80, protocol: 'TCP' }],
    endpoints: ids.map((id) => ({
      addresses: [`127.244.${id >> 8}.${id & 255}`],
      targetRef: { name: `pod-${id}`, uid: `${id}` },
    })),
  });
  const layOutGroup = (ids: readonly number[], present: readonly EndpointSlice[]) =>
    layOut({
      service: { metadata: { name: 'web', namespace: 'default' } },
      groups: [group(ids)],
      present,
      metadata: {},
      isTaken: () => false,
    });
  const ids = fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { maxLength: 350 });

  it('holds every endpoint once, in slices of 100 at most, and moves none', () => {
    fc.assert(
      fc.property(fc.array(ids, { minLength: 1, maxLength: 4 }), (rounds) => {
        let present: EndpointSlice[] = [];
        for (const wanted of rounds) {
          const place = new Map(
            present.flatMap((slice) => slice.endpoints.map((e) => [e.targetRef!.uid, slice.metadata.name])),
          );
          present = layOutGroup(wanted, present);
          const held = present.flatMap((slice) => slice.endpoints.map((e) => Number(e.targetRef!.uid)));
          expect(held.sort((a, b) => a - b)).toEqual([...wanted].sort((a, b) => a - b));
          expect(Math.max(...present.map((slice) => slice.endpoints.length))).toBeLessThanOrEqual(100);
          expect(new Set(present.map((slice) => slice.metadata.name)).size).toBe(present.length);
          for (const slice of present)
            for (const { targetRef } of slice.endpoints)
              expect([undefined, slice.metadata.name]).toContain(place.get(targetRef!.uid));
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('legacy Endpoints', () => {
  it('are kept for selector Services', () => {
    const cluster = createTestCluster();
    const unready = pod('web-2', { app: 'web' });
    unready.metadata.annotations = { 'fairway.dev/ready': 'false' };
    cluster.apply(
      service('web', { ports: [{ name: 'http', port: 80, targetPort: 8080 }] }),
      pod('web-1', { app: 'web' }),
      unready,
    );
    const { subsets } = cluster.get<Endpoints>('endpoints', 'default/web');
    const [first, second] = cluster.pods();
    expect(subsets).toEqual([
      {
        addresses: [
          expect.objectContaining({ ip: first!.status!.podIP, targetRef: expect.objectContaining({ name: 'web-1' }) }),
        ],
        notReadyAddresses: [expect.objectContaining({ ip: second!.status!.podIP })],
        ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      },
    ]);
  });

  it('written by hand become slices of their Service', () => {
    const cluster = createTestCluster({ admission: passThrough });
    cluster.apply(
      service('db', { selector: undefined, ports: [{ port: 5432 }] }),
      handWritten('db', [
        {
          addresses: [{ ip: '192.0.2.1' }, { ip: '2001:db8::0:1', hostname: 'six' }],
          notReadyAddresses: [{ ip: '192.0.2.2' }, { ip: 'db.example.com' }],
          ports: [{ port: 5432 }],
        },
      ]),
    );
    const slices = cluster.slices('db');
    expect(slices.map((slice) => slice.metadata.labels!['endpointslice.kubernetes.io/managed-by'])).toEqual([
      'endpointslicemirroring-controller.k8s.io',
      'endpointslicemirroring-controller.k8s.io',
    ]);
    expect(slices.find((slice) => slice.addressType === 'IPv4')).toMatchObject({
      endpoints: [
        { addresses: ['192.0.2.1'], conditions: { ready: true } },
        { addresses: ['192.0.2.2'], conditions: { ready: false } },
      ],
      ports: [{ name: '', port: 5432, protocol: 'TCP' }],
    });
    expect(slices.find((slice) => slice.addressType === 'IPv6')).toMatchObject({
      endpoints: [{ addresses: ['2001:db8::1'], hostname: 'six' }],
    });
    expect(cluster.codes()).toEqual(['FW1514']);
    cluster.delete('endpoints', 'default/db');
    expect(cluster.slices('db')).toEqual([]);
  });

  it('are not mirrored when labelled so, or for selector Services', () => {
    const cluster = createTestCluster();
    const subsets = [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 80 }] }];
    cluster.apply(
      service('skipped', { selector: undefined }),
      handWritten('skipped', subsets, { 'endpointslice.kubernetes.io/skip-mirror': 'true' }),
      service('web'),
      handWritten('web', subsets),
    );
    expect(cluster.slices('skipped')).toEqual([]);
    expect(endpointsOf(cluster.slices('web'))).toEqual([]);
    expect(cluster.get<Endpoints>('endpoints', 'default/web').subsets).toEqual([]);
  });
});

describe('backend overrides', () => {
  const ports = [
    { name: 'http', port: 80, targetPort: 8080 },
    { name: 'admin', port: 9000, targetPort: 9000 },
  ];

  it('stand in for the Pods of one port', () => {
    const cluster = createTestCluster({
      backends: [{ namespace: 'default', service: 'web', port: 80, host: '127.0.0.1', targetPort: 3000 }],
    });
    cluster.apply(service('web', { ports }), pod('web-1', { app: 'web' }));
    const byPort = Object.fromEntries(
      cluster.slices('web').map((slice) => [`${slice.ports![0]!.name} ${slice.ports![0]!.port}`, endpointsOf([slice])]),
    );
    expect(byPort).toEqual({ 'http 3000': ['127.0.0.1'], 'admin 9000': [cluster.pods()[0]!.status!.podIP] });
    expect(cluster.codes()).toEqual([]);
  });

  it('stand in for all ports, also of a Service without a selector', () => {
    const cluster = createTestCluster({
      backends: [{ namespace: 'default', service: 'web', host: '127.0.0.1', targetPort: 3000 }],
    });
    cluster.apply(service('web', { ports, selector: undefined }), pod('web-1', { app: 'web' }));
    expect(cluster.slices('web').map((slice) => slice.ports![0]!.port)).toEqual([3000, 3000]);
    expect(new Set(endpointsOf(cluster.slices('web')))).toEqual(new Set(['127.0.0.1']));
  });

  it('that lead nowhere say so, until they fit', () => {
    const cluster = createTestCluster({
      backends: [
        { namespace: 'default', service: 'web', port: 'htpp', host: '127.0.0.1', targetPort: 3000 },
        { namespace: 'shop', service: 'cart', host: 'fd00::1', targetPort: 3000 },
      ],
    });
    cluster.apply(service('web', { ports }));
    expect(cluster.cluster.diagnostics().map(({ code, message }) => `${code} ${message}`)).toEqual(
      [
        'FW1510 --backend: Service default/web has no port htpp',
        'FW1510 --backend: fd00::1 is not an IPv4 address',
      ].sort(),
    );
    cluster.apply(service('web', { ports: [{ name: 'htpp', port: 80 }] }));
    expect(cluster.codes()).toEqual(['FW1510']);
  });
});

describe('garbage and namespaces', () => {
  const configMap = (
    name: string,
    metadata: Partial<KubeObject['metadata']> = {},
    namespace = 'default',
  ): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, ...metadata },
  });
  const owner = (name: string, uid: string, kind = 'ConfigMap') => ({ apiVersion: 'v1', kind, name, uid });

  it('collects what the last owner leaves', () => {
    const cluster = createTestCluster();
    cluster.apply(configMap('a', { uid: 'u-a' }), configMap('b', { uid: 'u-b' }));
    cluster.apply(configMap('child', { ownerReferences: [owner('a', 'u-a'), owner('b', 'u-b')] }));
    cluster.delete('configmaps', 'default/a');
    expect(cluster.get('configmaps', 'default/child').metadata.ownerReferences).toEqual([owner('b', 'u-b')]);
    cluster.delete('configmaps', 'default/b');
    expect(cluster.store.get('configmaps', 'default/child')).toBeUndefined();
    expect(cluster.codes()).toEqual([]);
  });

  it('collects objects of an owner that never was, and says so; unknown kinds it lets be', () => {
    const cluster = createTestCluster();
    cluster.apply(
      configMap('exported', { ownerReferences: [owner('gone', 'u-x')] }),
      configMap('custom', { ownerReferences: [{ ...owner('x', 'u-y', 'Widget'), apiVersion: 'example.com/v1' }] }),
    );
    expect(cluster.store.get('configmaps', 'default/exported')).toBeUndefined();
    expect(cluster.store.get('configmaps', 'default/custom')).toBeDefined();
    expect(cluster.codes()).toEqual(['FW1512']);
  });

  it('makes the namespaces that objects use, with a note and the label that selectors read', () => {
    const cluster = createTestCluster();
    cluster.apply(configMap('a', {}, 'shop'));
    expect(cluster.get('namespaces', 'shop')).toMatchObject({
      metadata: { labels: { 'kubernetes.io/metadata.name': 'shop' } },
      status: { phase: 'Active' },
    });
    expect(cluster.codes()).toEqual(['FW1501']);
    cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'tools', labels: { team: 'x' } } });
    expect(cluster.get('namespaces', 'tools').metadata.labels).toEqual({
      team: 'x',
      'kubernetes.io/metadata.name': 'tools',
    });
    expect(cluster.codes()).toEqual(['FW1501']);
  });

  it('empties a deleted namespace before it goes', () => {
    const cluster = createTestCluster();
    const inShop = <T extends KubeObject>(object: T): T => ({
      ...object,
      metadata: { ...object.metadata, namespace: 'shop' },
    });
    cluster.apply(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
      inShop(deployment('web', 2)),
      inShop(service('web') as Service),
      inShop(configMap('held', { finalizers: ['example.com/hold'] })),
    );
    cluster.delete('namespaces', 'shop');
    expect(cluster.get('namespaces', 'shop')).toMatchObject({ status: { phase: 'Terminating' } });
    expect(cluster.pods('shop')).toEqual([]);
    expect(cluster.store.list('services', 'shop')).toEqual([]);
    cluster.patch('configmaps', 'shop/held', { metadata: { finalizers: [] } });
    expect(cluster.store.get('namespaces', 'shop')).toBeUndefined();
    expect(cluster.store.list('replicasets.apps', 'shop')).toEqual([]);
  });
});

describe('a controller that cannot write', () => {
  it('says what was refused, about the object that wanted it', () => {
    const cluster = createTestCluster({
      admission: () => (request) => ({
        object: request.object,
        errors:
          request.resource.kind === 'Pod' && request.operation === 'create'
            ? [{ field: 'spec.containers[0].image', reason: 'FieldValueRequired', message: 'Required value' }]
            : [],
        warnings: [],
      }),
    });
    cluster.apply(deployment('web', 1));
    expect(cluster.cluster.diagnostics()).toMatchObject([
      {
        code: 'FW1509',
        object: { kind: 'ReplicaSet' },
        message: expect.stringContaining('spec.containers[0].image: Required value'),
      },
    ]);
  });
});
