import { describe, expect, it } from 'vitest';
import { createTestCluster, endpointsOf, pod, service } from './cluster.fixture.ts';

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
