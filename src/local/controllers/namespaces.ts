/**
 * Namespaces: creates the ones that objects use and nobody defines (a convenience that a cluster has not), labels
 * them with their name, and empties those that are being deleted before it removes them.
 */
import { diagnostic } from '../../base/diagnostics/index.ts';
import { refOf, resourceName } from '../../kube/resources.ts';
import { createReconciler, type Reconciler } from '../../kube/store/reconciler.ts';
import type { Change } from '../../kube/store/store.ts';
import type { KubeObject, Namespace } from '../../kube/types/index.ts';
import type { ControllerContext } from './context.ts';

/** Label that the API server puts on each Namespace, for namespace selectors. */
const nameLabel = 'kubernetes.io/metadata.name';

export function newNamespace(name: string): Namespace {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { [nameLabel]: name } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  };
}

/** The resource and object pairs of a namespace. */
function contentsOf(ctx: ControllerContext, namespace: string): { resource: string; object: KubeObject }[] {
  return ctx.objects.registry
    .all()
    .filter((resource) => resource.namespaced)
    .map(resourceName)
    .flatMap((resource) => ctx.store.list(resource, namespace).map((object) => ({ resource, object })));
}

function isInUse(ctx: ControllerContext, name: string): boolean {
  return ctx.objects.registry
    .all()
    .some((resource) => resource.namespaced && ctx.store.list(resourceName(resource), name).length > 0);
}

export function createNamespaceController(ctx: ControllerContext): Reconciler {
  function define(name: string): void {
    if (!isInUse(ctx, name)) return;
    const made = ctx.write.create(newNamespace(name));
    if (!made) return;
    const message = `namespace ${name} is used by objects but defined nowhere; it was created`;
    ctx.findings.set('namespaces', refOf(made), [diagnostic('FW1501', { message, object: refOf(made) })]);
  }

  function empty(namespace: Namespace): void {
    for (const { resource, object } of contentsOf(ctx, namespace.metadata.name)) {
      if (!object.metadata.deletionTimestamp) ctx.write.remove(resource, object);
    }
    if (contentsOf(ctx, namespace.metadata.name).length > 0 || namespace.metadata.finalizers?.length) return;
    // What a cluster does through the finalize subresource: no API call removes a Namespace.
    ctx.store.remove('namespaces', namespace.metadata.name);
  }

  function complete(namespace: Namespace): void {
    const { name, labels } = namespace.metadata;
    let current: Namespace | undefined = namespace;
    if (labels?.[nameLabel] !== name) {
      const metadata = { ...namespace.metadata, labels: { ...labels, [nameLabel]: name } };
      current = ctx.write.update<Namespace>({ ...namespace, metadata });
    }
    if (current && current.status?.phase !== 'Active')
      ctx.write.updateStatus<Namespace>({ ...current, status: { ...current.status, phase: 'Active' } });
  }

  function reconcile(name: string): void {
    const namespace = ctx.store.get<Namespace>('namespaces', name);
    if (!namespace) define(name);
    else if (namespace.metadata.deletionTimestamp) empty(namespace);
    else complete(namespace);
  }

  const reconciler = createReconciler({
    store: ctx.store,
    watch: { namespaces: (change) => [change.object.metadata.name] },
    reconcile,
    onError: ctx.onError,
  });

  /** Objects that come to a namespace that is not there, or leave one (or change in one) that is going. */
  function note(change: Pick<Change, 'object'>): void {
    const { namespace } = change.object.metadata;
    if (!namespace) return;
    const known = ctx.store.get('namespaces', namespace);
    if (!known || known.metadata.deletionTimestamp) reconciler.enqueue(namespace);
  }

  const unsubscribe = ctx.store.subscribe(note);
  for (const resource of ctx.objects.registry.all())
    for (const object of ctx.store.list(resourceName(resource))) note({ object });

  return {
    ...reconciler,
    stop() {
      unsubscribe();
      reconciler.stop();
    },
  };
}
