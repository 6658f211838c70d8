/**
 * Reads the table of built-in types (builtin-types.generated.ts). One line is one struct: its name, then its fields as
 * `name:type` with marks behind the type:
 *
 * - `[T]` list of T, `{T}` map of strings to T
 * - `@2.1` number of the field in protobuf; with a dot, in a message that JSON shows flat; `&` unset differs from zero
 * - `#a,b` list merged by the fields a and b of its items, `#` alone a set (server-side apply)
 * - `~a` list merged by field a, `~` alone a list of scalars that merges (strategic merge patch)
 * - `^` strategic merge patch may send `$retainKeys`; `!` a map or struct that only changes whole
 * - `*` required; `=x` the default
 */
import { builtinResources } from '../builtin-resources.ts';
import { groupOf, versionOf } from '../resources.ts';
import { builtinTypeTable } from './builtin-types.generated.ts';

export interface BuiltinField {
  readonly type: BuiltinType;
  /** Keys of a list that server-side apply merges by; an empty list of keys is a set. */
  readonly listKeys?: readonly string[];
  /** Key of a list that strategic merge patch merges by; '' for a list of scalars. */
  readonly mergeKey?: string;
  readonly retainKeys: boolean;
  readonly atomic: boolean;
  readonly required: boolean;
  /** Field numbers from the struct's message inwards; empty for what protobuf does not carry (kind, apiVersion). */
  readonly protoPath: readonly number[];
  /** A pointer in Go: set to zero is not the same as unset. */
  readonly pointer: boolean;
  readonly defaultValue?: string;
}

export type BuiltinType =
  /** string, int, int64, number, bool, bytes, time, microtime, quantity, intorstring, any, schemaorbool… */
  | { readonly form: 'scalar'; readonly name: string }
  | { readonly form: 'list'; readonly item: BuiltinType }
  | { readonly form: 'map'; readonly item: BuiltinType }
  | { readonly form: 'struct'; readonly name: string };

export type BuiltinStruct = ReadonlyMap<string, BuiltinField>;

const MARKS = /^(.*?)(?:@([\d.]+))?(&)?(#[\w,]*)?(~\w*)?(\^)?(!)?(\*)?(?:=(.*))?$/;

function parseType(text: string): BuiltinType {
  if (text.startsWith('[')) return { form: 'list', item: parseType(text.slice(1, -1)) };
  if (text.startsWith('{')) return { form: 'map', item: parseType(text.slice(1, -1)) };
  return { form: text.includes('.') ? 'struct' : 'scalar', name: text };
}

function parseField(text: string): BuiltinField {
  const [, type, proto, pointer, keys, mergeKey, retainKeys, atomic, required, defaultValue] = MARKS.exec(text)!;
  return {
    type: parseType(type!),
    ...(keys !== undefined && { listKeys: keys.length > 1 ? keys.slice(1).split(',') : [] }),
    ...(mergeKey !== undefined && { mergeKey: mergeKey.slice(1) }),
    retainKeys: retainKeys !== undefined,
    atomic: atomic !== undefined,
    required: required !== undefined,
    protoPath: proto?.split('.').map(Number) ?? [],
    pointer: pointer !== undefined,
    ...(defaultValue !== undefined && { defaultValue }),
  };
}

/** Lines by struct name; each is parsed when it is first asked for. */
const lines = new Map(
  builtinTypeTable
    .trim()
    .split('\n')
    .map((line) => {
      const space = line.indexOf(' ');
      return space < 0 ? [line, ''] : [line.slice(0, space), line.slice(space + 1)];
    }),
);
const parsed = new Map<string, BuiltinStruct>();

/** Fields of a struct by its short name (`core.PodSpec`). The table is closed: an unknown name is a fault in it. */
export function builtinStruct(name: string): BuiltinStruct {
  const known = parsed.get(name);
  if (known) return known;
  const line = lines.get(name);
  if (line === undefined) throw new Error(`no built-in type ${name}`);
  const fields = line.split(' ').flatMap((text): [string, BuiltinField][] => {
    const colon = text.indexOf(':');
    return colon < 0 ? [] : [[text.slice(0, colon), parseField(text.slice(colon + 1))]];
  });
  const struct = new Map(fields);
  parsed.set(name, struct);
  return struct;
}

/** Short package names of the table that are not the first label of their API group. */
const packages: Record<string, string> = {
  '': 'core',
  'rbac.authorization.k8s.io': 'rbac',
  'autoscaling/v2': 'autoscaling2',
};

const groups = new Set([
  ...builtinResources.map((resource) => resource.group),
  'authentication.k8s.io',
  'authorization.k8s.io',
]);

function packageOf(apiVersion: string): string {
  const group = groupOf(apiVersion);
  return packages[apiVersion] ?? packages[group] ?? group.split('.')[0]!;
}

/** Versions that the table describes but for those of its own package. */
const otherVersions = new Set(['autoscaling/v2']);

/** Name of the struct of a built-in kind, for instance `core.Pod`; undefined for kinds that the table does not have. */
export function builtinTypeOf(apiVersion: string, kind: string): string | undefined {
  if (versionOf(apiVersion) !== 'v1' && !otherVersions.has(apiVersion)) return undefined;
  if (!groups.has(groupOf(apiVersion))) return undefined;
  const name = `${packageOf(apiVersion)}.${kind}`;
  return lines.has(name) ? name : undefined;
}
