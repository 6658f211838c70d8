import { describe, expect, it } from 'vitest';
import type { Deployment, Node, Pod, Service } from '../kube/types/index.ts';
import { resolvConfAnnotation } from './cluster.ts';
import {
  createTestCluster,
  deployment,
  endpointsOf,
  passThrough,
  realAdmission,
  service,
  type TestClusterOptions,
} from './controllers/cluster.fixture.ts';

const admissions: [string, NonNullable<TestClusterOptions['admission']>][] = [
  ['admitting everything', passThrough],
  ['with the real admission', realAdmission],
];

describe.each(admissions)('a local cluster %s', (_, admission) => {
  it('has what a cluster has before anyone creates anything', () => {
    const { store, get, cluster } = createTestCluster({ admission, nodeResolvConf: 'nameserver 192.0.2.53\n' });
    expect(store.list('namespaces').map((namespace) => namespace.metadata.name)).toEqual([
      'default',
      'kube-system',
      'kube-public',
      'kube-node-lease',
    ]);
    const node = get<Node>('nodes', 'fairway');
    expect(node.metadata.annotations?.[resolvConfAnnotation]).toBe('nameserver 192.0.2.53\n');
    expect(node.status?.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'True' }));
    expect(node.spec?.podCIDRs).toEqual(['127.244.0.0/16', 'fd00:244::/96']);
    expect(get<Service>('services', 'default/kubernetes').spec.clusterIP).toBe('127.96.0.1');
    expect(get<Service>('services', 'kube-system/kube-dns').spec.clusterIP).toBe('127.96.0.10');
    expect(cluster.diagnostics()).toEqual([]);
  });

  it('turns a Deployment and a Service into ready Pods, addresses and endpoints', () => {
    const { apply, pods, get, slices, cluster } = createTestCluster({ admission });
    apply(service('web'), deployment('web', 3));
    expect(pods()).toHaveLength(3);
    for (const pod of pods()) {
      expect(pod.metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
      expect(pod.status).toMatchObject({ phase: 'Running', hostIP: '127.245.0.1' });
      expect(pod.spec.nodeName).toBe('fairway');
      expect(pod.status?.podIP).toMatch(/^127\.244\./);
    }
    expect(endpointsOf(slices('web'))).toEqual(
      pods()
        .map((pod) => pod.status!.podIP!)
        .sort(),
    );
    expect(get<Service>('services', 'default/web').spec.clusterIP).toMatch(/^127\.96\./);
    expect(get<Deployment>('deployments.apps', 'default/web').status).toMatchObject({
      replicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      updatedReplicas: 3,
      observedGeneration: 1,
    });
    expect(cluster.diagnostics()).toEqual([]);
  });

  it('comes out the same in every run, whatever the order of the manifests', () => {
    const names = Array.from({ length: 300 }, (_, index) => `app-${index}`);
    const manifests = names.flatMap((name) => [service(name), deployment(name, 2)]);
    const picture = (order: typeof manifests) => {
      const { apply, store } = createTestCluster({ admission });
      apply(...order);
      const services = store
        .list<Service>('services')
        .map(({ metadata, spec }) => `${metadata.name} ${spec.clusterIP}`);
      const pods = store.list<Pod>('pods').map(({ metadata, status }) => `${metadata.name} ${status?.podIP}`);
      return [...services, ...pods].sort();
    };
    const first = picture(manifests);
    expect(picture([...manifests].reverse())).toEqual(first);
    expect(new Set(first.map((line) => line.split(' ')[1])).size).toBe(first.length);
  });

  it('writes nothing more once it has settled', () => {
    const { apply, store, cluster } = createTestCluster({ admission });
    apply(service('web', { type: 'LoadBalancer' }), deployment('web', 2), service('db', { clusterIP: 'None' }));
    const { revision } = store;
    cluster.settle();
    expect(store.revision).toBe(revision);
  });
});

describe('at size', () => {
  const replicas = 5;

  /** Services in one namespace, whose selectors share a label: the hard case for finding who selects a Pod. */
  function settleOf(services: number) {
    const test = createTestCluster();
    for (let i = 0; i < services; i++) {
      const shared = { 'app.kubernetes.io/part-of': 'shop' };
      const workload = deployment(`app-${i}`, replicas);
      workload.spec.template.metadata = { labels: { app: `app-${i}`, ...shared } };
      test.objects.create(workload);
      test.objects.create(service(`app-${i}`, { selector: { ...shared, app: `app-${i}` } }));
    }
    const began = performance.now();
    test.cluster.settle();
    return { ...test, elapsed: performance.now() - began };
  }

  it('settles 1,000 Services with 5,000 Pods, and a change then touches what it concerns only', {
    timeout: 60_000,
  }, () => {
    const small = settleOf(250).elapsed;
    const { objects, cluster, store, pods, elapsed } = settleOf(1000);
    console.info(`settled in ${Math.round(elapsed)} ms, a quarter of it in ${Math.round(small)} ms`);
    expect(pods().filter((pod) => pod.status?.phase === 'Running')).toHaveLength(5000);
    // Four times the objects; sixteen would be work that grows with the square. The second bound is for a busy machine.
    expect(elapsed / small).toBeLessThan(10);
    expect(elapsed).toBeLessThan(20_000);

    const { revision } = store;
    const scaled = store.get<Deployment>('deployments.apps', 'default/app-7')!;
    objects.update({ ...scaled, spec: { ...scaled.spec, replicas: replicas + 1 } });
    const start = performance.now();
    cluster.settle();
    console.info(`scaled in ${Math.round(performance.now() - start)} ms, ${store.revision - revision} writes`);
    expect(store.revision - revision).toBeLessThan(20);
  });
});
