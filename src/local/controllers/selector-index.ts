/**
 * Which selectors select a set of labels, without asking each one: a selector is filed under the rarest of the
 * `key=value` pairs that it demands, and labels only meet the selectors filed under one of their pairs.
 */
import { createGroups } from '../../base/groups.ts';

export interface SelectorIndex {
  /** Files a key under the pairs its selector demands; replaces what it was filed under. None: meets all labels. */
  set(key: string, pairs: Record<string, string> | undefined): void;
  delete(key: string): void;
  /** Keys that may select the labels: their full selectors are still to be asked. */
  candidates(labels: Record<string, string> | undefined): string[];
}

export function createSelectorIndex(): SelectorIndex {
  const anywhere = '';
  const shelves = createGroups<string>();
  const placeOf = new Map<string, string>();

  function remove(key: string): void {
    const place = placeOf.get(key);
    if (place === undefined) return;
    placeOf.delete(key);
    shelves.remove(place, key);
  }

  function rarest(pairs: Record<string, string>): string {
    let best = anywhere;
    let fewest = Number.POSITIVE_INFINITY;
    for (const [label, value] of Object.entries(pairs)) {
      const place = `${label}=${value}`;
      const size = shelves.size(place);
      if (size >= fewest) continue;
      best = place;
      fewest = size;
    }
    return best;
  }

  return {
    set(key, pairs) {
      remove(key);
      const place = rarest(pairs ?? {});
      placeOf.set(key, place);
      shelves.add(place, key, key);
    },
    delete: remove,
    candidates(labels) {
      const found = shelves.members(anywhere);
      for (const [label, value] of Object.entries(labels ?? {})) {
        for (const key of shelves.members(`${label}=${value}`)) found.push(key);
      }
      return found;
    },
  };
}

/** One selector index per namespace. */
export function createSelectorIndexes(): (namespace: string) => SelectorIndex {
  const indexes = new Map<string, SelectorIndex>();
  return (namespace) => {
    const found = indexes.get(namespace);
    if (found) return found;
    const made = createSelectorIndex();
    indexes.set(namespace, made);
    return made;
  };
}
