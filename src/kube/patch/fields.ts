/** From values to sets of fields: which fields an object has, and which differ between two states of it. */
import { equalJson } from '../objects.ts';
import { emptySet, type FieldSet, fieldSet, leaf } from './field-set.ts';
import { entriesOf, fieldOf, isObject, type Json, type JsonObject } from './json.ts';
import type { Shape } from './shape.ts';

/** Key of an item in a list that merges item by item; undefined when the item lacks what it should be known by. */
export function itemKey(item: Json, shape: Shape): string | undefined {
  const { list } = shape;
  if (list.by === 'value') return `v:${JSON.stringify(item)}`;
  if (list.by === 'whole' || !isObject(item)) return undefined;
  const keys: JsonObject = {};
  for (const key of [...list.keys].sort()) {
    const value = fieldOf(item, key) ?? list.defaults[key];
    if (value !== undefined && value !== null) keys[key] = value;
  }
  return Object.keys(keys).length > 0 ? `k:${JSON.stringify(keys)}` : undefined;
}

export interface KeyedItems {
  /** In the order of the list; of two items with one key, the first. */
  readonly items: Map<string, Json>;
  readonly duplicate?: string;
  /** Some item lacks its keys. */
  readonly unkeyed: boolean;
}

export function keyedItems(list: readonly Json[], shape: Shape): KeyedItems {
  const items = new Map<string, Json>();
  let duplicate: string | undefined;
  let unkeyed = false;
  for (const item of list) {
    const key = itemKey(item, shape);
    if (key === undefined) unkeyed = true;
    else if (items.has(key)) duplicate ??= key;
    else items.set(key, item);
  }
  return { items, unkeyed, ...(duplicate !== undefined && { duplicate }) };
}

/** A list that can be taken apart; one whose items lack keys or repeat them changes whole. */
export function separable(list: readonly Json[], shape: Shape): Map<string, Json> | undefined {
  if (shape.list.by === 'whole') return undefined;
  const { items, duplicate, unkeyed } = keyedItems(list, shape);
  return duplicate === undefined && !unkeyed ? items : undefined;
}

interface Child {
  readonly value: Json;
  readonly shape: Shape;
}

/** What is below a value that merges; undefined for a leaf: a scalar, or what changes whole. */
function childrenOf(value: Json | undefined, shape: Shape): Map<string, Child> | undefined {
  if (isObject(value))
    return shape.atomic
      ? undefined
      : new Map(entriesOf(value).map(([name, child]) => [`f:${name}`, { value: child, shape: shape.field(name) }]));
  const items = Array.isArray(value) ? separable(value, shape) : undefined;
  return items && new Map([...items].map(([key, item]) => [key, { value: item, shape: shape.item() }]));
}

/** The fields that a configuration speaks of: leaves, items of lists, empty maps. */
export function fieldsOf(value: Json, shape: Shape): FieldSet {
  const children = childrenOf(value, shape);
  if (!children || (children.size === 0 && isObject(value))) return leaf;
  return fieldSet(
    false,
    [...children].map(([key, child]) => {
      const below = fieldsOf(child.value, child.shape);
      return [key, key.startsWith('f:') ? below : { ...below, member: true }] as const;
    }),
  );
}

/** All fields of a value, open maps and lists themselves too: what appears or goes with it. */
function everyField(value: Json, shape: Shape): FieldSet {
  const children = childrenOf(value, shape);
  if (!children || children.size === 0) return leaf;
  return fieldSet(
    Array.isArray(value) || !shape.struct,
    [...children].map(([key, child]) => {
      const below = everyField(child.value, child.shape);
      return [key, key.startsWith('f:') ? below : { ...below, member: true }] as const;
    }),
  );
}

export interface FieldChanges {
  /** Added, or of another value. */
  readonly changed: FieldSet;
  readonly removed: FieldSet;
}

const unchanged: FieldChanges = { changed: emptySet, removed: emptySet };

/** What differs between two states of one value. */
export function compareFields(before: Json | undefined, after: Json | undefined, shape: Shape): FieldChanges {
  if (before === after || (before === undefined && after === undefined)) return unchanged;
  if (before === undefined) return { changed: everyField(after!, shape), removed: emptySet };
  if (after === undefined) return { changed: emptySet, removed: everyField(before, shape) };
  const old = childrenOf(before, shape);
  const now = childrenOf(after, shape);
  if (!old || !now || Array.isArray(before) !== Array.isArray(after)) {
    if (equalJson(before, after)) return unchanged;
    return { changed: everyField(after, shape), removed: old ? everyField(before, shape) : emptySet };
  }
  const keys = [...new Set([...old.keys(), ...now.keys()])];
  const below = keys.map((key): [string, FieldChanges] => {
    const childShape = (now.get(key) ?? old.get(key))!.shape;
    return [key, compareFields(old.get(key)?.value, now.get(key)?.value, childShape)];
  });
  return {
    changed: fieldSet(
      false,
      below.map(([key, change]) => [key, change.changed] as const),
    ),
    removed: fieldSet(
      false,
      below.map(([key, change]) => [key, change.removed] as const),
    ),
  };
}
