/**
 * Objects in memory with indexes and a change feed: the one source of truth of every role. In `fairway up` it is the
 * storage of the API server; in a cluster it mirrors what list and watch bring.
 *
 * Writes are synchronous and every subscriber hears of a change before the write returns, in the order of writes.
 * Subscribers must only note what changed; they do their work later (see reconciler.ts).
 */

import { blank } from '../../base/blank.ts';
import { createGroups, type Groups } from '../../base/groups.ts';
import type { ResourceName } from '../resources.ts';
import { keyOf } from '../resources.ts';
import type { KubeObject } from '../types/index.ts';

export interface Change<T extends KubeObject = KubeObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: ResourceName;
  /** The object after the change; for DELETED its last state, with the resourceVersion of the deletion. */
  readonly object: T;
  readonly previous?: T;
  readonly revision: number;
}

export type ChangeListener = (change: Change) => void;

/** Reading side: what translators, records and insight get. */
export interface StoreReader {
  /** Revision of the newest write; `metadata.resourceVersion` of an object is the revision that wrote it. */
  readonly revision: number;
  /** A revision since which no object of the resource has changed. */
  changedAt(resource: ResourceName): number;
  /** By resource and `namespace/name` (or `name` for cluster-scoped objects). */
  get<T extends KubeObject>(resource: ResourceName, key: string): T | undefined;
  /** All objects of a resource, or those of one namespace, in no promised order. */
  list<T extends KubeObject>(resource: ResourceName, namespace?: string): T[];
  /** Objects filed under a value of an index made with `addIndex`. */
  indexed<T extends KubeObject>(resource: ResourceName, index: string, value: string): T[];
  subscribe(listener: ChangeListener): () => void;
  /**
   * Whether it is not known if there is an object that `get` does not find: nobody has answered, or it may not be read.
   * Absent: what is not found is not there.
   */
  isUnanswered?(resource: ResourceName, key: string): boolean;
}

export interface Store extends StoreReader {
  /** Stores an object as it is, under a new revision that is written into `metadata.resourceVersion`. */
  put<T extends KubeObject>(resource: ResourceName, object: T): T;
  remove(resource: ResourceName, key: string): KubeObject | undefined;
  /** Files objects of a resource under the values that `valuesOf` gives. Existing objects are filed at once. */
  addIndex(resource: ResourceName, index: string, valuesOf: (object: KubeObject) => readonly string[]): void;
  /**
   * Changes of a resource after a revision, oldest first; undefined when they are no longer all kept (HTTP 410).
   * The newest `historyLimit` changes over all resources are kept.
   */
  changesSince(resource: ResourceName, revision: number): readonly Change[] | undefined;
}

interface Shelf {
  readonly objects: Map<string, KubeObject>;
  readonly namespaces: Map<string, Map<string, KubeObject>>;
  readonly indexes: Map<string, Index>;
  /** Revision of the newest write. */
  changedAt: number;
}

interface Index {
  readonly valuesOf: (object: KubeObject) => readonly string[];
  readonly entries: Groups<KubeObject>;
}

function file(groups: Map<string, Map<string, KubeObject>>, group: string, key: string, object: KubeObject): void {
  let members = groups.get(group);
  if (!members) {
    members = new Map();
    groups.set(group, members);
  }
  members.set(key, object);
}

function unfile(groups: Map<string, Map<string, KubeObject>>, group: string, key: string): void {
  const members = groups.get(group);
  if (members?.delete(key) && members.size === 0) groups.delete(group);
}

export interface StoreOptions {
  /** How many changes `changesSince` can look back on; each holds on to an old object. Default 10,000. */
  historyLimit?: number;
  /**
   * The store mirrors an API server: objects keep the `metadata.resourceVersion` that they come with, so that writes
   * can name it. Default false: the revision of the write takes its place.
   */
  mirror?: boolean;
  /**
   * Revision of the empty store. One that no earlier life of the same store has reached lets readers of that life
   * notice that they must begin anew. Default 0.
   */
  firstRevision?: number;
}

export function createStore(options: StoreOptions = {}): Store {
  const { historyLimit = 10_000, mirror = false, firstRevision = 0 } = options;
  const shelves = new Map<ResourceName, Shelf>();
  const listeners = new Set<ChangeListener>();
  let history: Change[] = [];
  /** Revisions up to this one may have been dropped from the history. */
  let forgotten = firstRevision;
  let revision = firstRevision;

  function shelfOf(resource: ResourceName): Shelf {
    let shelf = shelves.get(resource);
    if (!shelf) {
      shelf = { objects: new Map(), namespaces: new Map(), indexes: new Map(), changedAt: firstRevision };
      shelves.set(resource, shelf);
    }
    return shelf;
  }

  function shelve(shelf: Shelf, key: string, object: KubeObject | undefined, previous: KubeObject | undefined): void {
    const namespace = (object ?? previous)!.metadata.namespace;
    shelf.changedAt = revision;
    if (object) shelf.objects.set(key, object);
    else shelf.objects.delete(key);
    if (namespace) {
      if (object) file(shelf.namespaces, namespace, key, object);
      else unfile(shelf.namespaces, namespace, key);
    }
    for (const { valuesOf, entries } of shelf.indexes.values()) {
      const after = object ? valuesOf(object) : [];
      const before = previous ? valuesOf(previous) : [];
      // Most writes leave an object where it is.
      if (before !== after) for (const value of before) if (!after.includes(value)) entries.remove(value, key);
      if (object) for (const value of after) entries.add(value, key, object);
    }
  }

  function remember(change: Change): void {
    if (historyLimit === 0) {
      forgotten = change.revision;
      return;
    }
    history.push(change);
    // Cut in halves, so that remembering a change costs amortised constant time.
    if (history.length > historyLimit * 2) {
      forgotten = history[history.length - historyLimit - 1]!.revision;
      history = history.slice(-historyLimit);
    }
  }

  function announce(change: Change): void {
    remember(change);
    for (const listener of listeners) listener(change);
  }

  return {
    get revision() {
      return revision;
    },
    changedAt: (resource) => shelves.get(resource)?.changedAt ?? firstRevision,
    get: <T extends KubeObject>(resource: ResourceName, key: string) =>
      shelves.get(resource)?.objects.get(key) as T | undefined,
    list<T extends KubeObject>(resource: ResourceName, namespace?: string): T[] {
      const shelf = shelves.get(resource);
      const objects = namespace === undefined ? shelf?.objects : shelf?.namespaces.get(namespace);
      return objects ? ([...objects.values()] as T[]) : [];
    },
    indexed<T extends KubeObject>(resource: ResourceName, index: string, value: string): T[] {
      const found = shelves.get(resource)?.indexes.get(index);
      if (!found) throw new Error(`no index ${index} on ${resource}`);
      return found.entries.members(value) as T[];
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    put<T extends KubeObject>(resource: ResourceName, object: T): T {
      const shelf = shelfOf(resource);
      const key = keyOf(object);
      const previous = shelf.objects.get(key);
      revision++;
      const stored = mirror
        ? object
        : { ...blank, ...object, metadata: { ...blank, ...object.metadata, resourceVersion: String(revision) } };
      shelve(shelf, key, stored, previous);
      announce({
        type: previous ? 'MODIFIED' : 'ADDED',
        resource,
        object: stored,
        ...(previous && { previous }),
        revision,
      });
      return stored;
    },
    remove(resource, key) {
      const shelf = shelfOf(resource);
      const previous = shelf.objects.get(key);
      if (!previous) return undefined;
      revision++;
      shelve(shelf, key, undefined, previous);
      const object = mirror
        ? previous
        : { ...previous, metadata: { ...previous.metadata, resourceVersion: String(revision) } };
      announce({ type: 'DELETED', resource, object, previous, revision });
      return object;
    },
    addIndex(resource, name, valuesOf) {
      const shelf = shelfOf(resource);
      if (shelf.indexes.has(name)) return;
      const index: Index = { valuesOf, entries: createGroups() };
      for (const [key, object] of shelf.objects)
        for (const value of valuesOf(object)) index.entries.add(value, key, object);
      shelf.indexes.set(name, index);
    },
    changesSince(resource, since) {
      if (since < forgotten) return undefined;
      let from = history.length;
      while (from > 0 && history[from - 1]!.revision > since) from--;
      return history.slice(from).filter((change) => change.resource === resource);
    },
  };
}
