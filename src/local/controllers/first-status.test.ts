import { describe, expect, it, vi } from 'vitest';
import type { Change } from '../../kube/store/store.ts';
import type { ReplicaSet } from '../../kube/types/index.ts';
import type { PodRuntime, PodState } from '../runtime.ts';
import { createTestCluster, deployment, endpointsOf, pod, service, type TestCluster } from './cluster.fixture.ts';

function createSlowRuntime() {
  const known = new Set<string>();
  let tell: (key: string, state: PodState) => void = () => {};
  const runtime: PodRuntime = {
    ensure: ({ metadata }) => known.add(`${metadata.namespace}/${metadata.name}`),
    remove: (key) => known.delete(key),
    onState: (listener) => {
      tell = listener;
    },
    logs: () => undefined,
    close: async () => {},
  };
  return {
    runtime,
    answerAll: () => {
      for (const key of known) tell(key, { type: 'running' });
    },
  };
}

function countWrites(cluster: TestCluster) {
  const counts: Record<string, number> = {};
  cluster.store.subscribe(({ type, resource }: Change) => {
    const id = `${type} ${resource}`;
    counts[id] = (counts[id] ?? 0) + 1;
  });
  return counts;
}

describe('what follows from new Pods', () => {
  it('is written once, when they answer', () => {
    const { runtime, answerAll } = createSlowRuntime();
    const cluster = createTestCluster({ runtime });
    const counts = countWrites(cluster);
    cluster.apply(deployment('web', 3), service('web'));
    expect(cluster.slices('web')).toEqual([]);
    answerAll();
    cluster.cluster.settle();
    expect(endpointsOf(cluster.slices('web'))).toHaveLength(3);
    expect(cluster.get('deployments.apps', 'default/web').status).toMatchObject({ availableReplicas: 3 });
    expect(counts).toEqual({
      'ADDED deployments.apps': 1,
      // The revision annotation and the status.
      'MODIFIED deployments.apps': 2,
      'ADDED replicasets.apps': 1,
      'MODIFIED replicasets.apps': 1,
      'ADDED pods': 3,
      'MODIFIED pods': 3,
      'ADDED services': 1,
      'MODIFIED services': 1,
      'ADDED endpointslices.discovery.k8s.io': 1,
      'ADDED endpoints': 1,
    });
    cluster.cluster.stop();
  });

  it('is written all the same when they do not answer', async () => {
    const { runtime } = createSlowRuntime();
    const cluster = createTestCluster({ runtime });
    cluster.apply(deployment('web', 2), service('web'));
    await vi.waitFor(() => {
      cluster.cluster.settle();
      expect(cluster.slices('web')).toHaveLength(1);
    });
    const [slice] = cluster.slices('web');
    expect(slice!.endpoints.map(({ conditions }) => conditions?.ready)).toEqual([false, false]);
    const [set] = cluster.store.list<ReplicaSet>('replicasets.apps');
    expect(set!.status).toMatchObject({ replicas: 2, readyReplicas: 0 });
    cluster.cluster.stop();
  });

  it('does not wait for Pods that are gone or are no longer selected', () => {
    const { runtime } = createSlowRuntime();
    const cluster = createTestCluster({ runtime });
    cluster.apply(pod('gone', { app: 'web' }), service('web'));
    expect(cluster.slices('web')).toEqual([]);
    cluster.delete('pods', 'default/gone', 0);
    expect(cluster.slices('web')).toMatchObject([{ endpoints: [] }]);

    cluster.apply(pod('left', { app: 'shop' }), service('shop'));
    expect(cluster.slices('shop')).toEqual([]);
    cluster.patch('pods', 'default/left', { metadata: { labels: { app: 'other' } } });
    expect(cluster.slices('shop')).toMatchObject([{ endpoints: [] }]);
    cluster.cluster.stop();
  });

  it('is one spec for all Pods of a template', () => {
    const cluster = createTestCluster();
    cluster.apply(deployment('web', 3));
    expect(new Set(cluster.pods().map(({ spec }) => spec)).size).toBe(1);
    cluster.patch('deployments.apps', 'default/web', { spec: { replicas: 5 } });
    expect(new Set(cluster.pods().map(({ spec }) => spec)).size).toBe(1);
  });
});
