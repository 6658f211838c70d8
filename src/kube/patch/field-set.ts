/**
 * Sets of fields, in the tree form of `FieldsV1`: `f:name` a field, `k:{…}` an item of a list by its keys, `v:…` an item
 * of a set, `i:0` an item by place, and `.` for the node itself (structured-merge-diff `fieldpath`).
 */
import { entriesOf, isObject, type JsonObject, setField } from './json.ts';

export interface FieldSet {
  /** The node itself is in the set, not only what is below it. */
  readonly member: boolean;
  readonly children: ReadonlyMap<string, FieldSet>;
}

const none: ReadonlyMap<string, FieldSet> = new Map();

export const emptySet: FieldSet = { member: false, children: none };
/** The node it stands for, and nothing below. */
export const leaf: FieldSet = { member: true, children: none };

export function isEmpty(set: FieldSet): boolean {
  return !set.member && set.children.size === 0;
}

/** A set from children; those that are empty are left out. */
export function fieldSet(member: boolean, children: Iterable<readonly [string, FieldSet]>): FieldSet {
  return { member, children: new Map([...children].filter(([, child]) => !isEmpty(child))) };
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a)) return b;
  if (isEmpty(b)) return a;
  const children = new Map(a.children);
  for (const [key, child] of b.children) {
    const other = children.get(key);
    children.set(key, other ? union(other, child) : child);
  }
  return { member: a.member || b.member, children };
}

export function intersect(a: FieldSet, b: FieldSet): FieldSet {
  return fieldSet(
    a.member && b.member,
    [...a.children].map(([key, child]) => [key, intersect(child, b.children.get(key) ?? emptySet)] as const),
  );
}

export function subtract(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(b)) return a;
  return fieldSet(
    a.member && !b.member,
    [...a.children].map(([key, child]) => [key, subtract(child, b.children.get(key) ?? emptySet)] as const),
  );
}

/** Without the given nodes and all that is below them; a path is a list of `f:…` keys. */
export function without(set: FieldSet, paths: readonly (readonly string[])[]): FieldSet {
  const here = new Map<string, string[][]>();
  for (const [first, ...rest] of paths) here.set(first!, [...(here.get(first!) ?? []), rest]);
  return fieldSet(
    set.member,
    [...set.children].map(([key, child]) => {
      const below = here.get(key);
      if (!below) return [key, child] as const;
      return [key, below.some((rest) => rest.length === 0) ? emptySet : without(child, below)] as const;
    }),
  );
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a.member !== b.member || a.children.size !== b.children.size) return false;
  return [...a.children].every(([key, child]) => {
    const other = b.children.get(key);
    return other !== undefined && equalSets(child, other);
  });
}

/** As `fieldsV1` of a managedFields entry. */
export function encodeFields(set: FieldSet): JsonObject {
  const out: JsonObject = {};
  if (set.member && set.children.size > 0) out['.'] = {};
  for (const [key, child] of [...set.children].sort(([a], [b]) => (a < b ? -1 : 1)))
    setField(out, key, encodeFields(child));
  return out;
}

function decodeNode(fields: JsonObject): FieldSet {
  const entries = entriesOf(fields);
  if (entries.length === 0) return leaf;
  return fieldSet(
    Object.hasOwn(fields, '.'),
    entries.flatMap(([key, child]) => (key !== '.' && isObject(child) ? [[key, decodeNode(child)] as const] : [])),
  );
}

/** Reads `fieldsV1`; what is not of that form is left out. */
export function decodeFields(fields: unknown): FieldSet {
  return isObject(fields) && Object.keys(fields).length > 0 ? decodeNode(fields) : emptySet;
}

function keyText(body: string): string {
  try {
    const keys: unknown = JSON.parse(body);
    if (!isObject(keys)) return `[${body}]`;
    return `[${entriesOf(keys)
      .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
      .join(',')}]`;
  } catch (error) {
    // Someone wrote managedFields by hand: show the key as it stands.
    if (error instanceof SyntaxError) return `[${body}]`;
    throw error;
  }
}

const texts: Record<string, (body: string) => string> = {
  f: (name) => `.${name}`,
  k: keyText,
  v: (value) => `[=${value}]`,
  i: (index) => `[${index}]`,
};

/** All members as readable paths: `.spec.containers[name="app"].image`. */
export function pathsOf(set: FieldSet, prefix = ''): string[] {
  const below = [...set.children].flatMap(([key, child]) =>
    pathsOf(child, prefix + (texts[key[0]!]?.(key.slice(2)) ?? `[${key}]`)),
  );
  return set.member && prefix ? [prefix, ...below] : below;
}
