/** delete and deletecollection. */
import { err, ok, type Result } from '../../base/result.ts';
import type { ApiError } from '../../kube/objects.ts';
import { keyOf, type Resource, resourceName, storageName } from '../../kube/resources.ts';
import type { KubeObject, Pod } from '../../kube/types/index.ts';
import { found, type Handler, keyOfTarget, type Reply, refuse, type ServerContext, subjectOf } from './call.ts';
import { type DeleteOptions, readDeleteOptions } from './delete-options.ts';
import { readListOptions, readSelection } from './options.ts';
import { presenterFor } from './present.ts';
import { listReply, pageOf } from './read.ts';
import { refusalOf, successStatus } from './status.ts';

/** Seconds that a Pod gets to stop. One that never ran, or is done, goes at once. */
function graceOf(object: KubeObject, given: number | undefined): number | undefined {
  if (object.kind !== 'Pod') return given;
  const { spec, status } = object as Pod;
  if (!spec?.nodeName || status?.phase === 'Succeeded' || status?.phase === 'Failed') return 0;
  return given ?? spec.terminationGracePeriodSeconds ?? 30;
}

/** Cuts the ties of everything that the object owns, so that it is not collected with its owner. */
function orphanDependents(context: ServerContext, owner: KubeObject): void {
  const { objects } = context;
  for (const resource of objects.registry.all()) {
    for (const dependent of objects.store.list(resourceName(resource), owner.metadata.namespace)) {
      const references = dependent.metadata.ownerReferences ?? [];
      const kept = references.filter((reference) => reference.uid !== owner.metadata.uid);
      if (kept.length === references.length) continue;
      const { ownerReferences: _old, ...metadata } = dependent.metadata;
      objects.update({ ...dependent, metadata: { ...metadata, ...(kept.length > 0 && { ownerReferences: kept }) } });
    }
  }
}

/**
 * Deletes one object. Owned objects are collected in the background by the garbage collector of the cluster, under
 * Foreground too; with Orphan they are let go first.
 */
export function deleteOne(
  context: ServerContext,
  resource: Resource,
  key: string,
  options: DeleteOptions,
): Result<KubeObject, ApiError> {
  const name = storageName(resource);
  const object = context.objects.store.get(name, key);
  const graceSeconds = object && graceOf(object, options.gracePeriodSeconds);
  const { preconditions, dryRun } = options;
  const deletion = {
    ...(graceSeconds !== undefined && { graceSeconds }),
    ...(preconditions && { preconditions }),
  };
  if (object && options.propagationPolicy === 'Orphan' && !dryRun) {
    // Preconditions first: a refused delete must not have cut anything.
    const allowed = context.objects.delete(name, key, { ...deletion, dryRun: true });
    if (!allowed.ok) return err(allowed.error);
    orphanDependents(context, object);
  }
  const result = context.objects.delete(name, key, { ...deletion, dryRun });
  return result.ok ? ok(result.value) : result;
}

export const deleteObject: Handler = async (context, call, target) => {
  const options = await readDeleteOptions(call, context.limits);
  if (!options.ok) return refuse(options.error, subjectOf(target));
  const { resource } = target;
  const result = deleteOne(context, resource, keyOfTarget(target), options.value);
  if (!result.ok) return refuse(refusalOf(result.error), subjectOf(target));
  const object = result.value;
  const lingers = context.objects.store.get(storageName(resource), keyOf(object)) !== undefined;
  if (lingers && !options.value.dryRun) return found(presenterFor(context, call, target).one(object));
  return deleted(resource, object);
};

function deleted(resource: Resource, { metadata }: KubeObject): Reply {
  const { group, plural } = resource;
  return found(successStatus({ name: metadata.name, ...(group && { group }), kind: plural, uid: metadata.uid }));
}

export const deleteCollection: Handler = async (context, call, target) => {
  const options = await readDeleteOptions(call, context.limits);
  if (!options.ok) return refuse(options.error, subjectOf(target));
  const list = readListOptions(call, false);
  if (!list.ok) return refuse(list.error, subjectOf(target));
  const selection = readSelection(context, call, target);
  if (!selection.ok) return refuse(selection.error, subjectOf(target));
  const page = pageOf(context.objects.store, target, list.value, selection.value);
  if (!page.ok) return refuse(page.error, subjectOf(target));
  const gone: KubeObject[] = [];
  for (const object of page.value.objects) {
    const result = deleteOne(context, target.resource, keyOf(object), options.value);
    if (result.ok) gone.push(result.value);
    // Deleting one object may take others of the list with it.
    else if (result.error.code !== 404) return refuse(refusalOf(result.error), subjectOf(target));
  }
  return listReply(context, call, target, { ...page.value, revision: context.objects.store.revision, objects: gone });
};
