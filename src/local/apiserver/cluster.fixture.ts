/** An API server for tests: an empty cluster with pass-through admission, where CRDs work and nothing reconciles. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLogger } from '../../base/log.ts';
import { packageRoot } from '../../base/package-root.ts';
import { createObjectApi, type ObjectApi } from '../../kube/objects.ts';
import { createResourceRegistry } from '../../kube/resources.ts';
import { createStore } from '../../kube/store/store.ts';
import type { Unstructured } from '../../kube/types/index.ts';
import type { LogLine, PodLog } from '../runtime.ts';
import type { ApiLimits } from './limits.ts';
import { createApiServer } from './server.ts';

export interface TestCluster {
  readonly url: string;
  readonly objects: ObjectApi;
  /** Log of every container of a Pod that has lines here, by `namespace/name`. */
  readonly logs: Map<string, FakeLog>;
  close(): Promise<void>;
}

export interface FakeLog extends PodLog {
  append(line: LogLine): void;
}

export function fakeLog(...lines: LogLine[]): FakeLog {
  const listeners = new Set<(line: LogLine) => void>();
  return {
    lines: () => lines,
    follow(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    append(line) {
      lines.push(line);
      for (const listener of listeners) listener(line);
    },
  };
}

interface CrdSpec {
  group: string;
  scope: string;
  names: { plural: string; singular?: string; kind: string; shortNames?: string[]; categories?: string[] };
  versions: { name: string; served: boolean; subresources?: { status?: object; scale?: object } }[];
}

/** Makes kinds of the CustomResourceDefinitions in the store known, as the CRD controller of a cluster does. */
function followCrds(objects: ObjectApi): void {
  objects.store.subscribe(({ resource, object, type }) => {
    if (resource !== 'customresourcedefinitions.apiextensions.k8s.io' || type === 'DELETED') return;
    const { group, scope, names, versions } = (object as Unstructured).spec as CrdSpec;
    const served = versions.filter((version) => version.served);
    objects.registry.add({
      group,
      versions: served.map((version) => version.name),
      plural: names.plural,
      singular: names.singular ?? names.kind.toLowerCase(),
      kind: names.kind,
      shortNames: names.shortNames ?? [],
      categories: names.categories ?? [],
      namespaced: scope === 'Namespaced',
      status: served.some((version) => version.subresources?.status),
      scale: served.some((version) => version.subresources?.scale),
      custom: true,
    });
  });
}

export function gatewayCrds(): Unstructured[] {
  return JSON.parse(readFileSync(join(packageRoot, 'data/gateway-api/v1.6.1-experimental.json'), 'utf8'));
}

export interface TestClusterOptions {
  crds?: readonly Unstructured[];
  limits?: Partial<ApiLimits>;
  historyLimit?: number;
}

/** Listens on 127.0.0.1 at a free port. */
export async function startCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const store = createStore({ ...(options.historyLimit && { historyLimit: options.historyLimit }) });
  const registry = createResourceRegistry();
  const objects = createObjectApi({
    store,
    registry,
    admit: ({ object }) => ({ object, errors: [], warnings: [] }),
  });
  followCrds(objects);
  const namespaces = ['default', 'kube-system'].map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
    status: { phase: 'Active' },
  }));
  for (const object of [...namespaces, ...(options.crds ?? [])]) objects.create(object);
  const logs = new Map<string, FakeLog>();
  const server = createApiServer({
    objects,
    podLogs: (key) => logs.get(key),
    log: createLogger('test', 'silent'),
    ...(options.limits && { limits: options.limits }),
  });
  const { url } = await server.listen({ host: '127.0.0.1', port: 0 });
  return { url, objects, logs, close: server.close };
}
