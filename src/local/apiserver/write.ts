/** create and update. */
import type { JsonObject } from '../../kube/patch/json.ts';
import { storageName } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { readObject } from './body.ts';
import { type Handler, keyOfTarget, refuse, subjectOf, type Target } from './call.ts';
import { readMutationOptions } from './options.ts';
import { inVersion } from './present.ts';
import { invalid, objectNotFound, type Refusal } from './status.ts';
import { answerWrite, checkFields, nameRequired, owned, qualifiedKind, readSent } from './write-context.ts';

const asObject = (json: JsonObject) => json as unknown as KubeObject;

export const createObject: Handler = async (context, call, target) => {
  const options = readMutationOptions(call, 'CreateOptions');
  if (!options.ok) return refuse(options.error, subjectOf(target));
  const body = await readObject(call.request, context.limits);
  if (!body.ok) return refuse(body.error, subjectOf(target));
  const sent = readSent(body.value, target);
  if (!sent.ok) return refuse(sent.error, subjectOf(target));
  const { name, generateName } = asObject(sent.value).metadata;
  const named = { ...target, ...(name && { name }) };
  if (!name && !generateName) return refuse(nameRequired(target), subjectOf(target));
  const checked = checkFields(context, target, sent.value, options.value);
  if (!checked.ok) return refuse(checked.error, subjectOf(named));
  // Status is written by whoever observes the object, after it exists.
  const { status: _status, ...rest } = sent.value;
  const next = owned(context, target, options.value, target.resource.status ? rest : sent.value, undefined);
  const result = context.objects.create(asObject(next), { dryRun: options.value.dryRun });
  return answerWrite(context, call, named, result, checked.value, 201);
};

/** Custom resources are only replaced by someone who has seen the current one. */
function versionMissing(target: Target, sent: JsonObject): Refusal | undefined {
  if (!target.resource.custom || asObject(sent).metadata.resourceVersion) return undefined;
  return invalid(qualifiedKind(target.resource), target.name!, {
    field: 'metadata.resourceVersion',
    reason: 'FieldValueInvalid',
    message: 'Invalid value: 0: must be specified for an update',
  });
}

/** PUT of an object or of its status. */
export const updateObject: Handler = async (context, call, target) => {
  const options = readMutationOptions(call, 'UpdateOptions');
  if (!options.ok) return refuse(options.error, subjectOf(target));
  const body = await readObject(call.request, context.limits);
  if (!body.ok) return refuse(body.error, subjectOf(target));
  const sent = readSent(body.value, target);
  if (!sent.ok) return refuse(sent.error, subjectOf(target));
  const live = context.objects.store.get(storageName(target.resource), keyOfTarget(target));
  if (!live) return refuse(objectNotFound(target.resource, target.name!), subjectOf(target));
  const missing = versionMissing(target, sent.value);
  if (missing) return refuse(missing, subjectOf(target));
  const checked = checkFields(context, target, sent.value, options.value);
  if (!checked.ok) return refuse(checked.error, subjectOf(target));
  const next = owned(context, target, options.value, sent.value, inVersion(live, target));
  const result = context.objects.update(asObject(next), {
    dryRun: options.value.dryRun,
    ...(target.subresource === 'status' && { subresource: 'status' }),
  });
  return answerWrite(context, call, target, result, checked.value);
};
