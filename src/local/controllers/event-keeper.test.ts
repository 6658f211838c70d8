import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createStore } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { createEventKeeper } from './event-keeper.ts';

const event = (name: string, count = 1): KubeObject =>
  ({ apiVersion: 'v1', kind: 'Event', metadata: { namespace: 'default', name }, count }) as KubeObject;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('createEventKeeper', () => {
  const names = (store: ReturnType<typeof createStore>) =>
    store
      .list('events')
      .map(({ metadata }) => metadata.name)
      .sort();

  it('lets an Event go an hour after it was written last', () => {
    const store = createStore();
    store.put('events', event('old'));
    const keeper = createEventKeeper({ store });
    store.put('events', event('again'));
    vi.advanceTimersByTime(1_800_000);
    store.put('events', event('again', 2));
    vi.advanceTimersByTime(1_799_000);
    expect(names(store)).toEqual(['again', 'old']);
    vi.advanceTimersByTime(2_000);
    expect(names(store)).toEqual(['again']);
    vi.advanceTimersByTime(1_800_000);
    expect(names(store)).toEqual([]);
    keeper.close();
  });

  it('keeps the newest where there are too many, and leaves other objects alone', () => {
    const store = createStore();
    const keeper = createEventKeeper({ store, most: 2 });
    store.put('configmaps', { ...event('map'), kind: 'ConfigMap' });
    for (const name of ['a', 'b', 'c', 'd']) store.put('events', event(name));
    store.put('events', event('a', 2));
    vi.advanceTimersByTime(1);
    expect(names(store)).toEqual(['a', 'd']);
    expect(store.list('configmaps')).toHaveLength(1);
    keeper.close();
  });

  it('has nothing to do with an Event that somebody else deleted', () => {
    const store = createStore();
    const keeper = createEventKeeper({ store, ttlMs: 1000 });
    store.put('events', event('a'));
    store.remove('events', 'default/a');
    vi.advanceTimersByTime(500);
    store.put('events', event('a'));
    vi.advanceTimersByTime(600);
    expect(names(store)).toEqual(['a']);
    keeper.close();
    vi.advanceTimersByTime(5000);
    expect(names(store)).toEqual(['a']);
  });
});
