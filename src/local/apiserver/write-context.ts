/** What create, update and patch share: checks of what was sent, ownership of fields, and the answer. */
import { toKubeTime } from '../../base/clock.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { ApiError, Written } from '../../kube/objects.ts';
import { withManagedFields } from '../../kube/patch/apply.ts';
import { builtinTypeOf } from '../../kube/patch/builtin-types.ts';
import { fieldOf, isObject, type Json, type JsonObject } from '../../kube/patch/json.ts';
import { type ManagerId, trackUpdate } from '../../kube/patch/managed-fields.ts';
import { unknownBuiltinFields, unknownSchemaFields } from '../../kube/patch/unknown-fields.ts';
import { apiVersionOf, type Resource } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { type Call, found, type Reply, refuse, type ServerContext, subjectOf, type Target } from './call.ts';
import type { MutationOptions } from './options.ts';
import { presenterFor } from './present.ts';
import { shapeOf } from './schemas.ts';
import { badRequest, invalid, type Refusal, refusalOf } from './status.ts';

/** `Deployment.apps`, as Invalid messages name a kind. */
export function qualifiedKind({ kind, group }: Resource): string {
  return group ? `${kind}.${group}` : kind;
}

function typeFault(object: JsonObject, { resource, version }: Target): string | undefined {
  const expected = apiVersionOf(resource, version);
  const { apiVersion = expected, kind = resource.kind } = object;
  if (apiVersion !== expected)
    return `the API version in the data (${String(apiVersion)}) does not match the expected API version (${expected})`;
  if (kind !== resource.kind)
    return `${String(kind)} in version ${JSON.stringify(version)} cannot be handled as a ${resource.kind}: the kind in the data does not match the resource`;
  return undefined;
}

function optionalText(value: Json | undefined): boolean {
  return value === undefined || value === null || typeof value === 'string';
}

/** Metadata of what was sent, when it is an object with the fields that everything relies on in the right types. */
function metadataFault(metadata: JsonObject): string | undefined {
  for (const name of ['name', 'namespace', 'generateName', 'resourceVersion', 'uid'])
    if (!optionalText(fieldOf(metadata, name))) return `metadata.${name}: must be a string`;
  for (const name of ['labels', 'annotations']) {
    const map = fieldOf(metadata, name) ?? {};
    if (!isObject(map) || !Object.values(map).every(optionalText)) return `metadata.${name}: must be a map of strings`;
  }
  for (const name of ['finalizers', 'ownerReferences', 'managedFields']) {
    if (!Array.isArray(fieldOf(metadata, name) ?? [])) return `metadata.${name}: must be a list`;
  }
  return undefined;
}

/** Metadata without its nulls: what a client clears by null is simply not set. */
function withoutNulls(metadata: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== null));
}

/** Checks that an object is what the path says, and fills in what the path says and the object leaves out. */
export function readSent(sent: JsonObject, target: Target): Result<JsonObject, Refusal> {
  const { resource, version } = target;
  const typed = typeFault(sent, target);
  if (typed) return err(badRequest(typed));
  const given = fieldOf(sent, 'metadata') ?? {};
  if (!isObject(given)) return err(badRequest('metadata: must be an object'));
  const fault = metadataFault(given);
  if (fault)
    return err(badRequest(`${resource.kind} in version ${JSON.stringify(version)} cannot be handled: ${fault}`));
  const metadata = withoutNulls(given);
  if (target.namespace !== undefined) {
    if (metadata.namespace && metadata.namespace !== target.namespace)
      return err(badRequest('the namespace of the provided object does not match the namespace sent on the request'));
    metadata.namespace = target.namespace;
  }
  if (target.name !== undefined) {
    if (metadata.name && metadata.name !== target.name) {
      return err(
        badRequest(
          `the name of the object (${String(metadata.name)}) does not match the name on the URL (${target.name})`,
        ),
      );
    }
    metadata.name = target.name;
  }
  return ok({ ...sent, apiVersion: apiVersionOf(resource, version), kind: resource.kind, metadata });
}

/** Strict: a refusal that names the unknown fields. Warn: one warning for each. */
export function checkFields(
  context: ServerContext,
  { resource, version }: Target,
  object: JsonObject,
  options: MutationOptions,
): Result<string[], Refusal> {
  if (options.fieldValidation === 'Ignore') return ok([]);
  const builtin = resource.custom ? undefined : builtinTypeOf(apiVersionOf(resource, version), resource.kind);
  const schema = context.schemas.schemaOf(resource, version);
  const unknown = builtin ? unknownBuiltinFields(object, builtin) : schema ? unknownSchemaFields(object, schema) : [];
  const faults = unknown.map((field) => `unknown field ${JSON.stringify(field)}`);
  if (faults.length === 0 || options.fieldValidation === 'Warn') return ok(faults);
  return err(
    badRequest(
      `${resource.kind} in version ${JSON.stringify(version)} cannot be handled as a ${resource.kind}: strict decoding error: ${faults.join(', ')}`,
    ),
  );
}

export function managerOf(target: Target, options: MutationOptions, operation: ManagerId['operation']): ManagerId {
  const { subresource } = target;
  return {
    manager: options.fieldManager,
    operation,
    apiVersion: apiVersionOf(target.resource, target.version),
    ...(subresource && { subresource }),
  };
}

/** Top-level fields that a write to this endpoint leaves alone, so that nobody comes to own them by it. */
export function ignoredFields(target: Target, ...objects: (JsonObject | undefined)[]): string[] {
  if (target.subresource === 'status')
    return objects.flatMap((object) => Object.keys(object ?? {})).filter((name) => name !== 'status');
  return target.resource.status ? ['status'] : [];
}

/** The object with managedFields as they are after this plain write. */
export function owned(
  context: ServerContext,
  target: Target,
  options: MutationOptions,
  next: JsonObject,
  live: JsonObject | undefined,
): JsonObject {
  const entries = trackUpdate({
    live,
    next,
    shape: shapeOf(context.schemas, target.resource, target.version),
    by: managerOf(target, options, 'Update'),
    now: toKubeTime(context.clock.now()),
    ignored: ignoredFields(target, live, next),
  });
  return withManagedFields(next, entries, live);
}

export function answerWrite(
  context: ServerContext,
  call: Call,
  target: Target,
  result: Result<Written<KubeObject>, ApiError>,
  warnings: readonly string[],
  code = 200,
): Reply {
  if (!result.ok) return refuse(refusalOf(result.error), subjectOf(target));
  return found(
    presenterFor(context, call, target).one(result.value.object),
    [...warnings, ...result.value.warnings],
    code,
  );
}

export function nameRequired(target: Target): Refusal {
  return invalid(qualifiedKind(target.resource), '', {
    field: 'metadata.name',
    reason: 'FieldValueRequired',
    message: 'Required value: name or generateName is required',
  });
}
