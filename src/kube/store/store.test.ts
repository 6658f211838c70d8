import { describe, expect, it } from 'vitest';
import type { KubeObject, Pod } from '../types/index.ts';
import { type Change, createStore } from './store.ts';

const pod = (name: string, namespace = 'a', labels: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, labels },
});

describe('store', () => {
  it('numbers every write and tells subscribers before it returns', () => {
    const store = createStore();
    const changes: Change[] = [];
    const unsubscribe = store.subscribe((change) => changes.push(change));
    const first = store.put('pods', pod('x'));
    expect(first.metadata.resourceVersion).toBe('1');
    store.put('pods', pod('x', 'a', { v: '2' }));
    store.remove('pods', 'a/x');
    expect(changes.map(({ type, revision }) => [type, revision])).toEqual([
      ['ADDED', 1],
      ['MODIFIED', 2],
      ['DELETED', 3],
    ]);
    expect(changes[1]!.previous).toBe(first);
    expect(changes[2]!.object.metadata.resourceVersion).toBe('3');
    unsubscribe();
    store.put('pods', pod('y'));
    expect(changes).toHaveLength(3);
  });

  it('lists by namespace and forgets what is removed', () => {
    const store = createStore();
    store.put('pods', pod('x', 'a'));
    store.put('pods', pod('y', 'b'));
    expect(store.list<Pod>('pods', 'a').map(({ metadata }) => metadata.name)).toEqual(['x']);
    expect(store.list('pods')).toHaveLength(2);
    expect(store.remove('pods', 'a/x')).toBeDefined();
    expect(store.remove('pods', 'a/x')).toBeUndefined();
    expect(store.list('pods', 'a')).toEqual([]);
    expect(store.list('services')).toEqual([]);
  });

  it('keeps indexes current, for objects that were there before as well', () => {
    const store = createStore();
    store.put('pods', pod('x', 'a', { app: 'one' }));
    store.addIndex('pods', 'app', (object) => [object.metadata.labels?.app ?? '']);
    store.put('pods', pod('y', 'a', { app: 'one' }));
    expect(store.indexed('pods', 'app', 'one')).toHaveLength(2);
    store.put('pods', pod('x', 'a', { app: 'two' }));
    expect(store.indexed('pods', 'app', 'one').map(({ metadata }) => metadata.name)).toEqual(['y']);
    store.remove('pods', 'a/y');
    expect(store.indexed('pods', 'app', 'one')).toEqual([]);
    expect(() => store.indexed('pods', 'nope', 'x')).toThrow(/no index/);
  });

  it('remembers the newest changes and says when it has forgotten', () => {
    const store = createStore({ historyLimit: 10 });
    for (let i = 0; i < 100; i++) store.put(i % 2 === 0 ? 'pods' : 'services', pod(`x${i}`));
    expect(store.changesSince('pods', 0)).toBeUndefined();
    const newest = store.changesSince('pods', 95)!;
    expect(newest.map(({ revision }) => revision)).toEqual([97, 99]);
    expect(store.changesSince('pods', 100)).toEqual([]);
  });

  it('keeps the versions of the server that it mirrors, and no history when none is wanted', () => {
    const store = createStore({ mirror: true, historyLimit: 0 });
    const changes: Change[] = [];
    store.subscribe((change) => changes.push(change));
    const given = { ...pod('x'), metadata: { ...pod('x').metadata, resourceVersion: '77' } };
    expect(store.put('pods', given)).toBe(given);
    expect(store.remove('pods', 'a/x')).toBe(given);
    expect(changes.map(({ revision, object }) => [revision, object.metadata.resourceVersion])).toEqual([
      [1, '77'],
      [2, '77'],
    ]);
    expect(store.changesSince('pods', 1)).toBeUndefined();
    expect(store.changesSince('pods', 2)).toEqual([]);
  });

  it('begins at a revision of its own, and knows nothing of what was before', () => {
    const store = createStore({ firstRevision: 1000 });
    expect(store.put('pods', pod('x')).metadata.resourceVersion).toBe('1001');
    expect(store.changesSince('pods', 999)).toBeUndefined();
    expect(store.changesSince('pods', 1000)).toHaveLength(1);
  });
});
