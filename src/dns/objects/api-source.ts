/** Objects of a real Kubernetes API for the kubernetes plugin: mirrored by list and watch into a store. */
import type { MetricsRegistry } from '../../base/metrics.ts';
import { ok, type Result } from '../../base/result.ts';
import { createKubeClient, type RequestObserver } from '../../kube/client/client.ts';
import { type ClientConfig, plainConfig } from '../../kube/client/config.ts';
import { createInterner } from '../../kube/client/intern.ts';
import { findClientConfig } from '../../kube/client/kubeconfig.ts';
import { createClusterMirror, type MirrorEntry } from '../../kube/client/mirror.ts';
import { createReflectorExposition, type ReflectorExposition } from '../../kube/client/reflector-exposition.ts';
import { createRequestMetrics } from '../../kube/client/request-metrics.ts';
import { createResourceRegistry } from '../../kube/resources.ts';
import { createStore } from '../../kube/store/store.ts';
import type { ApiAccess, ObjectSource } from '../plugins/setup.ts';
import { createProjections } from './project.ts';

export interface ApiSourceOptions {
  /** Failed requests; they are tried again. */
  onError(message: string): void;
  /** Where requests and mirrors are counted; default nowhere. */
  readonly metrics?: MetricsRegistry;
}

type Opened = ObjectSource | { readonly error: string };

/** As CoreDNS chooses: a kubeconfig, else the endpoint, else the cluster that this process runs in. */
function configOf(access: ApiAccess): Result<ClientConfig, { readonly message: string }> {
  const { endpoint, kubeconfig, tls } = access;
  if (kubeconfig) {
    const { file, context } = kubeconfig;
    return findClientConfig({ kubeconfig: file, ...(context !== undefined && { context }) });
  }
  if (endpoint === undefined) return findClientConfig({});
  const config = plainConfig(endpoint);
  if (!tls) return ok(config);
  const certificate = { cert: { file: tls.cert }, key: { file: tls.key } };
  return ok({ ...config, tls: { ...config.tls, certificate, ca: { file: tls.ca } } });
}

/** Pods that have no address any more. */
const unfinished = 'status.phase!=Succeeded,status.phase!=Failed,status.phase!=Unknown';

/** What is asked of the server: selectors are applied there, so that what is not wanted is not even sent. */
function entriesFor(access: ApiAccess): Omit<MirrorEntry, 'project'>[] {
  const { labels: labelSelector, namespaceLabels, namespaces = [], configMap } = access;
  if (configMap !== undefined) return [configMapEntry(configMap)];
  // One namespace has paths of its own; of several, everything is read and the rest left out.
  const only = namespaces.length === 1 ? { namespaces } : {};
  const inside = { ...only, labelSelector };
  return [
    {
      resource: 'namespaces',
      labelSelector: namespaceLabels,
      ...(namespaces.length === 1 && { fieldSelector: `metadata.name=${namespaces[0]}` }),
    },
    { resource: 'services', ...inside },
    ...(access.endpoints === false ? [] : [{ resource: 'endpointslices.discovery.k8s.io', ...inside }]),
    // Pods only where names or search paths come from them, since they are many.
    ...(access.pods ? [{ resource: 'pods', fieldSelector: unfinished, ...inside }] : []),
    ...(access.serviceImports ? [{ resource: 'serviceimports.multicluster.x-k8s.io', ...only }] : []),
  ];
}

function configMapEntry(key: string): Omit<MirrorEntry, 'project'> {
  const [namespace = '', name = ''] = key.split('/');
  return { resource: 'configmaps', namespaces: [namespace], fieldSelector: `metadata.name=${name}` };
}

function mirrorEntries(access: ApiAccess): MirrorEntry[] {
  const { namespaces, labels, podNames } = access;
  const projectionOf = createProjections(
    { ...(namespaces && { namespaces }), labels: labels !== undefined, podNames: podNames === true },
    createInterner(),
  );
  return entriesFor(access).map((entry) => ({ ...entry, project: projectionOf(entry.resource) }));
}

interface Counting {
  readonly observer?: RequestObserver;
  readonly exposition?: ReflectorExposition;
}

function openMirror(
  config: ClientConfig,
  access: ApiAccess,
  { onError }: ApiSourceOptions,
  counting: Counting,
): ObjectSource {
  const { qps = 0, burst = 0, maxInFlight = 0 } = access;
  const { observer, exposition } = counting;
  const client = createKubeClient({
    config,
    limits: { qps, burst, maxInFlight },
    ...(observer && { observer }),
  });
  const store = createStore({ mirror: true, historyLimit: 0 });
  const mirror = createClusterMirror({
    ...{ client, store, registry: createResourceRegistry(), resources: mirrorEntries(access), skipUnchanged: true },
    onError: ({ message }, resource) => onError(`${resource}: ${message}`),
    onAbsent: (resource) => onError(`${resource}: not served by this API server; looked for from time to time`),
  });
  const uncount = exposition?.add(mirror.reflectors);
  mirror.start();
  return {
    store,
    synced: () => mirror.hasSynced(),
    close() {
      uncount?.();
      mirror.stop().then(
        () => client.close(),
        (error) => onError(String(error)),
      );
    },
  };
}

export interface ApiSources {
  /** Starts mirroring at once; `synced` turns true when every resource has been read once. */
  open(access: ApiAccess): Opened;
}

/**
 * Sources that all who want the same of the same server share: server blocks, and a Corefile with the one that takes
 * its place at a reload, which so finds all objects there. A mirror ends with the last of its users.
 */
export function createApiSources(options: ApiSourceOptions): ApiSources {
  const { metrics } = options;
  const counting: Counting = metrics
    ? { observer: createRequestMetrics(metrics), exposition: createReflectorExposition(metrics) }
    : {};
  const shared = new Map<string, { readonly source: ObjectSource; users: number }>();

  function share(id: string, entry: { readonly source: ObjectSource; users: number }): ObjectSource {
    entry.users++;
    let closed = false;
    return {
      ...entry.source,
      close() {
        if (closed) return;
        closed = true;
        if (--entry.users > 0) return;
        shared.delete(id);
        entry.source.close();
      },
    };
  }

  return {
    open(access) {
      const config = configOf(access);
      if (!config.ok) {
        const named = access.endpoint !== undefined || access.kubeconfig !== undefined;
        const hint = named ? '' : '; name manifests with --manifests, or an API server with endpoint';
        return { error: config.error.message + hint };
      }
      const id = JSON.stringify([Object.entries(access).sort(), config.value]);
      const known = shared.get(id) ?? { source: openMirror(config.value, access, options, counting), users: 0 };
      shared.set(id, known);
      return share(id, known);
    },
  };
}

/** One source that is shared with nobody. */
export function openApiSource(access: ApiAccess, options: ApiSourceOptions): Opened {
  return createApiSources(options).open(access);
}
