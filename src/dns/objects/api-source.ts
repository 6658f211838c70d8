/** Objects of a real Kubernetes API for the kubernetes plugin: mirrored by list and watch into a store. */
import { ok, type Result } from '../../base/result.ts';
import { createKubeClient } from '../../kube/client/client.ts';
import { type ClientConfig, plainConfig } from '../../kube/client/config.ts';
import { findClientConfig } from '../../kube/client/kubeconfig.ts';
import { createClusterMirror } from '../../kube/client/mirror.ts';
import { createResourceRegistry } from '../../kube/resources.ts';
import { createStore } from '../../kube/store/store.ts';
import type { ApiAccess, ObjectSource } from '../plugins/setup.ts';

export interface ApiSourceOptions {
  /** Failed requests; they are tried again. */
  onError(message: string): void;
}

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

/** What the plugin looks at; Pods only where names or search paths come from them, since they are many. */
function resourcesFor(access: ApiAccess): { resource: string; fieldSelector?: string }[] {
  const finished = 'status.phase!=Succeeded,status.phase!=Failed,status.phase!=Unknown';
  return [
    { resource: 'namespaces' },
    { resource: 'services' },
    ...(access.endpoints === false ? [] : [{ resource: 'endpointslices.discovery.k8s.io' }]),
    ...(access.pods ? [{ resource: 'pods', fieldSelector: finished }] : []),
  ];
}

/** Starts mirroring at once; `synced` turns true when every resource has been read once. */
export function openApiSource(access: ApiAccess, options: ApiSourceOptions): ObjectSource | { readonly error: string } {
  const config = configOf(access);
  if (!config.ok) {
    const named = access.endpoint !== undefined || access.kubeconfig !== undefined;
    return {
      error: config.error.message + (named ? '' : '; name manifests with --manifests, or an API server with endpoint'),
    };
  }
  const client = createKubeClient({ config: config.value });
  const store = createStore({ mirror: true, historyLimit: 0 });
  const mirror = createClusterMirror({
    client,
    store,
    registry: createResourceRegistry(),
    resources: resourcesFor(access),
    onError: ({ message }, resource) => options.onError(`${resource}: ${message}`),
  });
  mirror.start();
  return {
    store,
    synced: () => mirror.hasSynced(),
    close() {
      mirror.stop().then(
        () => client.close(),
        (error) => options.onError(String(error)),
      );
    },
  };
}
