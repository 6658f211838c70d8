/** Fields that a kind does not have: what `fieldValidation=Strict` refuses and `Warn` warns of. */
import { type BuiltinType, builtinStruct } from './builtin-types.ts';
import { entriesOf, fieldOf, isObject, type Json, type JsonObject } from './json.ts';

/** Faults that are gathered before the search ends. */
const MOST_FAULTS = 50;

type Visit = (value: Json, path: string, found: string[]) => void;

function visitBuiltin(type: BuiltinType): Visit {
  return (value, path, found) => {
    if (type.form === 'scalar' || found.length >= MOST_FAULTS) return;
    if (type.form === 'list') {
      if (!Array.isArray(value)) return;
      for (const [index, item] of value.entries()) visitBuiltin(type.item)(item, `${path}[${index}]`, found);
      return;
    }
    if (!isObject(value)) return;
    const struct = type.form === 'struct' ? builtinStruct(type.name) : undefined;
    for (const [name, child] of entriesOf(value)) {
      const below = path ? `${path}.${name}` : name;
      const field = struct ? struct.get(name)?.type : (type as { item: BuiltinType }).item;
      if (field) visitBuiltin(field)(child, below, found);
      else if (found.length < MOST_FAULTS) found.push(below);
    }
  };
}

/** Readable paths of the fields that a built-in struct (`core.Pod`) does not have; at most 50. */
export function unknownBuiltinFields(object: JsonObject, structName: string): string[] {
  const found: string[] = [];
  visitBuiltin({ form: 'struct', name: structName })(object, '', found);
  return found;
}

const objectMeta = visitBuiltin({ form: 'struct', name: 'meta.ObjectMeta' });

function visitSchema(value: Json, schema: JsonObject, path: string, found: string[], root: boolean): void {
  if (found.length >= MOST_FAULTS) return;
  if (Array.isArray(value)) {
    const items = fieldOf(schema, 'items');
    if (!isObject(items)) return;
    for (const [index, item] of value.entries()) visitSchema(item, items, `${path}[${index}]`, found, false);
    return;
  }
  if (!isObject(value)) return;
  const properties = fieldOf(schema, 'properties');
  const others = fieldOf(schema, 'additionalProperties');
  const open = fieldOf(schema, 'x-kubernetes-preserve-unknown-fields') === true || others === true;
  const whole = root || fieldOf(schema, 'x-kubernetes-embedded-resource') === true;
  for (const [name, child] of entriesOf(value)) {
    const below = path ? `${path}.${name}` : name;
    const property = isObject(properties) ? fieldOf(properties, name) : undefined;
    if (whole && name === 'metadata') objectMeta(child, below, found);
    else if (whole && (name === 'apiVersion' || name === 'kind')) continue;
    else if (isObject(property)) visitSchema(child, property, below, found, false);
    else if (isObject(others)) visitSchema(child, others, below, found, false);
    else if (!open && found.length < MOST_FAULTS) found.push(below);
  }
}

/** The same for a custom kind with a structural OpenAPI v3 schema: what pruning would drop. */
export function unknownSchemaFields(object: JsonObject, schema: JsonObject): string[] {
  const found: string[] = [];
  visitSchema(object, schema, '', found, true);
  return found;
}
