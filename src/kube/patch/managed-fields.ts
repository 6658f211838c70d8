/** `metadata.managedFields`: who set which field last, and how plain writes (create, update, patch) change that. */

import { decodeFields, emptySet, encodeFields, type FieldSet, isEmpty, subtract, union, without } from './field-set.ts';
import { compareFields } from './fields.ts';
import type { JsonObject } from './json.ts';
import { fieldOf, isObject, type Json } from './json.ts';
import type { Shape } from './shape.ts';

export interface ManagerId {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource?: string;
}

export interface Manager extends ManagerId {
  /** RFC 3339. */
  readonly time?: string;
  readonly fields: FieldSet;
}

/** Update managers that are kept apart, as in Kubernetes; the oldest beyond that share one entry. */
const MOST_UPDATE_MANAGERS = 10;
const ANCIENT = 'ancient-changes';

/** Fields that no manager owns (`stripMeta` of apimachinery). */
const unowned = [
  ['f:apiVersion'],
  ['f:kind'],
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map((name) => ['f:metadata', `f:${name}`]),
];

/** Takes out what cannot be owned, and what this endpoint does not write (`status` of the main resource…). */
export function ownable(fields: FieldSet, ignored: readonly string[]): FieldSet {
  const kept = without(fields, [...unowned, ...ignored.map((name) => [`f:${name}`])]);
  const metadata = kept.children.get('f:metadata');
  if (!metadata?.member) return kept;
  const bare = { ...metadata, member: false };
  const children = new Map(kept.children);
  if (isEmpty(bare)) children.delete('f:metadata');
  else children.set('f:metadata', bare);
  return { ...kept, children };
}

/** Reads managedFields; entries that are not of that form are left out. */
export function decodeManagers(entries: unknown): Manager[] {
  if (!Array.isArray(entries)) return [];
  return entries.flatMap((entry: unknown): Manager[] => {
    if (!isObject(entry)) return [];
    const { manager, operation, apiVersion, time, fieldsV1, subresource } = entry;
    if (operation !== 'Apply' && operation !== 'Update') return [];
    if (typeof manager !== 'string' || typeof apiVersion !== 'string') return [];
    return [
      {
        manager,
        operation,
        apiVersion,
        fields: decodeFields(fieldsV1),
        ...(typeof time === 'string' && { time }),
        ...(typeof subresource === 'string' && subresource && { subresource }),
      },
    ];
  });
}

const byAge = (a: Manager, b: Manager) =>
  a.operation.localeCompare(b.operation) || (a.time ?? '').localeCompare(b.time ?? '');

/** As it stands in metadata: without managers that own nothing, Apply first, then by time. */
export function encodeManagers(managers: readonly Manager[]): JsonObject[] {
  return managers
    .filter((manager) => !isEmpty(manager.fields))
    .sort(byAge)
    .map(({ manager, operation, apiVersion, time, fields, subresource }) => ({
      manager,
      operation,
      apiVersion,
      ...(time && { time }),
      fieldsType: 'FieldsV1',
      fieldsV1: encodeFields(fields),
      ...(subresource && { subresource }),
    }));
}

export function sameManager(a: ManagerId, b: ManagerId): boolean {
  return (
    a.manager === b.manager &&
    a.operation === b.operation &&
    a.subresource === b.subresource &&
    // An applier stays one manager whatever version it writes in.
    (a.operation === 'Apply' || a.apiVersion === b.apiVersion)
  );
}

function capped(managers: Manager[]): Manager[] {
  const updates = managers.filter((manager) => manager.operation === 'Update').sort(byAge);
  const surplus = updates.slice(0, Math.max(0, updates.length - MOST_UPDATE_MANAGERS + 1));
  if (updates.length <= MOST_UPDATE_MANAGERS) return managers;
  const ancient: Manager = {
    ...surplus.at(-1)!,
    manager: ANCIENT,
    fields: surplus.reduce((all, manager) => union(all, manager.fields), emptySet),
  };
  return [...managers.filter((manager) => !surplus.includes(manager)), ancient];
}

export interface TrackedUpdate {
  /** The stored object; undefined on create. */
  live: JsonObject | undefined;
  /** The object about to be written, with the managedFields that the client sent, if any. */
  next: JsonObject;
  shape: Shape;
  by: ManagerId;
  now: string;
  /** Top-level fields that this endpoint does not write. */
  ignored: readonly string[];
}

function managedFieldsOf(object: JsonObject | undefined): Json | undefined {
  const metadata = object && fieldOf(object, 'metadata');
  return isObject(metadata) ? fieldOf(metadata, 'managedFields') : undefined;
}

/** `managedFields: [{}]` asks to forget all managers. */
function isReset(entries: unknown): boolean {
  return Array.isArray(entries) && entries.length === 1 && isObject(entries[0]) && Object.keys(entries[0]).length === 0;
}

/** managedFields after a plain write: the writer owns what it changed, and nobody owns what it removed. */
export function trackUpdate(update: TrackedUpdate): JsonObject[] {
  const sent = managedFieldsOf(update.next);
  if (isReset(sent)) return [];
  const given = decodeManagers(sent);
  const managers = given.length > 0 ? given : decodeManagers(managedFieldsOf(update.live));
  const difference = compareFields(update.live ?? {}, update.next, update.shape);
  const changed = ownable(difference.changed, update.ignored);
  const removed = ownable(difference.removed, update.ignored);
  if (isEmpty(changed) && isEmpty(removed)) return encodeManagers(managers);
  const mine = managers.find((manager) => sameManager(manager, update.by));
  const others = managers
    .filter((manager) => manager !== mine)
    .map((manager) => ({ ...manager, fields: subtract(subtract(manager.fields, changed), removed) }));
  const fields = union(subtract(mine?.fields ?? emptySet, removed), changed);
  return encodeManagers(capped([...others, { ...update.by, time: update.now, fields }]));
}
