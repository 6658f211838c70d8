/** The backends that parts of a plan name, each for as long as one of the parts does. */
import { equalJson } from '../../kube/objects.ts';
import type { Backend, BackendId } from '../plan/plan.ts';
import { changeSorted } from './sorted.ts';

export interface Inventory {
  /** A part that named `before` names `now`. */
  replace(before: readonly Backend[], now: readonly Backend[]): void;
  /** Sorted by id; the same array for as long as nothing changes. */
  sorted(): readonly Backend[];
}

interface Entry {
  backend: Backend;
  /** How many parts name it. */
  uses: number;
}

export function createInventory(): Inventory {
  const entries = new Map<BackendId, Entry>();
  const dirty = new Set<BackendId>();
  const listed = new Map<BackendId, Backend>();
  let sorted: readonly Backend[] = [];

  function add(backend: Backend): void {
    const entry = entries.get(backend.id);
    if (!entry) entries.set(backend.id, { backend, uses: 1 });
    else {
      entry.uses++;
      // The same Service port gives the same backend, except after a change of it: then all its users are renewed.
      if (entry.backend === backend || equalJson(entry.backend, backend)) return;
      entry.backend = backend;
    }
    dirty.add(backend.id);
  }

  function drop({ id }: Backend): void {
    const entry = entries.get(id);
    if (!entry || --entry.uses > 0) return;
    dirty.add(id);
  }

  return {
    replace(before, now) {
      for (const backend of now) add(backend);
      for (const backend of before) drop(backend);
    },
    sorted() {
      if (dirty.size === 0) return sorted;
      const removed = new Set<Backend>();
      const added: Backend[] = [];
      for (const id of dirty) {
        const entry = entries.get(id);
        if (entry?.uses === 0) entries.delete(id);
        const now = entry && entry.uses > 0 ? entry.backend : undefined;
        const before = listed.get(id);
        if (now === before) continue;
        if (before) removed.add(before);
        if (now) added.push(now);
        if (now) listed.set(id, now);
        else listed.delete(id);
      }
      dirty.clear();
      if (removed.size > 0 || added.length > 0) sorted = changeSorted(sorted, removed, added, byId);
      return sorted;
    },
  };
}

function byId(a: Backend, b: Backend): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
