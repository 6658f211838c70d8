/** For tests: a cluster in memory, and short ways to say what is in it. */
import { type Admission, createObjectApi, type ObjectApi } from '../../kube/objects.ts';
import { createResourceRegistry, keyOf, type ResourceRegistry, resourceName } from '../../kube/resources.ts';
import { createAdmission } from '../../kube/schema/admission.ts';
import { createSchemas } from '../../kube/schema/crd.ts';
import { createStore, type Store } from '../../kube/store/store.ts';
import {
  type Deployment,
  type EndpointSlice,
  type KubeObject,
  type Pod,
  type PodSpec,
  type Service,
  type ServiceSpec,
  serviceNameLabel,
  type Unstructured,
} from '../../kube/types/index.ts';
import { admitForeignAddresses, createLocalCluster, type LocalCluster, type LocalClusterOptions } from '../cluster.ts';

/** What objects meet on their way into `fairway up`. */
export const realAdmission = (registry: ResourceRegistry): Admission =>
  admitForeignAddresses(createAdmission({ schemas: createSchemas(registry) }));

/** Takes everything as it is, for objects that the real one would refuse. */
export const passThrough = (): Admission => (request) => ({ object: request.object, errors: [], warnings: [] });

export interface TestCluster {
  readonly objects: ObjectApi;
  readonly store: Store;
  readonly cluster: LocalCluster;
  /** Creates or replaces, then settles. */
  apply(...objects: KubeObject[]): void;
  /** As `kubectl patch --type=merge`, but one level deep in spec; then settles. */
  patch(resource: string, key: string, change: { spec?: object; metadata?: object }): void;
  delete(resource: string, key: string, graceSeconds?: number): void;
  get<T extends KubeObject = Unstructured>(resource: string, key: string): T;
  pods(namespace?: string): Pod[];
  podNames(namespace?: string): string[];
  slices(service: string): EndpointSlice[];
  codes(): string[];
}

export interface TestClusterOptions extends Partial<LocalClusterOptions> {
  admission?: (registry: ResourceRegistry) => Admission;
}

/** Fails on any refusal, unless the test asks the object API itself. */
export function createTestCluster(options: TestClusterOptions = {}): TestCluster {
  const store = createStore();
  const registry = createResourceRegistry();
  const { admission = realAdmission, ...rest } = options;
  const objects = createObjectApi({ store, registry, admit: admission(registry) });
  const cluster = createLocalCluster({ objects, ...rest });
  cluster.settle();

  function write(object: KubeObject): void {
    const resource = registry.ofKind(object.apiVersion, object.kind)!;
    const metadata = {
      ...object.metadata,
      ...(resource.namespaced && { namespace: object.metadata.namespace ?? 'default' }),
    };
    const exists = store.get(resourceName(resource), keyOf({ metadata }));
    const written = exists ? objects.update(structuredClone(object)) : objects.create(structuredClone(object));
    if (!written.ok) throw new Error(written.error.message);
  }

  function apply(...given: KubeObject[]): void {
    for (const object of given) write(object);
    cluster.settle();
  }

  const get = <T extends KubeObject>(resource: string, key: string): T => {
    const found = store.get<T>(resource, key);
    if (!found) throw new Error(`no ${resource} ${key}`);
    return found;
  };
  const byName = (a: KubeObject, b: KubeObject) => (a.metadata.name < b.metadata.name ? -1 : 1);
  const pods = (namespace = 'default') => store.list<Pod>('pods', namespace).sort(byName);

  return {
    objects,
    store,
    cluster,
    apply,
    patch(resource, key, change) {
      const object = get<Unstructured>(resource, key);
      apply({
        ...object,
        metadata: { ...object.metadata, ...change.metadata },
        spec: { ...(object.spec as object), ...change.spec },
      } as Unstructured);
    },
    delete(resource, key, graceSeconds = 0) {
      const deleted = objects.delete(resource, key, { graceSeconds });
      if (!deleted.ok) throw new Error(deleted.error.message);
      cluster.settle();
    },
    get,
    pods,
    podNames: (namespace) => pods(namespace).map((pod) => pod.metadata.name),
    slices: (service) =>
      store
        .list<EndpointSlice>('endpointslices.discovery.k8s.io', 'default')
        .filter((slice) => slice.metadata.labels?.[serviceNameLabel] === service)
        .sort(byName),
    codes: () => cluster.diagnostics().map((finding) => finding.code),
  };
}

const container = (ports: PodSpec['containers'][number]['ports'] = [{ name: 'http', containerPort: 8080 }]) => ({
  name: 'app',
  image: 'example/app:1',
  ports,
});

export function podTemplate(app: string, spec: Partial<PodSpec> = {}) {
  return { metadata: { labels: { app } }, spec: { containers: [container()], ...spec } };
}

export function pod(name: string, labels: Record<string, string>, spec: Partial<PodSpec> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels },
    spec: { containers: [container()], ...spec },
  };
}

export function deployment(name: string, replicas?: number, spec: Partial<PodSpec> = {}): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: {
      ...(replicas !== undefined && { replicas }),
      selector: { matchLabels: { app: name } },
      template: podTemplate(name, spec),
    },
  };
}

export function service(name: string, spec: Partial<ServiceSpec> = {}, namespace = 'default'): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080, protocol: 'TCP' }], ...spec },
  };
}

export function endpointsOf(slices: readonly EndpointSlice[]): string[] {
  return slices.flatMap((slice) => slice.endpoints.flatMap((endpoint) => endpoint.addresses)).sort();
}
