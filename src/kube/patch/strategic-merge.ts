/**
 * Strategic merge patch: a merge patch that knows which lists merge item by item. Directives as
 * `apimachinery/pkg/util/strategicpatch`: `$patch` (merge, replace, delete), `$retainKeys`,
 * `$deleteFromPrimitiveList/<field>`, `$setElementOrder/<field>`.
 */
import { err, ok, type Result } from '../../base/result.ts';
import { entriesOf, fieldOf, isObject, type Json, type JsonObject, setField } from './json.ts';
import type { Shape } from './shape.ts';

const DELETE_FROM_LIST = '$deleteFromPrimitiveList/';
const ELEMENT_ORDER = '$setElementOrder/';

/** Thrown inside this file only: a fault deep in a patch ends all of it. */
class PatchFault extends Error {}

/** Applies a strategic merge patch. The error is a message for the sender (HTTP 422). */
export function strategicMerge(target: JsonObject, patch: JsonObject, shape: Shape): Result<JsonObject, string> {
  try {
    return ok(mergeObject(target, patch, shape));
  } catch (fault) {
    if (fault instanceof PatchFault) return err(fault.message);
    throw fault;
  }
}

function directiveOf(patch: JsonObject): 'merge' | 'replace' | 'delete' {
  const directive = fieldOf(patch, '$patch') ?? 'merge';
  if (directive === 'merge' || directive === 'replace' || directive === 'delete') return directive;
  throw new PatchFault(`unknown patch type: ${JSON.stringify(directive)}`);
}

/** A patch without its directives and nulls: the value where nothing was there to merge with. */
function withoutDirectives(patch: JsonObject, shape: Shape): JsonObject {
  return mergeObject({}, patch, shape);
}

function mergeObject(target: JsonObject, patch: JsonObject, shape: Shape): JsonObject {
  const directive = directiveOf(patch);
  if (directive === 'delete') return {};
  if (directive === 'replace') {
    const { $patch: _directive, ...rest } = patch;
    return withoutDirectives(rest, shape);
  }
  const merged = retain({ ...target }, patch);
  for (const [name, value] of entriesOf(patch)) {
    if (name.startsWith(DELETE_FROM_LIST)) deleteFromList(merged, name.slice(DELETE_FROM_LIST.length), value);
  }
  for (const [name, value] of entriesOf(patch)) {
    if (!name.startsWith('$')) mergeField(merged, name, value, patch, shape.field(name));
    else if (name.startsWith(ELEMENT_ORDER)) orderOnly(merged, name.slice(ELEMENT_ORDER.length), patch, shape);
  }
  return merged;
}

/** `$retainKeys` lists every field that may stay: how a union (a volume's source) is switched in one patch. */
function retain(target: JsonObject, patch: JsonObject): JsonObject {
  const kept = fieldOf(patch, '$retainKeys');
  if (kept === undefined) return target;
  if (!Array.isArray(kept)) throw new PatchFault('$retainKeys must be a list of field names');
  for (const [name, value] of entriesOf(patch)) {
    if (!name.startsWith('$') && value !== null && !kept.includes(name))
      throw new PatchFault(`$retainKeys does not hold ${name}, which the patch sets`);
  }
  return Object.fromEntries(Object.entries(target).filter(([name]) => kept.includes(name)));
}

function mergeField(merged: JsonObject, name: string, value: Json, patch: JsonObject, shape: Shape): void {
  if (value === null) {
    delete merged[name];
    return;
  }
  const old = fieldOf(merged, name);
  if (isObject(value)) {
    if (directiveOf(value) === 'delete') delete merged[name];
    else setField(merged, name, mergeObject(isObject(old) ? old : {}, value, shape));
    return;
  }
  if (!Array.isArray(value) || shape.mergeKey === undefined) {
    setField(merged, name, value);
    return;
  }
  const list = Array.isArray(old) ? old : [];
  const next = shape.mergeKey === '' ? mergeScalars(list, value) : mergeItems(list, value, shape.mergeKey, shape);
  const order = fieldOf(patch, ELEMENT_ORDER + name) ?? value.filter((item) => !isObject(item) || !('$patch' in item));
  setField(merged, name, ordered(next, list, order, shape.mergeKey));
}

function mergeScalars(list: Json[], patch: Json[]): Json[] {
  const known = new Set(list.map((value) => JSON.stringify(value)));
  return [...list, ...patch.filter((value) => !known.has(JSON.stringify(value)))];
}

function keyOfItem(item: Json, key: string): Json {
  const value = isObject(item) ? fieldOf(item, key) : undefined;
  if (value === undefined)
    throw new PatchFault(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`);
  return value;
}

function mergeItems(list: Json[], patch: Json[], key: string, shape: Shape): Json[] {
  const replaces = patch.some((item) => isObject(item) && fieldOf(item, '$patch') === 'replace');
  const merged: (Json | undefined)[] = replaces ? [] : [...list];
  /** Place of the first item with a key: two ports may share one number, and the first one is meant. */
  const places = new Map<string, number>();
  merged.forEach((item, place) => {
    const id = isObject(item!) ? JSON.stringify(fieldOf(item, key)) : undefined;
    if (id !== undefined && !places.has(id)) places.set(id, place);
  });
  for (const item of patch) {
    if (!isObject(item)) throw new PatchFault(`each item must be an object with the merge key ${key}`);
    const directive = directiveOf(item);
    // `{$patch: replace}` alone empties the list; the other items of the patch fill it.
    if (directive === 'replace' && fieldOf(item, key) === undefined) continue;
    const id = JSON.stringify(keyOfItem(item, key));
    const place = places.get(id) ?? merged.length;
    if (directive === 'delete') {
      if (places.delete(id)) merged[place] = undefined;
      continue;
    }
    places.set(id, place);
    merged[place] = mergeObject((merged[place] ?? {}) as JsonObject, item, shape.item());
  }
  return merged.filter((item) => item !== undefined);
}

function deleteFromList(merged: JsonObject, name: string, values: Json): void {
  const list = fieldOf(merged, name);
  if (!Array.isArray(values)) throw new PatchFault(`${DELETE_FROM_LIST}${name} must be a list`);
  if (!Array.isArray(list)) return;
  const gone = new Set(values.map((value) => JSON.stringify(value)));
  setField(
    merged,
    name,
    list.filter((item) => !gone.has(JSON.stringify(item))),
  );
}

/** `$setElementOrder` without a list beside it: the list only changes its order. */
function orderOnly(merged: JsonObject, name: string, patch: JsonObject, shape: Shape): void {
  const list = fieldOf(merged, name);
  const { mergeKey } = shape.field(name);
  if (fieldOf(patch, name) !== undefined || !Array.isArray(list) || mergeKey === undefined) return;
  setField(merged, name, ordered(list, list, fieldOf(patch, ELEMENT_ORDER + name)!, mergeKey));
}

/**
 * Brings items into order: those of the patch as `$setElementOrder` says (or as they stand in the patch), the others in
 * between, each before the first item of the patch that it stood before (`mergeSortedSlice` of strategicpatch).
 */
function ordered(items: Json[], before: Json[], order: Json, key: string): Json[] {
  if (!Array.isArray(order)) throw new PatchFault('$setElementOrder must be a list');
  const idOf = (item: Json) => JSON.stringify(key === '' ? item : keyOfItem(item, key));
  const rank = new Map(order.map((item, index) => [idOf(item), index]));
  const place = new Map(before.map((item, index) => [idOf(item), index]));
  const named = items.filter((item) => rank.has(idOf(item)));
  named.sort((a, b) => rank.get(idOf(a))! - rank.get(idOf(b))!);
  const others = items.filter((item) => !rank.has(idOf(item)));
  const result: Json[] = [];
  let next = 0;
  for (const item of named) {
    const limit = place.get(idOf(item)) ?? -1;
    while (next < others.length && place.get(idOf(others[next]!))! < limit) result.push(others[next++]!);
    result.push(item);
  }
  return [...result, ...others.slice(next)];
}
