/** Arrays of a structural schema: items, sizes, and the list types of server-side apply. */
import { duplicate, type FaultList, invalid, report, reportBlocking, tooMany } from '../fields.ts';
import type { SchemaNode } from './compile.ts';
import { isObject, type JsonObject, type Schema } from './types.ts';

export function compileArray(schema: Schema, compileInner: (part: Schema) => SchemaNode): SchemaNode {
  const item = schema.items ? compileInner(schema.items) : undefined;
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema;
  const keys = listMapKeys(schema);
  const keyOfItem = keys && createKey(keys, schema.items);
  const unique = schema['x-kubernetes-list-type'] === 'set' || schema.uniqueItems === true;

  return (value, old, path, faults) => {
    const source = value as unknown[];
    if (source.length > maxItems) {
      // Items beyond the limit are not looked at, so that an enormous list costs nothing.
      reportBlocking(faults, tooMany(path, source.length, maxItems));
      return source;
    }
    if (source.length < minItems)
      report(faults, invalid(path, source.length, `${path} in body should have at least ${minItems} items`));
    const result = item ? walkItems(source, pairItems(old, keyOfItem), item, path, faults) : source;
    if (keyOfItem) reportDuplicates(result, keyOfItem, path, faults);
    else if (unique) reportDuplicates(result, canonical, path, faults);
    return result;
  };
}

/** Keys of a list of type map, or undefined for other lists. */
export function listMapKeys(schema: Schema): readonly string[] | undefined {
  const keys = schema['x-kubernetes-list-map-keys'];
  return schema['x-kubernetes-list-type'] === 'map' && keys && keys.length > 0 ? keys : undefined;
}

type ItemKey = (item: unknown) => string | undefined;

function createKey(keys: readonly string[], items: Schema | undefined): ItemKey {
  return (item) => {
    if (!isObject(item)) return undefined;
    const values: JsonObject = {};
    for (const key of keys) {
      const value = item[key] ?? items?.properties?.[key]?.default;
      if (value !== undefined) values[key] = value;
    }
    return JSON.stringify(values);
  };
}

/** JSON with sorted keys, so that equal values have equal text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part) =>
    isObject(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
  );
}

/** Finds an item's old self: only lists of type map pair their items. */
function pairItems(old: unknown, keyOfItem: ItemKey | undefined): (item: unknown) => unknown {
  if (!keyOfItem || !Array.isArray(old)) return () => undefined;
  const byKey = new Map<string | undefined, unknown>(old.map((item) => [keyOfItem(item), item]));
  byKey.delete(undefined);
  return (item) => byKey.get(keyOfItem(item));
}

function walkItems(
  source: unknown[],
  oldOf: (item: unknown) => unknown,
  item: SchemaNode,
  path: string,
  faults: FaultList,
): unknown[] {
  let copy: unknown[] | undefined;
  for (let i = 0; i < source.length; i++) {
    const next = item(source[i], oldOf(source[i]), `${path}[${i}]`, faults);
    if (next === source[i]) continue;
    copy ??= [...source];
    copy[i] = next;
  }
  return copy ?? source;
}

function reportDuplicates(items: unknown[], keyOf: ItemKey, path: string, faults: FaultList): void {
  const seen = new Set<string>();
  for (let i = 0; i < items.length; i++) {
    const key = keyOf(items[i]);
    if (key === undefined) continue;
    if (seen.has(key)) report(faults, duplicate(`${path}[${i}]`, JSON.parse(key)));
    seen.add(key);
  }
}
