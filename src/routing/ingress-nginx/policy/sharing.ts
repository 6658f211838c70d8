/** One object for what many locations have in common: most Ingresses ask for the same few things, in thousands. */
import type { Filter } from '../../plan/plan.ts';

/** Different values that are kept, at most, and the longest, as JSON: 40 MB if all of them were. */
const capacity = 10_000;
const longest = 4_096;

const known = new Map<string, object>();

/** An object that says the same. When too many are known, all are forgotten and begin anew. */
export function shared<T extends object>(value: T): T {
  const key = JSON.stringify(value);
  if (key.length > longest) return value;
  const copy = known.get(key);
  if (copy) return copy as T;
  if (known.size >= capacity) known.clear();
  known.set(key, value);
  return value;
}

/** Passwords are held on to for no longer than their Secret. */
export function sharedFilters(filters: readonly Filter[]): readonly Filter[] {
  return filters.map((filter) => (filter.type === 'basic-auth' || filter.type === 'any-of' ? filter : shared(filter)));
}
