/** Where ACME's own objects are kept: Secrets and a ConfigMap, in a store of this process or behind a Kubernetes API. */
import { isConflict, isNotFound } from '../../kube/client/api-error.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import { createResourceClient } from '../../kube/client/resource-client.ts';
import type { ObjectApi } from '../../kube/objects.ts';
import type { ResourceRegistry } from '../../kube/resources.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import type { ConfigMap, KubeObject, Secret } from '../../kube/types/index.ts';

export interface AcmeKinds {
  secrets: Secret;
  configmaps: ConfigMap;
}

export type AcmeKind = keyof AcmeKinds;

/** Reads are never older than writes that came before. All reject with an Error that says why. */
export interface AcmeObjects {
  read<K extends AcmeKind>(kind: K, namespace: string, name: string): Promise<AcmeKinds[K] | undefined>;
  /** Replaces the object when it has a resourceVersion, which must be the stored one; else creates it. As stored. */
  write<K extends AcmeKind>(kind: K, object: AcmeKinds[K]): Promise<AcmeKinds[K]>;
  /** One that is gone already is no error. */
  remove(kind: AcmeKind, namespace: string, name: string): Promise<void>;
  /** Name of a Certificate of cert-manager that is for this Secret. */
  foreignCertificate(namespace: string, secretName: string): Promise<string | undefined>;
}

/** Somebody else has written meanwhile: what was decided from the object has to be decided anew. */
export class WriteConflict extends Error {}

interface ForeignCertificate extends KubeObject {
  readonly spec?: { readonly secretName?: string };
}

const foreignGroup = 'cert-manager.io';
const foreignResource = `certificates.${foreignGroup}`;

const nameFor = (secretName: string, certificates: readonly ForeignCertificate[]) =>
  certificates.find(({ spec }) => spec?.secretName === secretName)?.metadata.name;

/** In a store of this process. */
export function localAcmeObjects(objects: ObjectApi): AcmeObjects {
  const { store } = objects;
  return {
    read: async (kind, namespace, name) => store.get(kind, `${namespace}/${name}`),
    async write(_kind, object) {
      const written = object.metadata.resourceVersion ? objects.update(object) : objects.create(object);
      if (written.ok) return written.value.object;
      throw written.error.code === 409 ? new WriteConflict(written.error.message) : new Error(written.error.message);
    },
    async remove(kind, namespace, name) {
      const removed = objects.delete(kind, `${namespace}/${name}`);
      if (!removed.ok && removed.error.code !== 404) throw new Error(removed.error.message);
    },
    foreignCertificate: async (namespace, secretName) => nameFor(secretName, foreignIn(store, namespace)),
  };
}

const foreignIn = (store: StoreReader, namespace: string) => store.list<ForeignCertificate>(foreignResource, namespace);

const fieldManager = 'fairway-acme';

/** Behind a Kubernetes API. */
export function clusterAcmeObjects(client: KubeClient, registry: ResourceRegistry): AcmeObjects {
  const of = <K extends AcmeKind>(kind: K) => createResourceClient<AcmeKinds[K]>(client, registry.byName(kind)!);
  return {
    async read(kind, namespace, name) {
      const found = await of(kind).get({ namespace, name });
      if (found.ok) return found.value;
      if (isNotFound(found.error)) return undefined;
      throw new Error(found.error.message);
    },
    async write(kind, object) {
      const api = of(kind);
      const written = await (object.metadata.resourceVersion
        ? api.update(object, { fieldManager })
        : api.create(object, { fieldManager }));
      if (written.ok) return written.value;
      const { message, code } = written.error;
      throw code === 409 || isConflict(written.error) ? new WriteConflict(message) : new Error(message);
    },
    async remove(kind, namespace, name) {
      const removed = await of(kind).delete({ namespace, name });
      if (!removed.ok && !isNotFound(removed.error)) throw new Error(removed.error.message);
    },
    async foreignCertificate(namespace, secretName) {
      const path = `/apis/${foreignGroup}/v1/namespaces/${namespace}/certificates`;
      const listed = await client.request<{ items?: ForeignCertificate[] }>({ path });
      if (listed.ok) return nameFor(secretName, listed.value.items ?? []);
      // The kind is not there: nor is cert-manager.
      if (isNotFound(listed.error)) return undefined;
      throw new Error(listed.error.message);
    },
  };
}
