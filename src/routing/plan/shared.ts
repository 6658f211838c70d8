/**
 * One object for values of the plan that say the same: most routes have filters in common, and there are thousands of
 * routes. Who holds such a value may compare it by identity, and sends it to another process by its text.
 */

/** Different values that are kept, at most, and the longest, as JSON: 40 MB if all of them were. */
const capacity = 10_000;
const longest = 4_096;
/** Different lists that are kept, at most. */
const listCapacity = 10_000;

interface Mark {
  readonly text: string;
  /** Never that of another value. */
  readonly id: number;
}

const known = new Map<string, object>();
const marks = new WeakMap<object, Mark>();
const lists = new Map<string, readonly object[]>();
let lastId = 0;

/** An object that says the same; neither is to be changed. When too many are known, all are forgotten and begin anew. */
export function shared<T extends object>(value: T): T {
  if (marks.has(value)) return value;
  const text = JSON.stringify(value);
  return text.length > longest ? value : ((known.get(text) as T | undefined) ?? remember(text, value));
}

function remember<T extends object>(text: string, value: T): T {
  if (known.size >= capacity) known.clear();
  known.set(text, value);
  marks.set(value, { text, id: ++lastId });
  return value;
}

/** A shared value as JSON; undefined for any other. */
export function sharedText(value: object): string | undefined {
  return marks.get(value)?.text;
}

/** The shared value that another process has sent as its text. */
export function sharedOf(text: string): object {
  return known.get(text) ?? remember(text, JSON.parse(text) as object);
}

/** The same for a list: one with the very same elements, where all of these are shared. */
export function sharedList<T extends object>(list: readonly T[]): readonly T[] {
  let key = '';
  for (const element of list) {
    const mark = marks.get(element);
    if (!mark) return list;
    key += `${mark.id} `;
  }
  const copy = lists.get(key);
  if (copy) return copy as readonly T[];
  if (lists.size >= listCapacity) lists.clear();
  lists.set(key, list);
  return list;
}
