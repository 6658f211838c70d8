/** Three-way merge, as `kubectl apply` does it for kinds without a merge strategy: maps are merged, lists replaced. */

type Json = Record<string, unknown>;

function isMap(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * What is live, with what the file says now, without what the file said before and no longer says. What others wrote
 * (allocated addresses, a scale through the API) stays unless the file speaks of it.
 */
export function mergeThreeWay(before: unknown, live: unknown, desired: unknown): unknown {
  if (!isMap(desired) || !isMap(live)) return desired;
  const last = isMap(before) ? before : {};
  const merged: Json = {};
  for (const [key, value] of Object.entries(live)) {
    if (Object.hasOwn(desired, key)) merged[key] = mergeThreeWay(last[key], value, desired[key]);
    else if (!Object.hasOwn(last, key)) merged[key] = value;
  }
  for (const [key, value] of Object.entries(desired)) if (!Object.hasOwn(live, key)) merged[key] = value;
  return merged;
}
