/** Subresources that act: namespaces/finalize, pods/eviction, and those that need a container runtime. */
import { fieldOf, isObject, type JsonObject } from '../../kube/patch/json.ts';
import { resourceName } from '../../kube/resources.ts';
import type { Namespace } from '../../kube/types/index.ts';
import { readObject } from './body.ts';
import { found, type Handler, keyOfTarget, refuse, subjectOf } from './call.ts';
import { deleteOne } from './delete.ts';
import { presenterFor } from './present.ts';
import { badRequest, objectNotFound, refusalOf } from './status.ts';

/** Replaces `spec.finalizers` of a namespace; one that is being deleted and has none left goes. */
export const finalizeNamespace: Handler = async (context, call, target) => {
  const body = await readObject(call.request, context.limits);
  if (!body.ok) return refuse(body.error, subjectOf(target));
  const { store } = context.objects;
  const namespace = store.get<Namespace>('namespaces', target.name!);
  if (!namespace) return refuse(objectNotFound(target.resource, target.name!), subjectOf(target));
  const spec = fieldOf(body.value, 'spec');
  const finalizers = (isObject(spec) && fieldOf(spec, 'finalizers')) || [];
  if (!Array.isArray(finalizers) || !finalizers.every((name): name is string => typeof name === 'string'))
    return refuse(badRequest('spec.finalizers: must be a list of strings'), subjectOf(target));
  const { finalizers: _old, ...rest } = namespace.spec ?? {};
  const next: Namespace = { ...namespace, spec: { ...rest, ...(finalizers.length > 0 && { finalizers }) } };
  const done = next.metadata.deletionTimestamp && finalizers.length === 0 && !next.metadata.finalizers?.length;
  if (done) return found(presenterFor(context, call, target).one(store.remove('namespaces', target.name!) ?? next));
  const result = context.objects.update(next);
  if (!result.ok) return refuse(refusalOf(result.error), subjectOf(target));
  return found(presenterFor(context, call, target).one(result.value.object), result.value.warnings);
};

/** pods/eviction (`policy/v1 Eviction`): deletes the Pod. Disruption budgets are stored only, so none forbids it. */
export const evictPod: Handler = async (context, call, target) => {
  const body = await readObject(call.request, context.limits);
  if (!body.ok) return refuse(body.error, subjectOf(target));
  const given = fieldOf(body.value, 'deleteOptions');
  const { dryRun, gracePeriodSeconds: grace } = isObject(given) ? given : ({} as JsonObject);
  const result = deleteOne(context, target.resource, keyOfTarget(target), {
    dryRun: (Array.isArray(dryRun) && dryRun.includes('All')) || call.query.getAll('dryRun').includes('All'),
    ...(typeof grace === 'number' && grace >= 0 && { gracePeriodSeconds: grace }),
  });
  if (!result.ok) return refuse(refusalOf(result.error), subjectOf(target));
  return found({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }, [], 201);
};

/** exec, attach, portforward: Pods here are servers inside one process, without a shell or ports of their own kind. */
export const notSupported: Handler = (_context, _call, target) =>
  refuse(
    {
      code: 501,
      reason: 'NotImplemented',
      message: `${resourceName(target.resource)}/${target.subresource} is not supported: the Pods of this cluster are echo servers without a container; reach them at their own address, or put a process of yours behind a Service with --backend`,
    },
    subjectOf(target),
  );
