/** The indexes that the controllers read the store by. Their names start with `local/`: other roles have their own. */
import { matchesServiceSelector } from '../../kube/selectors.ts';
import type { Store, StoreReader } from '../../kube/store/store.ts';
import {
  type EndpointSlice,
  type KubeObject,
  type OwnerReference,
  type Pod,
  serviceNameLabel,
} from '../../kube/types/index.ts';

export const slicesResource = 'endpointslices.discovery.k8s.io';
export const replicaSetsResource = 'replicasets.apps';

const byController = 'local/controller';
const byLabel = 'local/label';
const byService = 'local/service';

/** The owner that manages an object, of which there is at most one. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller);
}

/** Objects with a controller by its uid, those without under their namespace. */
const controllerValues = (object: KubeObject) => [
  controllerOf(object)?.uid ?? `orphans of ${object.metadata.namespace}`,
];

/** By the labels that all Pods of a template share. */
const valuesOfLabels = new WeakMap<object, { readonly namespace: string; readonly values: readonly string[] }>();

function labelValues({ metadata: { namespace = '', labels } }: KubeObject): readonly string[] {
  if (!labels) return [];
  const known = valuesOfLabels.get(labels);
  if (known?.namespace === namespace) return known.values;
  const values = Object.entries(labels).map(([key, value]) => `${namespace}/${key}=${value}`);
  valuesOfLabels.set(labels, { namespace, values });
  return values;
}

export function addIndexes(store: Store): void {
  store.addIndex('pods', byController, controllerValues);
  store.addIndex(replicaSetsResource, byController, controllerValues);
  store.addIndex('pods', byLabel, labelValues);
  store.addIndex(slicesResource, byService, ({ metadata }) => {
    const service = metadata.labels?.[serviceNameLabel];
    return service ? [`${metadata.namespace}/${service}`] : [];
  });
}

export function controlledBy<T extends KubeObject>(store: StoreReader, resource: string, owner: KubeObject): T[] {
  return owner.metadata.uid ? store.indexed<T>(resource, byController, owner.metadata.uid) : [];
}

/** Objects of a namespace that have no controller. */
export function orphansIn<T extends KubeObject>(store: StoreReader, resource: string, namespace: string): T[] {
  return store.indexed<T>(resource, byController, `orphans of ${namespace}`);
}

export function slicesOf(store: StoreReader, serviceKey: string): EndpointSlice[] {
  return store.indexed<EndpointSlice>(slicesResource, byService, serviceKey);
}

/** Pods that a Service selects, by name. Looks only at Pods that have the rarest of the wanted labels. */
export function podsSelectedBy(
  store: StoreReader,
  namespace: string,
  selector: Record<string, string> | undefined,
): Pod[] {
  let fewest: Pod[] | undefined;
  for (const [key, value] of Object.entries(selector ?? {})) {
    const pods = store.indexed<Pod>('pods', byLabel, `${namespace}/${key}=${value}`);
    if (!fewest || pods.length < fewest.length) fewest = pods;
  }
  return (fewest ?? [])
    .filter((pod) => matchesServiceSelector(selector, pod.metadata.labels))
    .sort((a, b) => compareText(a.metadata.name, b.metadata.name));
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
