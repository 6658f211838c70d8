/**
 * Server-side apply: merges a configuration into the stored object, refuses to take fields that others own (unless
 * forced), removes what the same applier no longer speaks of, and keeps the books in managedFields.
 * After sigs.k8s.io/structured-merge-diff, `merge.Updater.Apply`.
 */
import { err, ok, type Result } from '../../base/result.ts';
import { emptySet, type FieldSet, intersect, isEmpty, pathsOf, subtract, union } from './field-set.ts';
import { compareFields, fieldsOf, itemKey, keyedItems, separable } from './fields.ts';
import { entriesOf, fieldOf, isObject, type Json, type JsonObject, setField } from './json.ts';
import {
  decodeManagers,
  encodeManagers,
  type Manager,
  type ManagerId,
  ownable,
  sameManager,
} from './managed-fields.ts';
import type { Shape } from './shape.ts';

export interface ApplyRequest {
  /** The stored object; undefined when it is to be created. */
  live: JsonObject | undefined;
  config: JsonObject;
  shape: Shape;
  by: ManagerId;
  /** RFC 3339. */
  now: string;
  /** Take fields over from other managers. */
  force: boolean;
  /** Top-level fields that this endpoint does not write. */
  ignored: readonly string[];
}

export interface FieldConflict {
  /** As the API server prints it: `"kubectl" using apps/v1 at 2026-01-01T00:00:00Z`. */
  manager: string;
  /** `.spec.replicas` */
  field: string;
}

export type ApplyError =
  | { readonly kind: 'invalid'; readonly message: string }
  | { readonly kind: 'conflict'; readonly message: string; readonly conflicts: FieldConflict[] };

/** Merges a configuration into a value. Order of merged lists: as configured, other items behind their neighbours. */
function mergeValue(live: Json | undefined, config: Json, shape: Shape): Json {
  if (isObject(live) && isObject(config) && !shape.atomic) {
    const merged: JsonObject = { ...live };
    for (const [name, value] of entriesOf(config))
      setField(merged, name, mergeValue(fieldOf(live, name), value, shape.field(name)));
    return merged;
  }
  if (!Array.isArray(live) || !Array.isArray(config)) return config;
  const [old, wanted] = [separable(live, shape), separable(config, shape)];
  return old && wanted ? mergeItems(old, wanted, shape) : config;
}

function mergeItems(old: Map<string, Json>, wanted: Map<string, Json>, shape: Shape): Json[] {
  const merged: Json[] = [];
  const keys = [...wanted.keys()];
  const places = new Map(keys.map((key, place) => [key, place]));
  let taken = 0;
  const takeUpTo = (place: number) => {
    for (; taken <= place; taken++) {
      const key = keys[taken]!;
      merged.push(mergeValue(old.get(key), wanted.get(key)!, shape.item()));
    }
  };
  for (const [key, item] of old) {
    const place = places.get(key);
    if (place === undefined) merged.push(item);
    else takeUpTo(place);
  }
  takeUpTo(keys.length - 1);
  return merged;
}

/** Removes the fields of `gone`, but nothing that is in `kept` or that nobody spoke of. */
function prune(value: Json, gone: FieldSet, kept: FieldSet, shape: Shape): Json | undefined {
  if (isObject(value) && !shape.atomic) {
    const pruned: JsonObject = {};
    for (const [name, child] of entriesOf(value)) {
      const left = pruneChild(child, `f:${name}`, gone, kept, shape.field(name));
      if (left !== undefined) setField(pruned, name, left);
    }
    return Object.keys(pruned).length > 0 || Object.keys(value).length === 0 ? pruned : undefined;
  }
  if (!Array.isArray(value)) return value;
  const items = separable(value, shape);
  if (!items) return value;
  const pruned = [...items].flatMap(([key, item]) => {
    const left = pruneChild(item, key, gone, kept, shape.item());
    return left === undefined ? [] : [withKeys(left, item, shape)];
  });
  return pruned.length > 0 || value.length === 0 ? pruned : undefined;
}

function pruneChild(child: Json, key: string, gone: FieldSet, kept: FieldSet, shape: Shape): Json | undefined {
  const lost = gone.children.get(key);
  if (!lost) return child;
  const held = kept.children.get(key) ?? emptySet;
  const opened = lost.children.size > 0 ? prune(child, lost, held, shape) : child;
  const container = lost.children.size > 0 && (isObject(child) || Array.isArray(child));
  if (container) return opened ?? (isEmpty(held) ? undefined : Array.isArray(child) ? [] : {});
  return lost.member && isEmpty(held) ? undefined : child;
}

/** What is left of a list item must still be known by its keys. */
function withKeys(left: Json, item: Json, shape: Shape): Json {
  if (shape.list.by !== 'keys' || !isObject(left) || !isObject(item)) return left;
  const keys = shape.list.keys.flatMap((key): [string, Json][] => {
    const value = fieldOf(item, key);
    return value === undefined ? [] : [[key, value]];
  });
  return { ...Object.fromEntries(keys), ...left };
}

function managerText({ manager, operation, apiVersion, subresource, time }: Manager): string {
  const name = JSON.stringify(manager) + (subresource ? ` with subresource ${JSON.stringify(subresource)}` : '');
  if (operation === 'Apply') return name;
  return `${name} using ${apiVersion}${time ? ` at ${time}` : ''}`;
}

function conflictError(conflicts: FieldConflict[]): ApplyError {
  const [first] = conflicts;
  if (conflicts.length === 1) {
    const message = `Apply failed with 1 conflict: conflict with ${first!.manager}: ${first!.field}`;
    return { kind: 'conflict', message, conflicts };
  }
  const managers = [...new Set(conflicts.map((conflict) => conflict.manager))].sort();
  const lines = managers.flatMap((manager) => [
    `conflicts with ${manager}:`,
    ...conflicts.filter((conflict) => conflict.manager === manager).map((conflict) => `- ${conflict.field}`),
  ]);
  return {
    kind: 'conflict',
    message: `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`,
    conflicts,
  };
}

/** A list that merges by keys but repeats or lacks them has no meaning in a configuration. */
function faultOf(value: Json, shape: Shape, path: string): string | undefined {
  if (isObject(value)) {
    if (shape.atomic) return undefined;
    for (const [name, child] of entriesOf(value)) {
      const fault = faultOf(child, shape.field(name), `${path}.${name}`);
      if (fault) return fault;
    }
    return undefined;
  }
  if (!Array.isArray(value) || shape.list.by === 'whole') return undefined;
  const { duplicate, unkeyed } = keyedItems(value, shape);
  if (duplicate !== undefined) return `${path}: duplicate entries for key ${duplicate.slice(2)}`;
  if (unkeyed) return `${path}: element has none of its list keys`;
  for (const item of value) {
    const fault = faultOf(item, shape.item(), `${path}[${itemKey(item, shape)!.slice(2)}]`);
    if (fault) return fault;
  }
  return undefined;
}

/** The object to write, with managedFields. It equals the stored one (but for times) when nothing changes. */
export function applyConfiguration(request: ApplyRequest): Result<JsonObject, ApplyError> {
  const { live, config, shape, by, ignored } = request;
  const fault = faultOf(config, shape, '');
  if (fault) return err({ kind: 'invalid', message: `failed to create typed patch object: ${fault}` });
  const managers = decodeManagers(fieldOf((fieldOf(live, 'metadata') ?? {}) as JsonObject, 'managedFields'));
  const applied = ownable(fieldsOf(config, shape), ignored);
  const mine = managers.find((manager) => sameManager(manager, by));
  const others = managers.filter((manager) => manager !== mine);
  const base = withoutManagedFields(live ?? {});
  const merged = mergeValue(base, config, shape) as JsonObject;
  const difference = compareFields(base, merged, shape);
  const taken = ownable(difference.changed, ignored);
  const conflicts = others.flatMap((manager) =>
    pathsOf(intersect(manager.fields, taken)).map((field) => ({ manager: managerText(manager), field })),
  );
  if (conflicts.length > 0 && !request.force) return err(conflictError(conflicts));

  const left = others.map((manager) => ({ ...manager, fields: subtract(manager.fields, taken) }));
  const kept = left.reduce((all, manager) => union(all, manager.fields), applied);
  const gone = mine ? subtract(mine.fields, applied) : emptySet;
  const pruned = (isEmpty(gone) ? merged : (prune(merged, gone, kept, shape) ?? {})) as JsonObject;
  const time = mine?.time && isUnchanged(base, pruned, shape, mine, applied) ? mine.time : request.now;
  const entries = encodeManagers([...left, { ...by, time, fields: applied }]);
  return ok(withManagedFields(pruned, entries, live));
}

function isUnchanged(base: JsonObject, pruned: JsonObject, shape: Shape, mine: Manager, applied: FieldSet): boolean {
  const { changed, removed } = compareFields(base, pruned, shape);
  const sameFields = isEmpty(subtract(mine.fields, applied)) && isEmpty(subtract(applied, mine.fields));
  return sameFields && isEmpty(changed) && isEmpty(removed);
}

function withoutManagedFields(object: JsonObject): JsonObject {
  const metadata = fieldOf(object, 'metadata');
  if (!isObject(metadata) || !Object.hasOwn(metadata, 'managedFields')) return object;
  const { managedFields: _managed, ...rest } = metadata;
  return { ...object, metadata: rest };
}

/** The object with these managedFields. An empty list is written only to say that the stored ones are gone. */
export function withManagedFields(object: JsonObject, entries: JsonObject[], live: JsonObject | undefined): JsonObject {
  const bare = withoutManagedFields(object);
  if (entries.length === 0 && (!live || withoutManagedFields(live) === live)) return bare;
  return { ...bare, metadata: { ...(bare.metadata as JsonObject | undefined), managedFields: entries } };
}
