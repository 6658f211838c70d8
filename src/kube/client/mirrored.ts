/**
 * The objects of one reflector in a store that others may fill too, and which version of each is there. A new list is
 * laid over the old state object by object: what has not changed is not touched, what is no longer there is removed
 * when the list is whole, and at no time is there a second copy.
 */
import { keyOf, type Resource, resourceName } from '../resources.ts';
import type { Store } from '../store/store.ts';
import type { KubeObject } from '../types/index.ts';
import type { Project } from './project.ts';
import type { ReflectorMetrics } from './reflector-metrics.ts';
import { sameJson } from './same-json.ts';

/** Where a reflector puts what it sees: a Store, or something smaller. */
export type Mirror = Pick<Store, 'put' | 'remove'> & Partial<Pick<Store, 'get'>>;

export interface Mirrored {
  /** An object of a watch event. */
  keep(object: KubeObject): void;
  drop(object: KubeObject): void;
  /** From here on, `keep` also tells which objects are still there. */
  beginList(): void;
  /** The list is whole: what it did not name is removed. */
  completeList(): void;
  /** The list broke off: what it did not name stays. */
  abandonList(): void;
  /** Removes everything. */
  clear(): void;
  /** Objects of the mirror. */
  readonly size: number;
}

export interface MirroredOptions {
  readonly store: Mirror;
  readonly resource: Resource;
  readonly project: Project;
  /**
   * The store (which must have `get`) is left alone when all that is kept of an object is as before: nobody hears of
   * changes in other fields, and a list of known objects makes no new ones. Default false.
   */
  readonly skipUnchanged?: boolean;
  readonly metrics: ReflectorMetrics;
}

export function createMirrored(options: MirroredOptions): Mirrored {
  const { store, resource, project, metrics } = options;
  const name = resourceName(resource);
  /** Version of each object by key. While a list is read, keys move from `before` to `known` one by one. */
  let known = new Map<string, string>();
  let before = new Map<string, string>();

  function projected(object: KubeObject): KubeObject | undefined {
    try {
      return project(object);
    } catch {
      metrics.projectionFailures++;
      return undefined;
    }
  }

  function count(): void {
    metrics.objects = known.size + before.size;
  }

  function remove(key: string): void {
    known.delete(key);
    before.delete(key);
    store.remove(name, key);
    count();
  }

  const mirrored: Mirrored = {
    get size() {
      return known.size + before.size;
    },
    keep(object) {
      const key = keyOf(object);
      const version = object.metadata.resourceVersion ?? '';
      const old = before.get(key) ?? known.get(key);
      if (old !== undefined && old === version) {
        before.delete(key);
        known.set(key, old);
        return;
      }
      const kept = projected(object);
      if (!kept) {
        if (old !== undefined) remove(key);
        return;
      }
      const unchanged = options.skipUnchanged && old !== undefined && sameJson(store.get?.(name, key), kept);
      if (!unchanged) store.put(name, kept);
      before.delete(key);
      known.set(key, version);
      count();
    },
    drop(object) {
      const key = keyOf(object);
      if (known.has(key) || before.has(key)) remove(key);
    },
    beginList() {
      before = known;
      known = new Map();
    },
    completeList() {
      for (const key of before.keys()) store.remove(name, key);
      before = new Map();
      count();
    },
    abandonList() {
      for (const [key, version] of before) known.set(key, version);
      before = new Map();
    },
    clear() {
      for (const key of [...known.keys(), ...before.keys()]) remove(key);
    },
  };
  return mirrored;
}
