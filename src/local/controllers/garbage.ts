/** Garbage collection in the background: an object goes when the last of its owners is gone. */

import { diagnostic } from '../../base/diagnostics/index.ts';
import { createGroups } from '../../base/groups.ts';
import { keyOf, refOf, resourceName } from '../../kube/resources.ts';
import { createReconciler, type Reconciler } from '../../kube/store/reconciler.ts';
import type { Change } from '../../kube/store/store.ts';
import type { KubeObject, OwnerReference } from '../../kube/types/index.ts';
import type { ControllerContext } from './context.ts';

const ownersOf = (object: KubeObject | undefined) => object?.metadata.ownerReferences ?? [];

export function createGarbageCollector(ctx: ControllerContext): Reconciler {
  /** By uid of the owner: `resource key` of each object that it owns. */
  const dependents = createGroups<string>();
  /** Objects whose owner was there once: that they go with it needs no explanation. */
  const bereft = new Set<string>();

  /** Owners of kinds that nobody knows cannot be looked for and count as present. */
  function isPresent(owner: OwnerReference, namespace: string | undefined): boolean {
    const resource = ctx.objects.registry.ofKind(owner.apiVersion, owner.kind);
    if (!resource) return true;
    const key = keyOf({ metadata: { name: owner.name, ...(resource.namespaced && namespace && { namespace }) } });
    return ctx.store.get(resourceName(resource), key)?.metadata.uid === owner.uid;
  }

  function collect(resource: string, object: KubeObject, explained: boolean): void {
    ctx.write.remove(resource, object);
    if (explained) return;
    const [owner] = ownersOf(object);
    const message = `removed, because its owner ${owner!.kind} ${owner!.name} (uid ${owner!.uid}) does not exist`;
    ctx.findings.set('owners', refOf(object), [
      diagnostic('FW1512', { message, object: refOf(object), fieldPath: 'metadata.ownerReferences' }),
    ]);
  }

  function reconcile(id: string): void {
    const explained = bereft.delete(id);
    const space = id.indexOf(' ');
    const resource = id.slice(0, space);
    const object = ctx.store.get(resource, id.slice(space + 1));
    if (!object || object.metadata.deletionTimestamp) return;
    const owners = ownersOf(object);
    const left = owners.filter((owner) => isPresent(owner, object.metadata.namespace));
    if (left.length === owners.length) return;
    if (left.length === 0) collect(resource, object, explained);
    else ctx.write.update({ ...object, metadata: { ...object.metadata, ownerReferences: left } });
  }

  const reconciler = createReconciler({ store: ctx.store, watch: {}, reconcile, onError: ctx.onError });

  function note(change: Pick<Change, 'type' | 'resource' | 'object' | 'previous'>): void {
    const { type, resource, object, previous } = change;
    const [before, after] = [ownersOf(previous), type === 'DELETED' ? [] : ownersOf(object)];
    if (before !== after && (before.length > 0 || after.length > 0)) {
      const id = `${resource} ${keyOf(object)}`;
      for (const owner of before) dependents.remove(owner.uid, id);
      for (const owner of after) dependents.add(owner.uid, id, id);
      if (after.some((owner) => !before.some((old) => old.uid === owner.uid))) reconciler.enqueue(id);
    }
    if (type !== 'DELETED' || !object.metadata.uid) return;
    for (const id of dependents.members(object.metadata.uid)) {
      bereft.add(id);
      reconciler.enqueue(id);
    }
  }

  const unsubscribe = ctx.store.subscribe(note);
  for (const resource of ctx.objects.registry.all().map(resourceName))
    for (const object of ctx.store.list(resource)) note({ type: 'ADDED', resource, object });

  return {
    ...reconciler,
    stop() {
      unsubscribe();
      reconciler.stop();
    },
  };
}
