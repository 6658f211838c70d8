/** Objects and maps of a structural schema: pruning, defaults, required fields. */
import { blank } from '../../../base/blank.ts';
import {
  child,
  createFaultList,
  type FaultList,
  invalid,
  report,
  reportBlocking,
  required,
  tooMany,
} from '../fields.ts';
import type { CompileOptions, SchemaNode } from './compile.ts';
import { isObject, type JsonObject, type Schema } from './types.ts';

interface Field {
  readonly name: string;
  readonly node: SchemaNode;
  readonly nullable: boolean;
  /** The default with its own nested defaults filled in. */
  readonly fallback: (() => unknown) | undefined;
}

export function compileObject(
  schema: Schema,
  options: CompileOptions,
  compileInner: (part: Schema) => SchemaNode,
): SchemaNode {
  const fields = compileFields(schema.properties, compileInner);
  const defaulted = [...fields.values()].filter((field) => field.fallback);
  const others = compileOthers(schema, compileInner);
  const keepUnknown =
    options.unknownFields === 'keep' ||
    schema['x-kubernetes-preserve-unknown-fields'] === true ||
    schema.additionalProperties === true ||
    // Without any word on its fields an object in a composition says nothing about them.
    (!schema.properties && !schema.additionalProperties && schema.type !== 'object');
  const dropNulls = options.nulls === 'drop';
  const needed = schema.required ?? [];
  const { minProperties = 0, maxProperties = Number.POSITIVE_INFINITY } = schema;

  const sized = minProperties > 0 || maxProperties < Number.POSITIVE_INFINITY;

  return (value, old, path, faults) => {
    const source = value as JsonObject;
    const before = isObject(old) ? old : undefined;
    let result = source;
    for (const key of Object.keys(source)) {
      const field = fields.get(key) ?? others;
      const item = source[key];
      if (item === undefined || (!field && keepUnknown)) continue;
      if (!field || (item === null && !field.nullable && (dropNulls || field.fallback))) {
        result = ownCopy(result, source);
        delete result[key];
        continue;
      }
      const next = field.node(item, before?.[key], child(path, key), faults);
      if (next === item) continue;
      result = ownCopy(result, source);
      result[key] = next;
    }
    for (const { name, fallback } of defaulted) {
      if (isPresent(result, name)) continue;
      result = ownCopy(result, source);
      result[name] = fallback!();
    }
    for (const name of needed) if (!isPresent(result, name)) reportBlocking(faults, required(child(path, name)));
    if (sized) checkSize(Object.keys(result).length, path, faults);
    return result;
  };

  function checkSize(count: number, path: string, faults: FaultList): void {
    if (count > maxProperties) reportBlocking(faults, tooMany(path, count, maxProperties));
    if (count < minProperties)
      report(faults, invalid(path, count, `${path} in body should have at least ${minProperties} properties`));
  }
}

/** A copy is made only when something changes, and only once. */
function ownCopy(result: JsonObject, source: JsonObject): JsonObject {
  return result === source ? { ...blank, ...source } : result;
}

function isPresent(object: JsonObject, name: string): boolean {
  return object[name] !== undefined && Object.hasOwn(object, name);
}

function compileFields(
  properties: Record<string, Schema> | undefined,
  compileInner: (part: Schema) => SchemaNode,
): Map<string, Field> {
  const fields = new Map<string, Field>();
  for (const [name, schema] of Object.entries(properties ?? {})) {
    // No such field can be set on a plain object, so it counts as unknown.
    if (name === '__proto__') continue;
    const node = compileInner(schema);
    fields.set(name, { name, node, nullable: schema.nullable ?? false, fallback: compileDefault(schema, node) });
  }
  return fields;
}

/** What holds for fields that are not listed, where `additionalProperties` describes them. */
function compileOthers(schema: Schema, compileInner: (part: Schema) => SchemaNode): Field | undefined {
  const others = schema.additionalProperties;
  if (!isObject(others)) return undefined;
  return {
    name: '',
    node: compileInner(others as Schema),
    nullable: (others as Schema).nullable ?? false,
    fallback: undefined,
  };
}

/** Defaults are worked out once, on first use; objects share them because nobody changes objects in place. */
function compileDefault(schema: Schema, node: SchemaNode): (() => unknown) | undefined {
  if (schema.default === undefined || (schema.default === null && !schema.nullable)) return undefined;
  let value: unknown;
  return () => (value ??= node(schema.default, undefined, '', createFaultList()));
}
