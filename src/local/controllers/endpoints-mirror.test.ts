import { describe, expect, it } from 'vitest';
import type { Endpoints } from '../../kube/types/index.ts';
import { createTestCluster, endpointsOf, passThrough, pod, service } from './cluster.fixture.ts';

const handWritten = (name: string, subsets: Endpoints['subsets'], labels = {}): Endpoints => ({
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: { name, namespace: 'default', labels },
  subsets,
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
