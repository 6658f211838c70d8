/** Keeping long lists in order when little of them changes. */

export type Compare<T> = (a: T, b: T) => number;

/** Stands for a list without keeping it in memory. */
type Token = object;

const tokens = new WeakMap<readonly unknown[], Token>();
/** How lists came from others, so that who has the one before need not compare all of both. */
const origins = new WeakMap<
  readonly unknown[],
  { readonly parent: Token; readonly difference: ListDifference<unknown> }
>();

function tokenOf(list: readonly unknown[]): Token {
  const token = tokens.get(list) ?? {};
  tokens.set(list, token);
  return token;
}

/** What is taken out and put in again stays. */
function really<T>(removed: ReadonlySet<T>, added: readonly T[]): ListDifference<T> {
  const went = new Set(removed);
  const came = added.filter((item) => !went.delete(item));
  return { came, went };
}

/** Members; lists of no more are compared as fast as one learns where they came from, and there are thousands of them. */
const shortList = 64;

/** Changes that are made one by one; more of them in one pass over the list. */
const fewChanges = 32;

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
  if (removed.size + added.length <= fewChanges) {
    const changed = changeFew(sorted, removed, added, compare);
    if (changed.length > shortList)
      origins.set(changed, { parent: tokenOf(sorted), difference: really(removed, added) });
    return changed;
  }
  const kept = removed.size > 0 ? sorted.filter((item) => !removed.has(item)) : sorted;
  return added.length > 0 ? merge(kept, [...added].sort(compare), compare) : [...kept];
}

/** Looks at no member but those that a search for the place of a change meets. */
function changeFew<T>(sorted: readonly T[], removed: ReadonlySet<T>, added: readonly T[], compare: Compare<T>): T[] {
  const changed = sorted.slice();
  for (const item of removed) {
    const at = placeOf(changed, item, compare);
    if (at >= 0) changed.splice(at, 1);
  }
  for (const item of added) changed.splice(firstAfter(changed, item, 0, compare), 0, item);
  return changed;
}

/** -1 when it is not there. What a member is compared by may be gone: then every member is looked at. */
function placeOf<T>(sorted: readonly T[], item: T, compare: Compare<T>): number {
  for (let i = firstAfter(sorted, item, 0, compare) - 1; i >= 0; i--) {
    if (sorted[i] === item) return i;
    if (compare(sorted[i]!, item) !== 0) break;
  }
  return sorted.indexOf(item);
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

/** Between which places lists are not the same objects: the first that differs, and the ends of what differs in both. */
export function unlike<T>(a: readonly T[], b: readonly T[]): [from: number, aTo: number, bTo: number] {
  let [aTo, bTo] = [a.length, b.length];
  const least = Math.min(aTo, bTo);
  let from = 0;
  while (from < least && a[from] === b[from]) from++;
  while (aTo > from && bTo > from && a[aTo - 1] === b[bTo - 1]) {
    aTo--;
    bTo--;
  }
  return [from, aTo, bTo];
}

export interface ListDifference<T> {
  readonly came: readonly T[];
  readonly went: ReadonlySet<T>;
}

const nothing: ReadonlySet<never> = new Set();

/** How far is looked for the place where two lists agree again. */
const lookAhead = 8;

/**
 * What one list has and the other has not, by identity, in the order of `now`. Fast for lists that differ little and are in
 * one order, wherever the differences are.
 */
export function listDifference<T>(before: readonly T[], now: readonly T[]): ListDifference<T> {
  if (before === now) return { came: [], went: nothing };
  const origin = origins.get(now);
  if (origin && origin.parent === tokens.get(before)) return origin.difference as ListDifference<T>;
  const came: T[] = [];
  const went = new Set<T>();
  let [a, b] = [0, 0];
  let skip: readonly [ofBefore: number, ofNow: number] | undefined = [0, 0];
  while (skip) {
    for (const end = a + skip[0]; a < end; a++) went.add(before[a]!);
    for (const end = b + skip[1]; b < end; b++) came.push(now[b]!);
    while (a < before.length && b < now.length && before[a] === now[b]) {
      a++;
      b++;
    }
    skip = untilAlike(before, a, now, b);
  }
  for (; a < before.length; a++) went.add(before[a]!);
  for (; b < now.length; b++) came.push(now[b]!);
  // What has only moved is in both.
  return { came: went.size === 0 ? came : came.filter((item) => !went.delete(item)), went };
}

/** How much is to be passed over of either list for their next items to be the same; undefined: too much, or none is left. */
function untilAlike<T>(before: readonly T[], a: number, now: readonly T[], b: number): [number, number] | undefined {
  if (a >= before.length || b >= now.length) return undefined;
  for (let ahead = 1; ahead <= lookAhead; ahead++) {
    if (b + ahead < now.length && before[a] === now[b + ahead]) return [0, ahead];
    if (a + ahead < before.length && before[a + ahead] === now[b]) return [ahead, 0];
    if (a + ahead < before.length && b + ahead < now.length && before[a + ahead] === now[b + ahead])
      return [ahead, ahead];
  }
  return undefined;
}

/** A list of what `map` makes of the members of another one; asked only for members that were not there before. */
export interface MappedList<T, U> {
  /** The same list for as long as `now` is. */
  update(now: readonly T[], map: (item: T) => U): readonly U[];
}

export function createMappedList<T, U>(): MappedList<T, U> {
  let before: readonly T[] = [];
  let mapped: readonly U[] = [];

  function middle(now: readonly T[], from: number, to: number, known: ReadonlyMap<T, U>, map: (item: T) => U): U[] {
    const made: U[] = [];
    for (let i = from; i < to; i++) {
      const item = now[i]!;
      made.push(known.has(item) ? known.get(item)! : map(item));
    }
    return made;
  }

  return {
    update(now, map) {
      if (now === before) return mapped;
      const [from, a, b] = unlike(before, now);
      const known = new Map<T, U>();
      for (let i = from; i < a; i++) known.set(before[i]!, mapped[i]!);
      mapped = mapped.slice(0, from).concat(middle(now, from, b, known, map), mapped.slice(a));
      before = now;
      return mapped;
    },
  };
}

/** The members of sorted lists that follow each other for which something holds, which depends on the member alone. */
export interface FilteredList<T> {
  /** The same list for as long as its members are. */
  update(now: readonly T[], accepts: (item: T) => boolean): readonly T[];
}

export function createFilteredList<T>(compare: Compare<T>): FilteredList<T> {
  let before: readonly T[] = [];
  const accepted = new Set<T>();
  let filtered: readonly T[] = [];
  return {
    update(now, accepts) {
      if (now === before) return filtered;
      const difference = listDifference(before, now);
      before = now;
      const went = new Set<T>();
      for (const item of difference.went) if (accepted.delete(item)) went.add(item);
      const came = difference.came.filter(accepts);
      for (const item of came) accepted.add(item);
      if (went.size > 0 || came.length > 0) filtered = changeSorted(filtered, went, came, compare);
      return filtered;
    },
  };
}
