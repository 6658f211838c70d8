import { describe, expect, it } from 'vitest';
import type { KubeObject, Service } from '../../kube/types/index.ts';
import { createTestCluster, deployment, service } from './cluster.fixture.ts';

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
