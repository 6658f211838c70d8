import { describe, expect, it } from 'vitest';
import type {
  DaemonSet,
  Deployment,
  KubeObject,
  Pod,
  ReplicaSet,
  StatefulSet,
  Unstructured,
} from '../../kube/types/index.ts';
import { createTestCluster, deployment, passThrough, pod, podTemplate } from './cluster.fixture.ts';

const newImage = (name: string, image: string, replicas?: number) =>
  deployment(name, replicas, { containers: [{ name: 'app', image }] });

function statefulSet(name: string, spec: Partial<StatefulSet['spec']> = {}): StatefulSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, namespace: 'default' },
    spec: { serviceName: name, selector: { matchLabels: { app: name } }, template: podTemplate(name), ...spec },
  };
}

const object = (apiVersion: string, kind: string, name: string, spec: object): KubeObject =>
  ({ apiVersion, kind, metadata: { name, namespace: 'default' }, spec }) as unknown as Unstructured;

const isReplicaSetOf = (name: string) => (set: ReplicaSet) =>
  set.metadata.ownerReferences?.some((owner) => owner.kind === 'Deployment' && owner.name === name);

describe('Deployments', () => {
  it('make one Pod unless told otherwise, owned through a ReplicaSet', () => {
    const cluster = createTestCluster();
    cluster.apply(deployment('web'));
    const [set] = cluster.store.list<ReplicaSet>('replicasets.apps');
    const [only] = cluster.pods();
    expect(set!.metadata.labels?.['pod-template-hash']).toBe(set!.metadata.name.slice('web-'.length));
    expect(only!.metadata.labels).toEqual({
      app: 'web',
      'pod-template-hash': set!.metadata.labels!['pod-template-hash'],
    });
    expect(only!.metadata.ownerReferences).toEqual([
      expect.objectContaining({
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        name: set!.metadata.name,
        controller: true,
      }),
    ]);
    expect(only!.metadata.name.startsWith(`${set!.metadata.name}-`)).toBe(true);
  });

  it('report what kubectl rollout status and kubectl wait look at', () => {
    const cluster = createTestCluster();
    cluster.apply(deployment('web', 2));
    const { status, metadata } = cluster.get<Deployment>('deployments.apps', 'default/web');
    expect(metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1');
    expect(status).toMatchObject({ replicas: 2, updatedReplicas: 2, availableReplicas: 2, unavailableReplicas: 0 });
    expect(status!.observedGeneration).toBe(metadata.generation);
    expect(status!.conditions).toEqual([
      expect.objectContaining({ type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable' }),
      expect.objectContaining({ type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' }),
    ]);
  });

  it('replace their Pods when the template changes, and keep the old ReplicaSet for a rollback', () => {
    const cluster = createTestCluster();
    cluster.apply(newImage('web', 'app:1', 2));
    const before = cluster.podNames();
    cluster.apply(newImage('web', 'app:2', 2));
    expect(cluster.pods().map((item) => item.spec.containers[0]!.image)).toEqual(['app:2', 'app:2']);
    cluster.apply(newImage('web', 'app:1', 2));
    const sets = cluster.store.list<ReplicaSet>('replicasets.apps');
    expect(
      sets.map((set) => [set.spec.replicas, set.metadata.annotations!['deployment.kubernetes.io/revision']]).sort(),
    ).toEqual([
      [0, '2'],
      [2, '3'],
    ]);
    expect(cluster.podNames()).not.toEqual(before);
  });

  it('keep old Pods while the new ones are not ready', () => {
    const cluster = createTestCluster();
    cluster.apply(newImage('web', 'app:1', 2));
    const broken = newImage('web', 'app:2', 2);
    broken.spec.template.metadata!.annotations = { 'fairway.dev/ready': 'false' };
    cluster.apply(broken);
    expect(cluster.pods().filter((item) => item.spec.containers[0]!.image === 'app:1')).toHaveLength(2);
    const { status } = cluster.get<Deployment>('deployments.apps', 'default/web');
    expect(status).toMatchObject({ replicas: 4, updatedReplicas: 2, availableReplicas: 2 });
    expect(status!.conditions).toContainEqual(
      expect.objectContaining({ type: 'Progressing', reason: 'ReplicaSetUpdated' }),
    );
  });

  it('take the old version down first when the strategy is Recreate', () => {
    const cluster = createTestCluster();
    const recreate = (image: string) => {
      const made = newImage('web', image, 2);
      return { ...made, spec: { ...made.spec, strategy: { type: 'Recreate' } } };
    };
    cluster.apply(recreate('app:1'));
    let both = false;
    cluster.store.subscribe(() => {
      const images = new Set(cluster.pods().map((item) => item.spec.containers[0]!.image));
      both ||= images.size > 1;
    });
    cluster.apply(recreate('app:2'));
    expect(cluster.pods().map((item) => item.spec.containers[0]!.image)).toEqual(['app:2', 'app:2']);
    expect(both).toBe(false);
  });

  it('make nothing new while paused, but scale', () => {
    const cluster = createTestCluster();
    cluster.apply(newImage('web', 'app:1', 1));
    const paused = newImage('web', 'app:2', 3);
    paused.spec.paused = true;
    cluster.apply(paused);
    expect(cluster.pods().map((item) => item.spec.containers[0]!.image)).toEqual(['app:1', 'app:1', 'app:1']);
    cluster.patch('deployments.apps', 'default/web', { spec: { paused: false } });
    expect(cluster.pods().map((item) => item.spec.containers[0]!.image)).toEqual(['app:2', 'app:2', 'app:2']);
  });

  it('keep as much history as asked for', () => {
    const cluster = createTestCluster();
    for (let version = 1; version <= 5; version++) {
      const made = newImage('web', `app:${version}`);
      made.spec.revisionHistoryLimit = 2;
      cluster.apply(made);
    }
    const revisions = cluster.store
      .list<ReplicaSet>('replicasets.apps')
      .filter(isReplicaSetOf('web'))
      .map((set) => set.metadata.annotations!['deployment.kubernetes.io/revision']);
    expect(revisions.sort()).toEqual(['3', '4', '5']);
  });

  it('scale to nothing and back', () => {
    const cluster = createTestCluster();
    cluster.apply(deployment('web', 3));
    cluster.patch('deployments.apps', 'default/web', { spec: { replicas: 0 } });
    expect(cluster.pods()).toEqual([]);
    cluster.patch('deployments.apps', 'default/web', { spec: { replicas: 2 } });
    expect(cluster.pods()).toHaveLength(2);
  });

  it('go with all they made', () => {
    const cluster = createTestCluster();
    cluster.apply(deployment('web', 2));
    cluster.delete('deployments.apps', 'default/web');
    expect(cluster.pods()).toEqual([]);
    expect(cluster.store.list('replicasets.apps')).toEqual([]);
  });

  it('make no Pods that they would not select, and say so', () => {
    const cluster = createTestCluster({ admission: passThrough });
    const wrong = deployment('web', 2);
    wrong.spec.template.metadata = { labels: { app: 'other' } };
    cluster.apply(wrong);
    expect(cluster.pods()).toEqual([]);
    expect(cluster.codes()).toEqual(['FW1507']);
    cluster.apply(deployment('web', 2));
    expect(cluster.pods()).toHaveLength(2);
    expect(cluster.codes()).toEqual([]);
  });
});

describe('ReplicaSets', () => {
  const replicaSet = (replicas: number) =>
    object('apps/v1', 'ReplicaSet', 'web', {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: podTemplate('web'),
    });

  it('name Pods the same in every run', () => {
    const names = () => {
      const cluster = createTestCluster();
      cluster.apply(replicaSet(3));
      return cluster.podNames();
    };
    expect(names()).toEqual(names());
    expect(names()[0]).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  });

  it('replace a deleted Pod by one of another name', () => {
    const cluster = createTestCluster();
    cluster.apply(replicaSet(2));
    const [first, second] = cluster.podNames();
    cluster.delete('pods', `default/${first}`);
    expect(cluster.podNames()).toHaveLength(2);
    expect(cluster.podNames()).toContain(second);
    expect(cluster.podNames()).not.toContain(first);
  });

  it('shrink by the Pods that are not ready, then by the newest', () => {
    const cluster = createTestCluster();
    cluster.apply(replicaSet(1));
    const [oldest] = cluster.podNames();
    cluster.apply(replicaSet(4));
    const [unready] = cluster.podNames().filter((name) => name !== oldest);
    cluster.patch('pods', `default/${unready}`, { metadata: { annotations: { 'fairway.dev/ready': 'false' } } });
    cluster.apply(replicaSet(3));
    expect(cluster.podNames()).not.toContain(unready);
    cluster.apply(replicaSet(1));
    expect(cluster.podNames()).toEqual([oldest]);
  });

  it('adopt Pods that match and let go of those that no longer do', () => {
    const cluster = createTestCluster();
    cluster.apply(pod('stray', { app: 'web' }));
    cluster.apply(replicaSet(2));
    expect(cluster.podNames()).toContain('stray');
    expect(cluster.pods()).toHaveLength(2);
    cluster.patch('pods', 'default/stray', { metadata: { labels: { app: 'quarantine' } } });
    expect(cluster.get<Pod>('pods', 'default/stray').metadata.ownerReferences).toEqual([]);
    expect(cluster.pods()).toHaveLength(3);
    cluster.patch('pods', 'default/stray', { metadata: { labels: { app: 'web' } } });
    expect(cluster.pods()).toHaveLength(2);
  });

  it('stop at the limit of Pods, and go on when there is room', () => {
    const cluster = createTestCluster({ maxPods: 5 });
    cluster.apply(replicaSet(1_000_000));
    expect(cluster.pods()).toHaveLength(5);
    expect(cluster.codes()).toEqual(['FW1508']);
    cluster.apply(deployment('late', 1));
    expect(cluster.codes()).toEqual(['FW1508', 'FW1508']);
    cluster.apply(replicaSet(3));
    expect(cluster.pods()).toHaveLength(4);
    expect(cluster.codes()).toEqual([]);
  });

  it('have an older sister', () => {
    const cluster = createTestCluster();
    cluster.apply(object('v1', 'ReplicationController', 'old', { replicas: 2, template: podTemplate('old') }));
    expect(cluster.pods()).toHaveLength(2);
    expect(cluster.get<Unstructured>('replicationcontrollers', 'default/old').status).toMatchObject({
      readyReplicas: 2,
    });
  });
});

describe('StatefulSets', () => {
  it('number their Pods and give them names under their Service', () => {
    const cluster = createTestCluster();
    cluster.apply(statefulSet('mysql', { replicas: 3, ordinals: { start: 1 } }));
    expect(cluster.podNames()).toEqual(['mysql-1', 'mysql-2', 'mysql-3']);
    const [first] = cluster.pods();
    expect(first!.spec).toMatchObject({ hostname: 'mysql-1', subdomain: 'mysql' });
    expect(first!.metadata.labels).toMatchObject({
      'statefulset.kubernetes.io/pod-name': 'mysql-1',
      'apps.kubernetes.io/pod-index': '1',
      'controller-revision-hash': expect.stringMatching(/^mysql-/),
    });
    expect(cluster.get<StatefulSet>('statefulsets.apps', 'default/mysql').status).toMatchObject({
      replicas: 3,
      readyReplicas: 3,
      currentReplicas: 3,
      updatedReplicas: 3,
      observedGeneration: 1,
    });
  });

  it('wait for each Pod before the next, unless told to go in parallel', () => {
    const unready = {
      ...podTemplate('db'),
      metadata: { labels: { app: 'db' }, annotations: { 'fairway.dev/ready': 'false' } },
    };
    const ordered = createTestCluster();
    ordered.apply(statefulSet('db', { replicas: 3, template: unready }));
    expect(ordered.podNames()).toEqual(['db-0']);
    ordered.apply(statefulSet('db', { replicas: 3 }));
    expect(ordered.podNames()).toEqual(['db-0', 'db-1', 'db-2']);
    expect(ordered.pods().every((item) => !item.metadata.annotations)).toBe(true);
    const parallel = createTestCluster();
    parallel.apply(statefulSet('db', { replicas: 3, template: unready, podManagementPolicy: 'Parallel' }));
    expect(parallel.podNames()).toEqual(['db-0', 'db-1', 'db-2']);
  });

  it('shrink from the end', () => {
    const cluster = createTestCluster();
    cluster.apply(statefulSet('db', { replicas: 4 }));
    cluster.apply(statefulSet('db', { replicas: 1 }));
    expect(cluster.podNames()).toEqual(['db-0']);
  });

  it('make a deleted Pod again under its name and address', () => {
    const cluster = createTestCluster();
    cluster.apply(statefulSet('db', { replicas: 2 }));
    const before = cluster.get<Pod>('pods', 'default/db-0');
    cluster.delete('pods', 'default/db-0', 30);
    const after = cluster.get<Pod>('pods', 'default/db-0');
    expect(after.metadata.uid).not.toBe(before.metadata.uid);
    expect(after.status?.podIP).toBe(before.status?.podIP);
  });

  it('replace Pods from the last one down to the partition', () => {
    const cluster = createTestCluster();
    cluster.apply(statefulSet('db', { replicas: 3 }));
    const order: string[] = [];
    cluster.store.subscribe(({ type, resource, object: gone }) => {
      if (type === 'DELETED' && resource === 'pods') order.push(gone.metadata.name);
    });
    const template = podTemplate('db', { containers: [{ name: 'app', image: 'app:2' }] });
    const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 1 } };
    cluster.apply(statefulSet('db', { replicas: 3, template, updateStrategy }));
    expect(order).toEqual(['db-2', 'db-1']);
    expect(cluster.pods().map((item) => item.spec.containers[0]!.image)).toEqual(['example/app:1', 'app:2', 'app:2']);
    const { status } = cluster.get<StatefulSet>('statefulsets.apps', 'default/db');
    expect(status).toMatchObject({ updatedReplicas: 2, currentReplicas: 1 });
    expect(status!.currentRevision).not.toBe(status!.updateRevision);
  });
});

describe('DaemonSets', () => {
  const daemonSet = (image = 'agent:1') =>
    object('apps/v1', 'DaemonSet', 'agent', {
      selector: { matchLabels: { app: 'agent' } },
      template: podTemplate('agent', { containers: [{ name: 'agent', image }] }),
    });

  it('run one Pod on each Node', () => {
    const cluster = createTestCluster();
    cluster.apply(daemonSet());
    expect(cluster.pods().map((item) => item.spec.nodeName)).toEqual(['fairway']);
    cluster.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'second' } });
    expect(
      cluster
        .pods()
        .map((item) => item.spec.nodeName)
        .sort(),
    ).toEqual(['fairway', 'second']);
    expect(cluster.get<DaemonSet>('daemonsets.apps', 'default/agent').status).toMatchObject({
      desiredNumberScheduled: 2,
      numberReady: 2,
      updatedNumberScheduled: 2,
    });
    cluster.delete('nodes', 'second');
    expect(cluster.pods().map((item) => item.spec.nodeName)).toEqual(['fairway']);
  });

  it('replace their Pods when the template changes', () => {
    const cluster = createTestCluster();
    cluster.apply(daemonSet());
    cluster.apply(daemonSet('agent:2'));
    expect(cluster.pods().map((item) => item.spec.containers[0]!.image)).toEqual(['agent:2']);
  });
});

describe('Jobs', () => {
  it('are done at once', () => {
    const cluster = createTestCluster();
    cluster.apply(
      object('batch/v1', 'Job', 'migrate', {
        completions: 3,
        parallelism: 2,
        template: podTemplate('migrate', { restartPolicy: 'Never' }),
      }),
    );
    expect(cluster.pods().map((item) => item.status?.phase)).toEqual(['Succeeded', 'Succeeded', 'Succeeded']);
    expect(cluster.get<Unstructured>('jobs.batch', 'default/migrate').status).toMatchObject({
      succeeded: 3,
      active: 0,
      conditions: [{ type: 'SuccessCriteriaMet' }, { type: 'Complete', status: 'True' }],
    });
  });

  it('wait while suspended', () => {
    const cluster = createTestCluster();
    cluster.apply(
      object('batch/v1', 'Job', 'later', { suspend: true, template: podTemplate('later', { restartPolicy: 'Never' }) }),
    );
    expect(cluster.pods()).toEqual([]);
  });

  it('are not made by CronJobs, which say so', () => {
    const cluster = createTestCluster();
    cluster.apply(
      object('batch/v1', 'CronJob', 'nightly', {
        schedule: '0 3 * * *',
        jobTemplate: { spec: { template: podTemplate('nightly', { restartPolicy: 'Never' }) } },
      }),
    );
    expect(cluster.store.list('jobs.batch')).toEqual([]);
    expect(cluster.codes()).toEqual(['FW1506']);
  });
});
