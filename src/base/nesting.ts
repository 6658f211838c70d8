/** How deep values may be nested: whoever walks one with recursion must not run out of stack. */

/** Levels of a value from outside: a schema of the Gateway API has 25. */
export const maxNesting = 500;

/** Walks no deeper than it has to. */
export function isNestedTooDeep(value: unknown, most = maxNesting): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (most === 0) return true;
  // Loops that allocate nothing: every object of a cluster is measured.
  if (Array.isArray(value)) {
    for (const item of value) if (isNestedTooDeep(item, most - 1)) return true;
    return false;
  }
  const parts = value as Record<string, unknown>;
  for (const key in parts) if (isNestedTooDeep(parts[key], most - 1)) return true;
  return false;
}
