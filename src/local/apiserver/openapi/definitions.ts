/** Schemas of all kinds: built-in ones from the table of built-in types, custom ones from their CRDs. */
import {
  type BuiltinField,
  type BuiltinType,
  builtinStruct,
  builtinTypeOf,
} from '../../../kube/patch/builtin-types.ts';
import { fieldOf, isObject, type JsonObject } from '../../../kube/patch/json.ts';
import { apiVersionOf, type Resource } from '../../../kube/resources.ts';
import type { SchemaSource } from '../schemas.ts';

const scalars: Record<string, JsonObject> = {
  string: { type: 'string' },
  int: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  number: { type: 'number', format: 'double' },
  bool: { type: 'boolean' },
  bytes: { type: 'string', format: 'byte' },
  time: { type: 'string', format: 'date-time' },
  microtime: { type: 'string', format: 'date-time' },
  quantity: { type: 'string' },
  intorstring: { type: 'string', format: 'int-or-string' },
  any: {},
  schemaorbool: {},
  schemaorarray: {},
  schemaorstrings: {},
};

/** Java-like package names that OpenAPI documents of Kubernetes use, by the short names of the table. */
const packages: Record<string, string> = {
  meta: 'io.k8s.apimachinery.pkg.apis.meta.v1',
  apiextensions: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1',
  autoscaling2: 'io.k8s.api.autoscaling.v2',
};

function definitionName(struct: string): string {
  const dot = struct.indexOf('.');
  const short = struct.slice(0, dot);
  return `${packages[short] ?? `io.k8s.api.${short}.v1`}${struct.slice(dot)}`;
}

/** Name of a custom kind's definition: its group turned around. */
function customName({ group, kind }: Resource, version: string): string {
  return [...group.split('.').reverse(), version, kind].join('.');
}

const commonFields: Record<string, string> = {
  apiVersion: 'Group and version of the schema that this object is written in.',
  kind: 'Kind of this object.',
  metadata: 'Name, namespace, labels and the other data that all objects have.',
};
const kindFields: Record<string, string> = {
  ...commonFields,
  spec: 'The state that is wanted.',
  status: 'The state that was last observed; written by controllers.',
};

export interface Definitions {
  /** By definition name. */
  readonly schemas: Record<string, JsonObject>;
  /** Name of a kind's definition, if the kind has one. */
  nameOf(resource: Resource, version: string): string | undefined;
}

type Wanted = readonly { readonly resource: Resource; readonly version: string }[];

/** `prefix`: what a `$ref` begins with. */
export function definitionsFor(wanted: Wanted, source: SchemaSource, prefix: string): Definitions {
  const schemas: Record<string, JsonObject> = {};

  function schemaOfType(type: BuiltinType): JsonObject {
    if (type.form === 'scalar') return { ...scalars[type.name] };
    if (type.form === 'list') return { type: 'array', items: schemaOfType(type.item) };
    if (type.form === 'map') return { type: 'object', additionalProperties: schemaOfType(type.item) };
    define(type.name);
    return { $ref: prefix + definitionName(type.name) };
  }

  function schemaOfField(field: BuiltinField): JsonObject {
    const { listKeys, mergeKey, retainKeys, atomic, defaultValue } = field;
    const strategies = [...(mergeKey === undefined ? [] : ['merge']), ...(retainKeys ? ['retainKeys'] : [])];
    return {
      ...schemaOfType(field.type),
      ...(field.type.form === 'list' && {
        'x-kubernetes-list-type': listKeys === undefined ? 'atomic' : listKeys.length > 0 ? 'map' : 'set',
      }),
      ...(listKeys?.length && { 'x-kubernetes-list-map-keys': [...listKeys] }),
      ...(strategies.length > 0 && { 'x-kubernetes-patch-strategy': strategies.join(',') }),
      ...(mergeKey && { 'x-kubernetes-patch-merge-key': mergeKey }),
      ...(atomic && field.type.form !== 'list' && { 'x-kubernetes-map-type': 'atomic' }),
      ...(defaultValue !== undefined && { default: defaultValue }),
    };
  }

  function define(struct: string, extra: JsonObject = {}): void {
    const name = definitionName(struct);
    if (schemas[name]) return;
    const schema: JsonObject = { type: 'object', ...extra };
    // Filed before its fields are read: types may contain themselves.
    schemas[name] = schema;
    const fields = [...builtinStruct(struct)];
    const texts = extra['x-kubernetes-group-version-kind'] ? kindFields : {};
    schema.properties = Object.fromEntries(
      fields.map(([field, definition]) => [
        field,
        { ...schemaOfField(definition), ...(texts[field] && { description: texts[field] }) },
      ]),
    );
    const required = fields.filter(([, definition]) => definition.required).map(([field]) => field);
    if (required.length > 0) schema.required = required;
  }

  function defineCustom(resource: Resource, version: string, gvk: JsonObject): void {
    const schema = source.schemaOf(resource, version) ?? {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
    };
    const properties = fieldOf(schema, 'properties');
    define('meta.ObjectMeta');
    schemas[customName(resource, version)] = {
      ...schema,
      properties: {
        ...(isObject(properties) && properties),
        apiVersion: { type: 'string', description: commonFields.apiVersion! },
        kind: { type: 'string', description: commonFields.kind! },
        metadata: { $ref: prefix + definitionName('meta.ObjectMeta'), description: commonFields.metadata! },
      },
      'x-kubernetes-group-version-kind': [gvk],
    };
  }

  for (const { resource, version } of wanted) {
    const gvk = { group: resource.group, kind: resource.kind, version };
    const struct = resource.custom ? undefined : builtinTypeOf(apiVersionOf(resource, version), resource.kind);
    if (struct)
      define(struct, { description: `${resource.kind} of Kubernetes.`, 'x-kubernetes-group-version-kind': [gvk] });
    else defineCustom(resource, version, gvk);
  }
  return {
    schemas,
    nameOf(resource, version) {
      const struct = resource.custom ? undefined : builtinTypeOf(apiVersionOf(resource, version), resource.kind);
      return struct ? definitionName(struct) : customName(resource, version);
    },
  };
}
