import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../types/index.ts';
import { createReconciler, settle } from './reconciler.ts';
import { createStore } from './store.ts';

const config = (name: string, value = ''): KubeObject & { value: string } => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  value,
});

function copier(from: string, to: string, store: ReturnType<typeof createStore>, worked: string[]) {
  return createReconciler({
    store,
    watch: { [from]: ({ object }) => [object.metadata.name] },
    reconcile(key) {
      worked.push(key);
      const source = store.get<KubeObject & { value: string }>(from, key);
      const copy = store.get<KubeObject & { value: string }>(to, key);
      if (source && copy?.value !== source.value) store.put(to, config(key, source.value));
    },
    onError: (error) => {
      throw error;
    },
  });
}

describe('reconciler', () => {
  it('works on a key once however often it changed, with objects of before the start included', () => {
    const store = createStore();
    store.put('a', config('x'));
    const worked: string[] = [];
    const reconciler = copier('a', 'b', store, worked);
    store.put('a', config('x', '1'));
    store.put('a', config('x', '2'));
    expect(worked).toEqual([]);
    expect(reconciler.drain()).toBe(1);
    expect(worked).toEqual(['x']);
    expect(reconciler.drain()).toBe(0);
  });

  it('settles a chain of controllers', () => {
    const store = createStore();
    const chain = [copier('a', 'b', store, []), copier('b', 'c', store, [])];
    store.put('a', config('x', 'deep'));
    settle(chain);
    expect(store.get<KubeObject & { value: string }>('c', 'x')?.value).toBe('deep');
  });

  it('finds controllers that never agree', () => {
    const store = createStore();
    let turn = 0;
    const restless = createReconciler({
      store,
      watch: { a: ({ object }) => [object.metadata.name] },
      reconcile: (key) => {
        store.put('a', config(key, String(turn++)));
      },
      onError: () => {},
    });
    store.put('a', config('x'));
    expect(() => settle([restless], 50)).toThrow(/did not settle within 50 rounds/);
  });

  it('drains by itself once started, and not after stop', async () => {
    const store = createStore();
    const worked: string[] = [];
    const reconciler = copier('a', 'b', store, worked);
    reconciler.start();
    store.put('a', config('x'));
    expect(worked).toEqual([]);
    await new Promise((resume) => setTimeout(resume, 5));
    expect(worked).toEqual(['x']);
    reconciler.stop();
    store.put('a', config('y'));
    await new Promise((resume) => setTimeout(resume, 5));
    expect(worked).toEqual(['x']);
  });

  it('goes on with the other keys when one fails', () => {
    const store = createStore();
    const failed: string[] = [];
    const done: string[] = [];
    const reconciler = createReconciler({
      store,
      watch: { a: ({ object }) => [object.metadata.name] },
      reconcile(key) {
        if (key === 'bad') throw new Error('no');
        done.push(key);
      },
      onError: (_error, key) => failed.push(key),
    });
    for (const name of ['one', 'bad', 'two']) store.put('a', config(name));
    reconciler.drain();
    expect([failed, done]).toEqual([['bad'], ['one', 'two']]);
  });
});
