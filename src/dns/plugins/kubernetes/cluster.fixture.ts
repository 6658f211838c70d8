/** Objects of a small cluster for tests, as an API server gives them. */
import { createStore, type Store } from '../../../kube/store/store.ts';
import type { KubeObject } from '../../../kube/types/index.ts';

export interface TestCluster {
  readonly store: Store;
  namespace(name: string, labels?: Record<string, string>): void;
  service(namespace: string, name: string, spec: object, more?: object): void;
  /** `labels` replace the label that names the Service. */
  slice(namespace: string, of: string, endpoints: readonly object[], more?: SliceParts): void;
  serviceImport(namespace: string, name: string, spec: object): void;
  pod(namespace: string, name: string, ips: readonly string[], labels?: Record<string, string>): void;
}

export interface SliceParts {
  readonly name?: string;
  readonly ports?: readonly object[];
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
}

export const httpPort = { name: 'http', port: 80, protocol: 'TCP' };

export function createTestCluster(): TestCluster {
  const store = createStore();
  const put = (resource: string, object: object) => store.put(resource, object as KubeObject);
  return {
    store,
    namespace: (name, labels = {}) =>
      put('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }),
    service: (namespace, name, spec, more = {}) =>
      put('services', { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec, ...more }),
    slice(namespace, of, endpoints, { name = `${of}-1`, ports = [httpPort], labels, annotations } = {}) {
      put('endpointslices.discovery.k8s.io', {
        ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4', ports, endpoints },
        metadata: { name, namespace, labels: labels ?? { 'kubernetes.io/service-name': of }, annotations },
      });
    },
    serviceImport: (namespace, name, spec) =>
      put('serviceimports.multicluster.x-k8s.io', {
        ...{ apiVersion: 'multicluster.x-k8s.io/v1alpha1', kind: 'ServiceImport', metadata: { name, namespace }, spec },
      }),
    pod: (namespace, name, ips, labels = {}) =>
      put('pods', {
        ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels }, spec: { containers: [] } },
        status: { phase: 'Running', podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) },
      }),
  };
}
