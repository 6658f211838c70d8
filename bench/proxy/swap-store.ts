/** Stores with many routes for `swap.mjs`, and one change of one of them. */

import type { ObjectApi } from '../../src/kube/objects.ts';
import type { KubeObject } from '../../src/kube/types/index.ts';
import { createLocalObjects } from '../../src/local/local-objects.ts';

export const addresses = { ingress: '127.79.251.1', gateway: '127.79.251.2', backend: '127.79.251.3' };
/** Added to ports of listeners, so that none needs privilege. */
export const portOffset = 18_200;
export const backendPort = 18_300;

export const scenarios = ['ingress', 'httproute', 'one-host'] as const;
export type Scenario = (typeof scenarios)[number];

/** What one route answers to. `version` is in its path, so that a change of it shows in an answer. */
export interface Place {
  readonly address: string;
  readonly host: string;
  readonly path: string;
}

/** Ten routes to a host; all of one host; a host for each. */
const hostsOf: Record<Scenario, (i: number) => string> = {
  ingress: (i) => `host-${Math.floor(i / 10)}.example.com`,
  httproute: (i) => `host-${i}.example.com`,
  'one-host': () => 'shop.example.com',
};

export function placeOf(scenario: Scenario, i: number, version: number): Place {
  const address = scenario === 'ingress' ? addresses.ingress : addresses.gateway;
  return { address, host: hostsOf[scenario](i), path: `/app-${i}/v${version}` };
}

/** Objects are put as an API server stores them, because admission is not what is measured. */
const created = '2026-01-01T00:00:00Z';

function metadata(name: string, generation: number) {
  return { name, namespace: 'shop', uid: name, generation, creationTimestamp: created };
}

function routeOf(scenario: Scenario, i: number, version: number): KubeObject {
  const { host, path } = placeOf(scenario, i, version);
  const port = 80;
  const name = `app-${i}`;
  if (scenario === 'ingress') {
    const backend = { service: { name, port: { number: port } } };
    return {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: metadata(name, version),
      spec: {
        ingressClassName: 'fairway',
        rules: [{ host, http: { paths: [{ path, pathType: 'Prefix', backend }] } }],
      },
    } as KubeObject;
  }
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: metadata(name, version),
    spec: {
      parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'web' }],
      hostnames: [host],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: path } }],
          backendRefs: [{ group: '', kind: 'Service', name, port, weight: 1 }],
        },
      ],
    },
  } as KubeObject;
}

const gateway = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: metadata('web', 1),
  spec: {
    gatewayClassName: 'fairway',
    listeners: [{ name: 'http', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'Same' } } }],
  },
} as KubeObject;

function resourceOf(scenario: Scenario): string {
  return scenario === 'ingress' ? 'ingresses.networking.k8s.io' : 'httproutes.gateway.networking.k8s.io';
}

export function putRoute(objects: ObjectApi, scenario: Scenario, i: number, version: number): void {
  const resource = resourceOf(scenario);
  const route = routeOf(scenario, i, version);
  const status = (objects.store.get(resource, `shop/app-${i}`) as { status?: unknown } | undefined)?.status;
  objects.store.put(resource, { ...route, ...(status !== undefined && { status }) } as KubeObject);
}

export function removeRoute(objects: ObjectApi, scenario: Scenario, i: number): void {
  objects.store.remove(resourceOf(scenario), `shop/app-${i}`);
}

/** A Service with one endpoint for route `i`. */
export function putService({ store }: ObjectApi, i: number): void {
  const name = `app-${i}`;
  store.put('services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(name, 1),
    spec: { ports: [{ name: 'http', port: 80, targetPort: 8080 }], selector: { app: name } },
  } as KubeObject);
  store.put('endpointslices.discovery.k8s.io', {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...metadata(name, 1), labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [addresses.backend], conditions: { ready: true } }],
    ports: [{ name: 'http', port: backendPort, protocol: 'TCP' }],
  } as KubeObject);
}

export function makeObjects(scenario: Scenario, count: number): ObjectApi {
  const objects = createLocalObjects();
  if (scenario !== 'ingress') objects.store.put('gateways.gateway.networking.k8s.io', gateway);
  for (let i = 0; i < count; i++) {
    putService(objects, i);
    putRoute(objects, scenario, i, 1);
  }
  return objects;
}
