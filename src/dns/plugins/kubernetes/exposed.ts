/** The part of a cluster that the plugin may show: a view of its objects, filtered by namespace and labels. */
import type { ResourceName } from '../../../kube/resources.ts';
import type { Change, StoreReader } from '../../../kube/store/store.ts';
import type { KubeObject } from '../../../kube/types/index.ts';
import type { KubernetesOptions } from './options.ts';

const slices = 'endpointslices.discovery.k8s.io';
/** What `labels` selects. ServiceImports are shown whatever their labels, as CoreDNS shows them. */
const labelled = new Set<ResourceName>(['services', 'pods', slices]);
const namespaced: readonly ResourceName[] = [...labelled, 'serviceimports.multicluster.x-k8s.io'];

type Filter = Pick<KubernetesOptions, 'namespaces' | 'namespaceLabels' | 'labels' | 'noEndpoints'>;

export interface ExposedView {
  readonly store: StoreReader;
  close(): void;
}

/**
 * The store itself when nothing is filtered. A namespace whose labels change brings its objects in or takes them out,
 * as changes of their own.
 */
export function exposedView(source: StoreReader, filter: Filter): ExposedView {
  const { namespaces, namespaceLabels, labels, noEndpoints } = filter;
  if (namespaces.length === 0 && !namespaceLabels && !labels && !noEndpoints) return { store: source, close: () => {} };
  const named = new Set(namespaces);
  const listeners = new Set<(change: Change) => void>();

  function showsNamespace(name: string, object = source.get('namespaces', name)): boolean {
    if (named.size > 0) return named.has(name);
    return !namespaceLabels || (object !== undefined && namespaceLabels(object.metadata.labels));
  }

  function shows(resource: ResourceName, object: KubeObject): boolean {
    if (resource === 'namespaces') return showsNamespace(object.metadata.name, object);
    const { namespace } = object.metadata;
    return isSelected(resource, object) && (namespace === undefined || showsNamespace(namespace));
  }

  /** Whether it is shown when its namespace is. */
  function isSelected(resource: ResourceName, object: KubeObject): boolean {
    if (noEndpoints && resource === slices) return false;
    return !labels || !labelled.has(resource) || labels(object.metadata.labels);
  }

  function tell(change: Change): void {
    for (const listener of listeners) listener(change);
  }

  /** A namespace came into view or left it: so do its objects. */
  function retell(namespace: string, type: 'ADDED' | 'DELETED', revision: number): void {
    for (const resource of namespaced) {
      for (const object of source.list(resource, namespace)) {
        if (isSelected(resource, object))
          tell({ type, resource, object, revision, ...(type === 'DELETED' && { previous: object }) });
      }
    }
  }

  function forward(change: Change): void {
    const { resource, object, previous, revision } = change;
    const before = previous !== undefined && shows(resource, previous);
    const after = change.type !== 'DELETED' && shows(resource, object);
    if (resource === 'namespaces' && before !== after && namespaceLabels)
      retell(object.metadata.name, after ? 'ADDED' : 'DELETED', revision);
    if (before && after) tell(change);
    else if (after) tell({ type: 'ADDED', resource, object, revision });
    else if (before) tell({ type: 'DELETED', resource, object, previous, revision });
  }

  const unsubscribe = source.subscribe(forward);
  const store: StoreReader = {
    get revision() {
      return source.revision;
    },
    // What is shown of a resource follows from namespaces too.
    changedAt: () => source.revision,
    get<T extends KubeObject>(resource: ResourceName, key: string) {
      const object = source.get<T>(resource, key);
      return object && shows(resource, object) ? object : undefined;
    },
    list: <T extends KubeObject>(resource: ResourceName, namespace?: string) =>
      source.list<T>(resource, namespace).filter((object) => shows(resource, object)),
    indexed: <T extends KubeObject>(resource: ResourceName, index: string, value: string) =>
      source.indexed<T>(resource, index, value).filter((object) => shows(resource, object)),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return { store, close: unsubscribe };
}
