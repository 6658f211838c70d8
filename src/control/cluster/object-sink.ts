/** Objects generated for Gateways, written through a Kubernetes API; what fails is tried again by infrastructure.ts. */
import { isAlreadyExists, isConflict, isNotFound } from '../../kube/client/api-error.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import { createResourceClient } from '../../kube/client/resource-client.ts';
import type { Json } from '../../kube/patch/json.ts';
import { mergePatchBetween } from '../../kube/patch/merge-patch.ts';
import { keyOf, type ResourceRegistry, versionOf } from '../../kube/resources.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import type { ObjectSink } from '../infrastructure.ts';

const fieldManager = 'fairway-gateway';

/** `store` is the mirror that objects come from, which does not hold all of their metadata. */
export function createObjectSink(client: KubeClient, registry: ResourceRegistry, store: StoreReader): ObjectSink {
  const of = (resource: string, { apiVersion }: KubeObject) =>
    createResourceClient<KubeObject>(client, registry.byName(resource)!, versionOf(apiVersion));
  return {
    async create(resource, object) {
      const written = await of(resource, object).create(object, { fieldManager });
      // There already: the mirror will tell, and it be looked at again.
      if (!written.ok && !isAlreadyExists(written.error)) throw new Error(written.error.message);
    },
    async update(resource, object) {
      const { resourceVersion } = object.metadata;
      const patch = patchTo(object, store.get(resource, keyOf(object)));
      if (!patch) return;
      // A patch, so that nothing is lost of what the mirror leaves out, such as what kubectl apply keeps.
      const body = { ...patch, metadata: { ...patch.metadata, resourceVersion } };
      const written = await of(resource, object).mergePatch(object.metadata, body, { fieldManager });
      // Gone, or changed since: the mirror will tell, and the object be looked at again.
      if (!written.ok && !isNotFound(written.error) && !isConflict(written.error))
        throw new Error(written.error.message);
    },
    async remove(resource, object) {
      const { uid } = object.metadata;
      const deleted = await of(resource, object).delete(object.metadata, { ...(uid && { uid }) });
      if (!deleted.ok && !isNotFound(deleted.error)) throw new Error(deleted.error.message);
    },
  };
}

/** Undefined when there is nothing to change, or nothing there to be changed. */
function patchTo(object: KubeObject, stored: KubeObject | undefined): Partial<KubeObject> | undefined {
  if (!stored) return undefined;
  return mergePatchBetween(stored as unknown as Json, object as unknown as Json) as Partial<KubeObject> | undefined;
}
