/** Whether two JSON values are equal; parts that are the same object cost nothing. */

function sameArrays(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, i) => sameJson(value, b[i]));
}

function sameObjects(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  let fields = 0;
  for (const key in a) {
    fields++;
    if (!(key in b) || !sameJson(a[key], b[key])) return false;
  }
  for (const _ in b) fields--;
  return fields === 0;
}

/** The order of fields does not matter. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && sameArrays(a, b);
  return !Array.isArray(b) && sameObjects(a as Record<string, unknown>, b as Record<string, unknown>);
}
