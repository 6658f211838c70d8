/**
 * What merging needs to know of a type: which lists and maps change whole, which merge item by item and by what keys.
 * Built-in kinds take it from the table of built-in types, custom kinds from the schema of their CRD; where nothing is
 * known, maps merge and lists change whole, as apimachinery's "deduced" type has it.
 */
import { type BuiltinField, type BuiltinType, builtinStruct } from './builtin-types.ts';
import { fieldOf, isObject, type Json, type JsonObject } from './json.ts';

export type ListMerge =
  | { readonly by: 'whole' }
  | { readonly by: 'value' }
  | { readonly by: 'keys'; readonly keys: readonly string[]; readonly defaults: Readonly<Record<string, Json>> };

export interface Shape {
  /** How server-side apply merges a list that stands here. */
  readonly list: ListMerge;
  /** A map that stands here has declared fields; any name may stand in other maps. */
  readonly struct: boolean;
  /** A map that stands here changes whole. */
  readonly atomic: boolean;
  /** The field that strategic merge patch merges a list by; '' for scalars; undefined when lists are replaced. */
  readonly mergeKey?: string;
  /** Shape of a field of a map. */
  field(name: string): Shape;
  /** Shape of the items of a list. */
  item(): Shape;
}

const whole: ListMerge = { by: 'whole' };

export const unknownShape: Shape = {
  list: whole,
  struct: false,
  atomic: false,
  field: () => unknownShape,
  item: () => unknownShape,
};

function keyDefaults(type: BuiltinType, keys: readonly string[]): Record<string, Json> {
  if (type.form !== 'struct') return {};
  const struct = builtinStruct(type.name);
  return Object.fromEntries(
    keys.flatMap((key) => {
      const value = struct.get(key)?.defaultValue;
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

function builtinList(field: BuiltinField | undefined): ListMerge {
  if (!field?.listKeys || field.type.form !== 'list') return whole;
  if (field.listKeys.length === 0) return { by: 'value' };
  return { by: 'keys', keys: field.listKeys, defaults: keyDefaults(field.type.item, field.listKeys) };
}

function ofType(type: BuiltinType, field?: BuiltinField): Shape {
  return {
    list: builtinList(field),
    struct: type.form === 'struct',
    atomic: field?.atomic ?? false,
    ...(field?.mergeKey !== undefined && { mergeKey: field.mergeKey }),
    field(name) {
      if (type.form === 'map') return ofType(type.item);
      if (type.form !== 'struct') return unknownShape;
      const member = builtinStruct(type.name).get(name);
      return member ? ofType(member.type, member) : unknownShape;
    },
    item: () => (type.form === 'list' ? ofType(type.item) : unknownShape),
  };
}

/** Shape of a built-in struct by its short name, for instance `core.Pod`. */
export function builtinShape(name: string): Shape {
  return ofType({ form: 'struct', name });
}

function schemaList(schema: JsonObject): ListMerge {
  const kind = fieldOf(schema, 'x-kubernetes-list-type');
  if (kind === 'set') return { by: 'value' };
  const keys = fieldOf(schema, 'x-kubernetes-list-map-keys');
  if (kind !== 'map' || !Array.isArray(keys)) return whole;
  const items = fieldOf(schema, 'items');
  const properties = isObject(items) ? fieldOf(items, 'properties') : undefined;
  const defaults: Record<string, Json> = {};
  for (const key of keys.map(String)) {
    const property = isObject(properties) ? fieldOf(properties, key) : undefined;
    const value = isObject(property) ? fieldOf(property, 'default') : undefined;
    if (value !== undefined) defaults[key] = value;
  }
  return { by: 'keys', keys: keys.map(String), defaults };
}

/** Shape of a custom kind, or of a part of it, from its structural OpenAPI v3 schema. */
export function schemaShape(schema: unknown, root = true): Shape {
  if (!isObject(schema)) return unknownShape;
  return {
    list: schemaList(schema),
    struct: isObject(fieldOf(schema, 'properties')),
    atomic: fieldOf(schema, 'x-kubernetes-map-type') === 'atomic',
    field(name) {
      if (root && name === 'metadata') return builtinShape('meta.ObjectMeta');
      const properties = fieldOf(schema, 'properties');
      const property = isObject(properties) ? fieldOf(properties, name) : undefined;
      return schemaShape(property ?? fieldOf(schema, 'additionalProperties'), false);
    },
    item: () => schemaShape(fieldOf(schema, 'items'), false),
  };
}
