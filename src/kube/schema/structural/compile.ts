/**
 * Structural schemas compiled to closures. One walk over a value does what an API server does in three: prunes unknown
 * fields, fills in defaults, validates, with the API server's field paths and messages. The value is never changed in
 * place; what comes back shares every part that stayed as it was.
 */
import { equalJson } from '../../objects.ts';
import { type FaultList, reportBlocking, typeInvalid } from '../fields.ts';
import { compileArray } from './arrays.ts';
import { compileComposites } from './composites.ts';
import { compileObject } from './objects.ts';
import { compileScalarChecks } from './scalars.ts';
import { isObject, type Schema, typeName } from './types.ts';

/**
 * Walks one value. `old` is the same value of the stored object, or undefined on create and where values cannot be
 * paired; a part that equals its old self is not judged again (KEP-4008, validation ratcheting). `path` names the value
 * in messages. Gives the pruned and defaulted value.
 */
export type SchemaNode = (value: unknown, old: unknown, path: string, faults: FaultList) => unknown;

/** Judges a value of the right type at one node. */
export type Check = (value: unknown, path: string, faults: FaultList) => void;

export interface CompileOptions {
  /** Unknown fields: dropped as in custom resources (default), or kept. */
  unknownFields?: 'drop' | 'keep';
  /**
   * A field's null where the schema allows none: a fault as in JSON Schema (default), or as if absent: so Go decodes
   * built-in kinds, and so an API server prunes custom resources before it defaults and validates them.
   */
  nulls?: 'refuse' | 'drop';
  /** The schema is that of a whole object: apiVersion, kind and metadata are kept although it does not list them. */
  wholeObject?: boolean;
  /** Schemas whose values many objects share: one without a fault is walked once. Only for walks without old values. */
  remember?: ReadonlySet<Schema>;
}

/** Compiles a schema. Bad patterns and unknown formats do not fail here: an API server refuses such a CRD (see crd-validation.ts). */
export function compileSchema(schema: Schema, options: CompileOptions = {}): SchemaNode {
  const node = compileNode(schema, options);
  return options.remember?.has(schema) ? remembering(node) : node;
}

/** Values are never changed in place, so that what came of one comes of it again. */
function remembering(node: SchemaNode): SchemaNode {
  const known = new WeakMap<object, unknown>();
  return (value, old, path, faults) => {
    if (!isObject(value)) return node(value, old, path, faults);
    const found = known.get(value);
    if (found !== undefined) return found;
    const before = faults.errors.length;
    const shaped = node(value, old, path, faults);
    if (before === 0 && faults.errors.length === 0) known.set(value, shaped);
    return shaped;
  };
}

function compileNode(schema: Schema, options: CompileOptions): SchemaNode {
  const { wholeObject: _, ...inner } = options;
  const compileInner = (part: Schema) => compileSchema(part, inner);
  const shape = compileShape(withObjectFields(schema, options.wholeObject ?? false), inner, compileInner);
  const scalarChecks = compileScalarChecks(schema);
  const checks = [...scalarChecks, ...compileComposites(schema, { ...inner, nulls: 'refuse' })];
  const { matches, name } = typeTest(schema);
  const nullable = schema.nullable ?? false;

  return (value, old, path, faults) => {
    if (value === null && nullable) {
      // An enum has to list null to allow it.
      for (const check of scalarChecks) check(value, path, faults);
      return value;
    }
    if (old !== undefined && equalJson(value, old)) return value;
    if (!matches(value)) {
      const actual = typeName(value);
      reportBlocking(faults, typeInvalid(path, actual, `${path} in body must be of type ${name}: "${actual}"`));
      return value;
    }
    const shaped = shape ? shape(value, old, path, faults) : value;
    for (const check of checks) check(shaped, path, faults);
    return shaped;
  };
}

function compileShape(
  schema: Schema,
  options: CompileOptions,
  compileInner: (part: Schema) => SchemaNode,
): SchemaNode | undefined {
  const object =
    schema.type === 'object' || schema.properties || schema.additionalProperties || schema.required
      ? compileObject(schema, options, compileInner)
      : undefined;
  const array = schema.type === 'array' || schema.items ? compileArray(schema, compileInner) : undefined;
  if (!object && !array) return undefined;
  return (value, old, path, faults) => {
    if (object && isObject(value)) return object(value, old, path, faults);
    if (array && Array.isArray(value)) return array(value, old, path, faults);
    return value;
  };
}

const objectFields: Record<string, Schema> = { apiVersion: { type: 'string' }, kind: { type: 'string' } };
const metadataSchema: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/** Adds what every object has. Restrictions that the schema puts on metadata.name stay; nothing of metadata is pruned. */
function withObjectFields(schema: Schema, wholeObject: boolean): Schema {
  const embedded = schema['x-kubernetes-embedded-resource'] ?? false;
  if (!wholeObject && !embedded) return schema;
  const metadata = { ...schema.properties?.metadata, ...metadataSchema };
  return {
    ...schema,
    properties: { ...objectFields, ...schema.properties, metadata },
    ...(embedded && { required: [...new Set([...(schema.required ?? []), 'apiVersion', 'kind'])] }),
  };
}

interface TypeTest {
  /** As messages name it. */
  readonly name: string;
  readonly matches: (value: unknown) => boolean;
}

const typeTests: Record<string, (value: unknown) => boolean> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  integer: Number.isInteger,
  number: (value) => typeof value === 'number',
};

const integerOrString = (value: unknown) => typeof value === 'string' || Number.isInteger(value);

function typeTest(schema: Schema): TypeTest {
  if (schema['x-kubernetes-int-or-string']) return { name: 'integer,string', matches: integerOrString };
  const test = schema.type === undefined ? undefined : typeTests[schema.type];
  if (test) return { name: schema.type!, matches: test };
  return { name: 'any', matches: () => true };
}
