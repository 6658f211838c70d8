/** Keeping long lists in order when little of them changes. */

export type Compare<T> = (a: T, b: T) => number;

/**
 * A sorted list without `removed` and with `added`, as a new list. `compare` must never find two members equal unless
 * either order will do.
 */
export function changeSorted<T>(
  sorted: readonly T[],
  removed: ReadonlySet<T>,
  added: readonly T[],
  compare: Compare<T>,
): T[] {
  const kept = removed.size > 0 ? sorted.filter((item) => !removed.has(item)) : sorted;
  return added.length > 0 ? merge(kept, [...added].sort(compare), compare) : [...kept];
}

function merge<T>(a: readonly T[], b: readonly T[], compare: Compare<T>): T[] {
  if (a.length === 0) return [...b];
  const merged: T[] = [];
  let from = 0;
  for (const item of b) {
    const to = firstAfter(a, item, from, compare);
    for (; from < to; from++) merged.push(a[from]!);
    merged.push(item);
  }
  for (; from < a.length; from++) merged.push(a[from]!);
  return merged;
}

/** Index of the first member from `low` on that comes after `item`. */
function firstAfter<T>(sorted: readonly T[], item: T, low: number, compare: Compare<T>): number {
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(sorted[middle]!, item) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether two lists hold the same objects in the same order. */
export function sameItems<T>(a: readonly T[] | undefined, b: readonly T[]): boolean {
  if (a === b) return true;
  if (a?.length !== b.length) return false;
  for (let i = 0; i < b.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
