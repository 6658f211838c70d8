/**
 * JSON values as CEL sees them, told by their schema: whole numbers of type integer are ints, objects are maps with
 * field names escaped where CEL reserves them (`namespace` → `__namespace__`), dates are timestamps.
 */
import { Duration } from '@marcbachmann/cel-js/evaluator';
import { isObject, type JsonObject, type Schema } from '../structural/types.ts';
import { type CelValue, compileExpression } from './environment.ts';

export type Convert = (value: unknown) => CelValue;

const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

const escapes: Record<string, string> = { __: '__underscores__', '.': '__dot__', '-': '__dash__', '/': '__slash__' };

/** The name under which rules reach a field (Kubernetes documentation, "Validation rules", escaping). */
export function celName(field: string): string {
  if (reserved.has(field)) return `__${field}__`;
  return field.replace(/__|[.\-/]/g, (found) => escapes[found]!);
}

/** Any JSON value, where no schema says more. */
export function convertAny(value: unknown): CelValue {
  if (Array.isArray(value)) return value.map(convertAny);
  if (isObject(value)) return new Map(Object.entries(value).map(([key, item]) => [key, convertAny(item)]));
  return Number.isInteger(value) ? BigInt(value as number) : value;
}

/** Compiles the conversion of one schema. Values of the wrong type pass as they are. */
export function compileConvert(schema: Schema, wholeObject = false): Convert {
  if (wholeObject || schema['x-kubernetes-embedded-resource']) return convertWhole(schema);
  if (schema['x-kubernetes-int-or-string']) return convertAny;
  if (schema.properties || isObject(schema.additionalProperties)) return convertObject(schema);
  if (schema.items) return convertArray(compileConvert(schema.items));
  if (schema.type === 'number') return (value) => value;
  if (schema.type === 'string') return convertText(schema.format);
  return convertAny;
}

const objectFields: Record<string, Schema> = {
  apiVersion: { type: 'string' },
  kind: { type: 'string' },
  metadata: { properties: { name: { type: 'string' }, generateName: { type: 'string' } } },
};

/** Of apiVersion, kind and metadata, rules see the names only. */
function convertWhole(schema: Schema): Convert {
  return convertObject({ ...schema, properties: { ...schema.properties, ...objectFields } });
}

function convertObject(schema: Schema): Convert {
  const fields = new Map(
    Object.entries(schema.properties ?? {}).map(([name, part]) => [
      name,
      { name: celName(name), convert: compileConvert(part) },
    ]),
  );
  const others = isObject(schema.additionalProperties)
    ? compileConvert(schema.additionalProperties as Schema)
    : undefined;
  return (value) => {
    if (!isObject(value)) return value;
    const map = new Map<string, CelValue>();
    for (const [key, item] of Object.entries(value as JsonObject)) {
      const field = fields.get(key);
      if (item === undefined) continue;
      if (field) map.set(field.name, item === null ? null : field.convert(item));
      else if (others) map.set(key, item === null ? null : others(item));
    }
    return map;
  };
}

function convertArray(convert: Convert): Convert {
  return (value) => (Array.isArray(value) ? value.map(convert) : value);
}

function convertText(format: string | undefined): Convert {
  if (format === 'date-time' || format === 'date') return (value) => new Date(String(value));
  if (format === 'duration') return toDuration;
  if (format === 'byte') return (value) => new Uint8Array(Buffer.from(String(value), 'base64'));
  return (value) => value;
}

function toDuration(value: unknown): CelValue {
  const program = compileExpression('duration(self)');
  return program instanceof Error ? value : program.run({ self: value });
}

/** CEL equality of values from objects: maps and lists by content, numbers by value. */
export function equalCel(a: CelValue, b: CelValue): boolean {
  // biome-ignore lint/suspicious/noDoubleEquals: an int equals a double of the same value.
  if (a === b || (typeof a !== typeof b && isNumber(a) && isNumber(b) && a == b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => equalCel(item, b[i]));
  if (a instanceof Map && b instanceof Map)
    return a.size === b.size && [...a].every(([key, item]) => b.has(key) && equalCel(item, b.get(key)));
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  if (a instanceof Duration && b instanceof Duration) return a.seconds === b.seconds && a.nanos === b.nanos;
  return false;
}

const isNumber = (value: CelValue) => typeof value === 'bigint' || typeof value === 'number';
