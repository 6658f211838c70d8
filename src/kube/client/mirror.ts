/** Several resources of one API in one store: a reflector for each, over one client and one discovery. */
import { type ResourceRegistry, resourceName } from '../resources.ts';
import type { ApiError } from './api-error.ts';
import type { KubeClient } from './client.ts';
import { createDiscovery, type Discovery } from './discovery.ts';
import { createInterner } from './intern.ts';
import type { Mirror } from './mirrored.ts';
import { type Project, withoutWriterFields } from './project.ts';
import { createReflector, type Reflector, type ReflectorOptions } from './reflector.ts';

type Tuning = Omit<
  ReflectorOptions,
  | 'client'
  | 'resource'
  | 'store'
  | 'discovery'
  | 'project'
  | 'metrics'
  | 'metadataOnly'
  | 'onListed'
  | 'onError'
  | 'onAbsent'
  | 'namespace'
  | 'labelSelector'
  | 'fieldSelector'
>;

/** What is mirrored of one resource. */
export interface MirrorEntry extends Pick<ReflectorOptions, 'labelSelector' | 'fieldSelector' | 'project'> {
  /** `services`, `httproutes.gateway.networking.k8s.io`. */
  readonly resource: string;
  /** These namespaces only; default all. */
  readonly namespaces?: readonly string[];
}

export interface ClusterMirrorOptions extends Tuning {
  readonly client: KubeClient;
  readonly store: Mirror;
  readonly registry: ResourceRegistry;
  readonly resources: readonly MirrorEntry[];
  /** Milliseconds that an answer about served versions is good for. Default 10,000. */
  readonly discoveryMs?: number;
  /** Of resources that bring none of their own. Default: all but what only writers look at. */
  readonly project?: Project;
  readonly onError?: (error: ApiError, resource: string) => void;
  readonly onAbsent?: (resource: string) => void;
}

export interface ClusterMirror {
  readonly reflectors: readonly Reflector[];
  readonly discovery: Discovery;
  start(): void;
  hasSynced(): boolean;
  /** Resolves with true once every resource is there, with false when stopped before. */
  whenSynced(): Promise<boolean>;
  stop(): Promise<void>;
}

/** Names that the registry does not know are passed over: their kinds may come later, with a mirror of their own. */
export function createClusterMirror(options: ClusterMirrorOptions): ClusterMirror {
  const { client, store, registry, resources, discoveryMs, onError, onAbsent, ...tuning } = options;
  const discovery = createDiscovery({ client, ...(discoveryMs !== undefined && { keepMs: discoveryMs }) });
  const shared = options.project ?? withoutWriterFields(createInterner());

  const reflectors = resources.flatMap((entry) => {
    const resource = registry.byName(entry.resource);
    if (!resource) return [];
    const { labelSelector, fieldSelector, project = shared } = entry;
    const namespaces = resource.namespaced ? (entry.namespaces ?? [undefined]) : [undefined];
    return namespaces.map((namespace) =>
      createReflector({
        ...tuning,
        ...{ client, store, resource, discovery, project, namespace, labelSelector, fieldSelector },
        ...(onError && { onError: (error: ApiError) => onError(error, resourceName(resource)) }),
        ...(onAbsent && { onAbsent: () => onAbsent(resourceName(resource)) }),
      }),
    );
  });

  return {
    reflectors,
    discovery,
    start() {
      for (const reflector of reflectors) reflector.start();
    },
    hasSynced: () => reflectors.every((reflector) => reflector.hasSynced()),
    whenSynced: async () => (await Promise.all(reflectors.map((reflector) => reflector.whenSynced()))).every(Boolean),
    async stop() {
      await Promise.all(reflectors.map((reflector) => reflector.stop()));
    },
  };
}
