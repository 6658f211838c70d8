import { describe, expect, it } from 'vitest';
import type { Service } from '../../kube/types/index.ts';
import { createTestCluster, passThrough, realAdmission, service } from './cluster.fixture.ts';

const specOf = (cluster: ReturnType<typeof createTestCluster>, name: string) =>
  cluster.get<Service>('services', `default/${name}`).spec;

describe('ClusterIPs', () => {
  it('are derived from the name, in the range of the cluster', () => {
    const cluster = createTestCluster();
    cluster.apply(service('web'));
    expect(specOf(cluster, 'web')).toMatchObject({
      clusterIP: '127.96.228.211',
      clusterIPs: ['127.96.228.211'],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
    });
  });

  it('honour spec.clusterIP', () => {
    const cluster = createTestCluster();
    cluster.apply(service('web', { clusterIP: '127.96.0.77' }));
    expect(specOf(cluster, 'web').clusterIPs).toEqual(['127.96.0.77']);
    expect(cluster.codes()).toEqual([]);
  });

  it.each([
    [
      'set aside on the way in',
      realAdmission,
      '10.0.171.239 is not in the Service range of this cluster (127.96.0.0/16); another address was assigned',
    ],
    [
      'found in the store',
      passThrough,
      '10.0.171.239 is not in the IPv4 Service range of this cluster; 127.96.228.211 was assigned',
    ],
  ])('replace an address of another cluster, and go on saying so: %s', (_, admission, message) => {
    const cluster = createTestCluster({ admission });
    cluster.apply(service('web', { clusterIP: '10.0.171.239', clusterIPs: ['10.0.171.239'] }));
    expect(specOf(cluster, 'web').clusterIP).toBe('127.96.228.211');
    const object = { apiVersion: 'v1', kind: 'Service', namespace: 'default', name: 'web' };
    expect(cluster.cluster.diagnostics()).toMatchObject([{ code: 'FW1502', message, object }]);
    cluster.patch('services', 'default/web', { metadata: { labels: { tier: 'front' } } });
    expect(cluster.codes()).toEqual(['FW1502']);
    cluster.apply(service('web', { clusterIP: '10.0.171.239', sessionAffinity: 'ClientIP' }));
    expect(specOf(cluster, 'web')).toMatchObject({ clusterIP: '127.96.228.211', sessionAffinity: 'ClientIP' });
    expect(cluster.codes()).toEqual(['FW1502']);
    cluster.delete('services', 'default/web');
    expect(cluster.codes()).toEqual([]);
  });

  it('of another cluster are warned of when they are written', () => {
    const { objects } = createTestCluster();
    const created = objects.create(service('web', { clusterIP: '10.0.171.239' }));
    expect(created.ok && created.value.warnings).toEqual([
      expect.stringContaining('10.0.171.239 is outside the Service range'),
    ]);
    const headless = objects.create(service('db', { clusterIP: 'None' }));
    expect(headless.ok && headless.value.warnings).toEqual([]);
  });

  it('belong to the Service that asks for them, even if another one would hash to them', () => {
    const cluster = createTestCluster();
    cluster.objects.create(service('web'));
    cluster.apply(service('zeta', { clusterIP: '127.96.228.211' }));
    expect(specOf(cluster, 'zeta').clusterIP).toBe('127.96.228.211');
    expect(specOf(cluster, 'web').clusterIP).toBe('127.96.228.212');
    expect(cluster.codes()).toEqual([]);
  });

  it('are not taken from who has them', () => {
    const cluster = createTestCluster();
    cluster.apply(service('web'));
    cluster.apply(service('late', { clusterIP: '127.96.228.211' }), service('thief', { clusterIP: '127.96.0.1' }));
    expect(specOf(cluster, 'web').clusterIP).toBe('127.96.228.211');
    expect(specOf(cluster, 'late').clusterIP).not.toBe('127.96.228.211');
    expect(cluster.cluster.diagnostics().map(({ message }) => message)).toEqual([
      expect.stringContaining('127.96.228.211 belongs to Service default/web'),
      expect.stringContaining('127.96.0.1 belongs to Service default/kubernetes'),
    ]);
  });

  it('come back when the manifest without one is applied again', () => {
    const cluster = createTestCluster();
    cluster.apply(service('web'));
    cluster.apply(service('web', { sessionAffinity: 'ClientIP' }));
    expect(specOf(cluster, 'web')).toMatchObject({ clusterIP: '127.96.228.211', sessionAffinity: 'ClientIP' });
  });

  it('keep the DNS address for kube-dns when a manifest of another cluster replaces it', () => {
    const cluster = createTestCluster();
    const dns = service('kube-dns', { clusterIP: '10.96.0.10' }, 'kube-system');
    cluster.apply(dns);
    expect(cluster.get<Service>('services', 'kube-system/kube-dns').spec.clusterIP).toBe('127.96.0.10');
  });

  it('are free again when a Service becomes an ExternalName', () => {
    const cluster = createTestCluster();
    cluster.apply(service('web'));
    const { clusterIP: _a, clusterIPs: _b, ...rest } = specOf(cluster, 'web');
    cluster.apply({
      ...service('web'),
      spec: { ...rest, type: 'ExternalName', externalName: 'example.com' },
    } as Service);
    const external = specOf(cluster, 'web');
    expect(external).toMatchObject({ type: 'ExternalName', externalName: 'example.com' });
    expect(external.clusterIP).toBeUndefined();
    expect(external.ipFamilies).toBeUndefined();
    cluster.apply(service('other', { clusterIP: '127.96.228.211' }));
    expect(specOf(cluster, 'other').clusterIP).toBe('127.96.228.211');
  });
});

describe('IP families', () => {
  it.each([
    ['none asked for', {}, ['IPv4'], 'SingleStack'],
    ['PreferDualStack', { ipFamilyPolicy: 'PreferDualStack' }, ['IPv4', 'IPv6'], 'PreferDualStack'],
    [
      'RequireDualStack, IPv6 first',
      { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6'] },
      ['IPv6', 'IPv4'],
      'RequireDualStack',
    ],
    ['IPv6 alone', { ipFamilies: ['IPv6'] }, ['IPv6'], 'SingleStack'],
    ['an IPv6 address', { clusterIP: 'fd00:96::99' }, ['IPv6'], 'SingleStack'],
    ['headless with a selector', { clusterIP: 'None' }, ['IPv4'], 'SingleStack'],
    ['headless without a selector', { clusterIP: 'None', selector: {} }, ['IPv4', 'IPv6'], 'RequireDualStack'],
  ] as const)('%s', (_, spec, families, policy) => {
    const cluster = createTestCluster();
    cluster.apply(service('web', spec as Partial<Service['spec']>));
    const got = specOf(cluster, 'web');
    expect(got.ipFamilies).toEqual(families);
    expect(got.ipFamilyPolicy).toBe(policy);
    if (got.clusterIP === 'None') expect(got.clusterIPs).toEqual(['None']);
    else expect(got.clusterIPs!.map((ip) => (ip.includes(':') ? 'IPv6' : 'IPv4'))).toEqual(families);
    expect(got.clusterIP).toBe(got.clusterIPs![0]);
    expect(cluster.codes()).toEqual([]);
  });

  it('give the second address back when a Service goes to a single stack', () => {
    const cluster = createTestCluster();
    cluster.apply(service('web', { ipFamilyPolicy: 'PreferDualStack' }));
    const second = specOf(cluster, 'web').clusterIPs![1]!;
    cluster.patch('services', 'default/web', {
      spec: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'], clusterIPs: ['127.96.228.211'] },
    });
    expect(specOf(cluster, 'web')).toMatchObject({ ipFamilies: ['IPv4'], clusterIPs: ['127.96.228.211'] });
    cluster.apply(service('other', { clusterIP: second }));
    expect(specOf(cluster, 'other').clusterIP).toBe(second);
  });
});

describe('node ports', () => {
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' as const },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' as const },
  ];

  it('are in the range, and one number for both protocols of a port', () => {
    const cluster = createTestCluster();
    cluster.apply(service('dns', { type: 'NodePort', ports }));
    const [udp, tcp] = specOf(cluster, 'dns').ports!;
    expect(udp!.nodePort).toBeGreaterThanOrEqual(30000);
    expect(udp!.nodePort).toBeLessThanOrEqual(32767);
    expect(tcp!.nodePort).toBe(udp!.nodePort);
  });

  it('are honoured when free, replaced and reported when not', () => {
    const cluster = createTestCluster();
    const asking = (name: string, nodePort: number) =>
      service(name, { type: 'NodePort', ports: [{ port: 80, nodePort }] });
    cluster.apply(asking('first', 30080), asking('second', 30080), asking('low', 80));
    expect(specOf(cluster, 'first').ports![0]!.nodePort).toBe(30080);
    expect(specOf(cluster, 'second').ports![0]!.nodePort).toBeGreaterThanOrEqual(30000);
    expect(specOf(cluster, 'second').ports![0]!.nodePort).not.toBe(30080);
    expect(cluster.cluster.diagnostics().map(({ code, message }) => `${code} ${message.split(';')[0]}`)).toEqual([
      'FW1503 30080 belongs to Service default/first',
      'FW1503 80 is not in the range 30000-32767',
    ]);
  });

  it('go when the type no longer has them', () => {
    const cluster = createTestCluster();
    cluster.apply(service('web', { type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] }));
    cluster.patch('services', 'default/web', { spec: { type: 'ClusterIP' } });
    expect(specOf(cluster, 'web').ports![0]!.nodePort).toBeUndefined();
    cluster.apply(service('other', { type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] }));
    expect(cluster.codes()).toEqual([]);
  });
});

describe('load balancers', () => {
  const status = (cluster: ReturnType<typeof createTestCluster>, name: string) =>
    cluster.get<Service>('services', `default/${name}`).status?.loadBalancer;

  it('get an address by name and node ports', () => {
    const cluster = createTestCluster();
    cluster.apply(service('web', { type: 'LoadBalancer' }));
    const [ingress] = status(cluster, 'web')!.ingress!;
    expect(ingress).toMatchObject({ ip: expect.stringMatching(/^127\.250\./), ipMode: 'VIP' });
    expect(ingress!.ip).not.toMatch(/^127\.250\.0\./);
    expect(specOf(cluster, 'web').ports![0]!.nodePort).toBeDefined();
    cluster.patch('services', 'default/web', { spec: { type: 'ClusterIP' } });
    expect(status(cluster, 'web')).toEqual({});
  });

  it('can do without node ports', () => {
    const cluster = createTestCluster();
    cluster.apply(service('web', { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false }));
    expect(specOf(cluster, 'web').ports![0]!.nodePort).toBeUndefined();
  });

  it('honour loadBalancerIP in the range and say why not otherwise', () => {
    const cluster = createTestCluster();
    cluster.apply(
      service('a', { type: 'LoadBalancer', loadBalancerIP: '127.250.0.9' }),
      service('b', { type: 'LoadBalancer', loadBalancerIP: '127.250.0.1' }),
      service('c', { type: 'LoadBalancer', loadBalancerIP: '203.0.113.7' }),
    );
    expect(status(cluster, 'a')!.ingress![0]!.ip).toBe('127.250.0.9');
    expect(cluster.cluster.diagnostics().map(({ code, message }) => `${code} ${message.split(';')[0]}`)).toEqual([
      'FW1504 127.250.0.1 belongs to all Ingresses',
      'FW1504 203.0.113.7 is not in the load balancer range of this cluster',
    ]);
  });

  it('adopt classes of other implementations, with a note', () => {
    const cluster = createTestCluster();
    cluster.apply(
      service('theirs', { type: 'LoadBalancer', loadBalancerClass: 'service.k8s.aws/nlb' }),
      service('ours', { type: 'LoadBalancer', loadBalancerClass: 'fairway.dev/loopback' }),
    );
    expect(status(cluster, 'theirs')!.ingress).toHaveLength(1);
    expect(cluster.codes()).toEqual(['FW1505']);
  });

  it('and Gateways never share an address', () => {
    const cluster = createTestCluster();
    const { addresses } = cluster.cluster;
    expect(addresses.ingress()).toEqual(['127.250.0.1']);
    const gateway = addresses.gateway('infra', 'external');
    expect(addresses.gateway('infra', 'external')).toBe(gateway);
    cluster.apply(service('web', { type: 'LoadBalancer', loadBalancerIP: gateway }));
    expect(status(cluster, 'web')!.ingress![0]!.ip).not.toBe(gateway);
    expect(cluster.codes()).toEqual(['FW1504']);
    expect(addresses.usable('127.250.0.20')).toBe(true);
    expect(addresses.usable('10.0.0.1')).toBe(false);
    expect(addresses.usable('127.1')).toBe(false);
  });
});
