/** The scale subresource: `autoscaling/v1 Scale` over whatever field holds the replicas. */
import { fieldOf, isObject, type Json, type JsonObject, setField } from '../../kube/patch/json.ts';
import { builtinShape } from '../../kube/patch/shape.ts';
import { resourceName } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { contentTypeOf, readBody, readObject } from './body.ts';
import {
  type Call,
  found,
  type Handler,
  keyOfTarget,
  type Reply,
  refuse,
  type ServerContext,
  subjectOf,
  type Target,
} from './call.ts';
import { type MutationOptions, readMutationOptions } from './options.ts';
import { patched } from './patch.ts';
import { inVersion } from './present.ts';
import type { ScalePaths } from './schemas.ts';
import { badRequest, invalid, objectNotFound, refusalOf } from './status.ts';
import { formatLabels, formatSelector, NONE } from './tables/format.ts';
import { owned } from './write-context.ts';

const builtinPaths: ScalePaths = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' };

const namesOf = (path: string) => path.split('.').filter((name) => name !== '');

function valueAt(object: JsonObject, path: string): Json | undefined {
  let value: Json | undefined = object;
  for (const name of namesOf(path)) value = isObject(value) ? fieldOf(value, name) : undefined;
  return value;
}

function withValue(object: JsonObject, names: readonly string[], value: Json): JsonObject {
  const [first, ...rest] = names;
  const child = fieldOf(object, first!);
  const copy = { ...object };
  setField(copy, first!, rest.length === 0 ? value : withValue(isObject(child) ? child : {}, rest, value));
  return copy;
}

/** The selector in the form of a query: from status for custom kinds, from spec for built-in ones. */
function selectorOf(object: JsonObject, target: Target, paths: ScalePaths): string {
  if (paths.labelSelectorPath) return String(valueAt(object, paths.labelSelectorPath) ?? '');
  if (target.resource.custom) return '';
  const selector = valueAt(object, '.spec.selector');
  const text = target.resource.kind === 'ReplicationController' ? formatLabels(selector) : formatSelector(selector);
  return text === NONE ? '' : text;
}

function scaleOf(stored: KubeObject, target: Target, paths: ScalePaths): JsonObject {
  const object = stored as unknown as JsonObject;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = stored.metadata;
  const selector = selectorOf(object, target, paths);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: valueAt(object, paths.specReplicasPath) ?? 0 },
    status: { replicas: valueAt(object, paths.statusReplicasPath) ?? 0, ...(selector && { selector }) },
  };
}

interface Scaled {
  readonly stored: KubeObject;
  readonly paths: ScalePaths;
}

function find(context: ServerContext, target: Target): Scaled | undefined {
  const stored = context.objects.store.get(resourceName(target.resource), keyOfTarget(target));
  const paths = target.resource.custom ? context.schemas.scaleOf(target.resource, target.version) : builtinPaths;
  return stored && paths && { stored, paths };
}

const missing = (target: Target) => refuse(objectNotFound(target.resource, target.name!), subjectOf(target));

export const getScale: Handler = (context, _call, target) => {
  const scaled = find(context, target);
  return scaled ? found(scaleOf(scaled.stored, target, scaled.paths)) : missing(target);
};

/** Takes the replicas, and the resourceVersion if there is one, from a Scale that a client wrote. */
function write(
  context: ServerContext,
  target: Target,
  options: MutationOptions,
  scaled: Scaled,
  scale: JsonObject,
): Reply {
  if (scale.kind !== undefined && scale.kind !== 'Scale')
    return refuse(badRequest(`${String(scale.kind)} cannot be handled as a Scale`), subjectOf(target));
  const replicas = valueAt(scale, '.spec.replicas') ?? 0;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0 || replicas > 2 ** 31 - 1) {
    const message = `Invalid value: ${JSON.stringify(replicas)}: must be a whole number of zero or more`;
    const cause = { field: 'spec.replicas', reason: 'FieldValueInvalid' as const, message };
    return refuse(invalid('Scale.autoscaling', target.name!, cause), subjectOf(target));
  }
  const live = inVersion(scaled.stored, target);
  const resourceVersion = valueAt(scale, '.metadata.resourceVersion');
  const versioned = resourceVersion ? withValue(live, ['metadata', 'resourceVersion'], resourceVersion) : live;
  const next = withValue(versioned, namesOf(scaled.paths.specReplicasPath), replicas);
  const object = owned(context, target, options, next, live) as unknown as KubeObject;
  const result = context.objects.update(object, { dryRun: options.dryRun });
  if (!result.ok) return refuse(refusalOf(result.error), subjectOf(target));
  return found(scaleOf(result.value.object, target, scaled.paths), result.value.warnings);
}

export const updateScale: Handler = async (context, call, target) => {
  const options = readMutationOptions(call, 'UpdateOptions');
  if (!options.ok) return refuse(options.error, subjectOf(target));
  const body = await readObject(call.request, context.limits);
  if (!body.ok) return refuse(body.error, subjectOf(target));
  const scaled = find(context, target);
  return scaled ? write(context, target, options.value, scaled, body.value) : missing(target);
};

export const patchScale: Handler = async (context: ServerContext, call: Call, target: Target) => {
  const options = readMutationOptions(call, 'PatchOptions');
  if (!options.ok) return refuse(options.error, subjectOf(target));
  const body = await readBody(call.request, context.limits.bodyBytes);
  if (!body.ok) return refuse(body.error, subjectOf(target));
  const scaled = find(context, target);
  if (!scaled) return missing(target);
  const scale = scaleOf(scaled.stored, target, scaled.paths);
  const type = contentTypeOf(call.request);
  const result = patched(scale, body.value, type, builtinShape('autoscaling.Scale'), context.limits);
  if (!result.ok) return refuse(result.error, subjectOf(target));
  return write(context, target, options.value, scaled, result.value);
};
