/** patch: the four patch types, on an object or its status. */
import { toKubeTime } from '../../base/clock.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { type ApplyError, applyConfiguration } from '../../kube/patch/apply.ts';
import { fieldOf, isObject, type Json, type JsonObject } from '../../kube/patch/json.ts';
import { jsonPatch } from '../../kube/patch/json-patch.ts';
import { mergePatch } from '../../kube/patch/merge-patch.ts';
import type { Shape } from '../../kube/patch/shape.ts';
import { strategicMerge } from '../../kube/patch/strategic-merge.ts';
import { storageName } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { contentTypeOf, parseValue, readBody } from './body.ts';
import {
  type Call,
  type Handler,
  keyOfTarget,
  type Reply,
  refuse,
  type ServerContext,
  subjectOf,
  type Target,
} from './call.ts';
import type { ApiLimits } from './limits.ts';
import { type MutationOptions, readMutationOptions } from './options.ts';
import { inVersion } from './present.ts';
import { shapeOf } from './schemas.ts';
import { badRequest, invalid, objectNotFound, type Refusal, unsupportedMediaType } from './status.ts';
import { answerWrite, checkFields, ignoredFields, managerOf, owned, readSent } from './write-context.ts';

const JSON_PATCH = 'application/json-patch+json';
const MERGE_PATCH = 'application/merge-patch+json';
const STRATEGIC_PATCH = 'application/strategic-merge-patch+json';
const APPLY_PATCH = 'application/apply-patch+yaml';

const failed = (message: string): Refusal => ({
  code: 422,
  reason: 'Invalid',
  message: `the server rejected our request due to an error in our request: ${message}`,
  causes: [{ reason: 'UnexpectedServerResponse', message }],
});

type Patcher = (document: JsonObject, patch: Json, shape: Shape, limits: ApiLimits) => Result<Json, Refusal>;

const patchers: Record<string, Patcher> = {
  [JSON_PATCH](document, patch, _shape, limits) {
    const result = jsonPatch(document, patch, { copiedBytes: limits.bodyBytes });
    if (result.ok) return result;
    return err(result.error.kind === 'malformed' ? badRequest(result.error.message) : failed(result.error.message));
  },
  [MERGE_PATCH]: (document, patch) =>
    isObject(patch) ? ok(mergePatch(document, patch)) : err(badRequest('a merge patch must be an object')),
  [STRATEGIC_PATCH](document, patch, shape) {
    if (!isObject(patch)) return err(badRequest('a strategic merge patch must be an object'));
    const result = strategicMerge(document, patch, shape);
    return result.ok ? result : err(failed(result.error));
  },
};

/** Patch types of a resource: lists of custom kinds have no merge keys that strategic patches could use. */
function patchTypes(custom: boolean): string[] {
  return custom ? [JSON_PATCH, MERGE_PATCH, APPLY_PATCH] : [JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH];
}

/** Applies a body of one of the three plain patch types to a document. */
export function patched(
  document: JsonObject,
  body: Buffer,
  type: string,
  shape: Shape,
  limits: ApiLimits,
): Result<JsonObject, Refusal> {
  const patcher = patchers[type];
  if (!patcher) return err(unsupportedMediaType(Object.keys(patchers), type));
  const patch = parseValue(body, type, limits);
  if (!patch.ok) return patch;
  const result = patcher(document, patch.value, shape, limits);
  if (!result.ok) return result;
  return isObject(result.value) ? ok(result.value) : err(failed('the patch leaves no object'));
}

export const patchObject: Handler = async (context, call, target) => {
  const options = readMutationOptions(call, 'PatchOptions');
  if (!options.ok) return refuse(options.error, subjectOf(target));
  const type = contentTypeOf(call.request);
  const accepted = patchTypes(target.resource.custom);
  if (!accepted.includes(type)) return refuse(unsupportedMediaType(accepted, type), subjectOf(target));
  const body = await readBody(call.request, context.limits.bodyBytes);
  if (!body.ok) return refuse(body.error, subjectOf(target));
  if (type === APPLY_PATCH) return applyObject(context, call, target, options.value, body.value);
  const live = context.objects.store.get(storageName(target.resource), keyOfTarget(target));
  if (!live) return refuse(objectNotFound(target.resource, target.name!), subjectOf(target));
  const document = inVersion(live, target);
  const shape = shapeOf(context.schemas, target.resource, target.version);
  const result = patched(document, body.value, type, shape, context.limits);
  if (!result.ok) return refuse(result.error, subjectOf(target));
  const sent = readSent(result.value, target);
  if (!sent.ok) return refuse(sent.error, subjectOf(target));
  const next = owned(context, target, options.value, sent.value, document);
  return store(context, call, target, options.value, next);
};

function store(context: ServerContext, call: Call, target: Target, options: MutationOptions, next: JsonObject): Reply {
  const checked = checkFields(context, target, next, options);
  if (!checked.ok) return refuse(checked.error, subjectOf(target));
  const result = context.objects.update(next as unknown as KubeObject, {
    dryRun: options.dryRun,
    ...(target.subresource === 'status' && { subresource: 'status' }),
  });
  return answerWrite(context, call, target, result, checked.value);
}

function applyRefusal(error: ApplyError): Refusal {
  if (error.kind === 'invalid') return badRequest(error.message);
  return {
    code: 409,
    reason: 'Conflict',
    message: error.message,
    causes: error.conflicts.map(({ manager, field }) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${manager}`,
      field,
    })),
  };
}

function applyOptionsFault(options: MutationOptions): Refusal | undefined {
  if (options.managerGiven) return undefined;
  return invalid('PatchOptions.meta.k8s.io', '', {
    field: 'fieldManager',
    reason: 'FieldValueRequired',
    message: 'Required value: is required for apply patch',
  });
}

/** Server-side apply: creates the object when it is not there. */
function applyObject(
  context: ServerContext,
  call: Call,
  target: Target,
  options: MutationOptions,
  body: Buffer,
): Reply {
  const fault = applyOptionsFault(options);
  if (fault) return refuse(fault, subjectOf(target));
  const value = parseValue(body, APPLY_PATCH, context.limits);
  if (!value.ok) return refuse(value.error, subjectOf(target));
  if (!isObject(value.value)) return refuse(badRequest('an apply configuration must be an object'), subjectOf(target));
  const config = readSent(value.value, target);
  if (!config.ok) return refuse(config.error, subjectOf(target));
  if (fieldOf(config.value.metadata as JsonObject, 'managedFields') !== undefined)
    return refuse(badRequest('metadata.managedFields must be nil'), subjectOf(target));
  const stored = context.objects.store.get(storageName(target.resource), keyOfTarget(target));
  if (!stored && target.subresource) return refuse(objectNotFound(target.resource, target.name!), subjectOf(target));
  const live = stored && inVersion(stored, target);
  const applied = applyConfiguration({
    live,
    config: config.value,
    shape: shapeOf(context.schemas, target.resource, target.version),
    by: managerOf(target, options, 'Apply'),
    now: toKubeTime(context.clock.now()),
    force: options.force,
    ignored: ignoredFields(target, live, config.value),
  });
  if (!applied.ok) return refuse(applyRefusal(applied.error), subjectOf(target));
  if (live) return store(context, call, target, options, applied.value);
  return create(context, call, target, options, applied.value);
}

function create(context: ServerContext, call: Call, target: Target, options: MutationOptions, next: JsonObject): Reply {
  const checked = checkFields(context, target, next, options);
  if (!checked.ok) return refuse(checked.error, subjectOf(target));
  const { status: _status, ...rest } = next;
  const object = (target.resource.status ? rest : next) as unknown as KubeObject;
  const result = context.objects.create(object, { dryRun: options.dryRun });
  return answerWrite(context, call, target, result, checked.value, 201);
}
