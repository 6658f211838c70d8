/** allOf, anyOf, oneOf and not: value checks that neither prune nor default (structural schemas forbid both there). */
import { createFaultList, invalid, report } from '../fields.ts';
import { type Check, type CompileOptions, compileSchema, type SchemaNode } from './compile.ts';
import type { Schema } from './types.ts';

export function compileComposites(schema: Schema, options: CompileOptions): Check[] {
  const compile = (part: Schema) => compileSchema(withoutDefaults(part), { ...options, unknownFields: 'keep' });
  const compileAll = (parts: readonly Schema[] | undefined) => parts?.map(compile) ?? [];
  const checks: Check[] = compileAll(schema.allOf).map((node) => (value, path, faults) => {
    node(value, undefined, path, faults);
  });
  const any = compileAll(schema.anyOf);
  if (any.length > 0) checks.push(anyOfCheck(any));
  const one = compileAll(schema.oneOf);
  if (one.length > 0) checks.push(oneOfCheck(one));
  if (schema.not) checks.push(notCheck(compile(schema.not)));
  return checks;
}

function fits(node: SchemaNode, value: unknown, path: string): boolean {
  const faults = createFaultList();
  node(value, undefined, path, faults);
  return faults.errors.length === 0;
}

function anyOfCheck(nodes: readonly SchemaNode[]): Check {
  return (value, path, faults) => {
    if (nodes.some((node) => fits(node, value, path))) return;
    report(faults, invalid(path, '', `"${path}" must validate at least one schema (anyOf)`));
  };
}

function oneOfCheck(nodes: readonly SchemaNode[]): Check {
  return (value, path, faults) => {
    const count = nodes.filter((node) => fits(node, value, path)).length;
    if (count === 1) return;
    const found = count === 0 ? 'Found none valid' : `Found ${count} valid alternatives`;
    report(faults, invalid(path, '', `"${path}" must validate one and only one schema (oneOf). ${found}`));
  };
}

function notCheck(node: SchemaNode): Check {
  return (value, path, faults) => {
    if (fits(node, value, path)) report(faults, invalid(path, '', `"${path}" must not validate the schema (not)`));
  };
}

/** A default inside a composition would make a missing required field look present. */
function withoutDefaults(schema: Schema): Schema {
  const { default: _, ...rest } = schema;
  if (!schema.properties) return rest;
  const properties = Object.fromEntries(
    Object.entries(schema.properties).map(([name, part]) => [name, withoutDefaults(part)]),
  );
  return { ...rest, properties };
}
