import { describe, expect, it } from 'vitest';
import type { EndpointSlice, Pod, Unstructured } from '../../kube/types/index.ts';
import { createTestCluster, deployment, endpointsOf, pod, service } from './cluster.fixture.ts';

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
