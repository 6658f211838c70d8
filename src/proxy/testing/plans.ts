/** Small plans for tests of the data plane. */
import {
  type Backend,
  type Certificate,
  type Filter,
  type Listener,
  listenerId,
  type Plan,
  type Provenance,
  type Route,
  type VirtualHost,
  type WeightedBackend,
} from '../../routing/plan/plan.ts';
import type { Endpoint } from '../../service/endpoints.ts';

export const source: Provenance = { object: { apiVersion: 'v1', kind: 'Test', name: 'test' } };

export function backend(id: string, protocol: Backend['protocol'] = 'http1'): Backend {
  return { id, namespace: 'default', service: id, port: 80, protocol, source };
}

export function endpoint(address: string, port: number, more: Partial<Endpoint> = {}): Endpoint {
  return { address, port, ready: true, serving: true, terminating: false, ...more };
}

export function share(id: string, weight = 1, filters: readonly Filter[] = []): WeightedBackend {
  return { weight, backend: id, filters, source };
}

/** A route that forwards everything below `/` to one backend, unless told otherwise. */
export function route(more: Partial<Route> = {}): Route {
  return {
    id: 'Test/test/rules/0',
    match: { path: { type: 'prefix', value: '/' } },
    filters: [],
    action: { type: 'forward', backends: [share('app')] },
    source,
    ...more,
  };
}

export function host(hostname: string, routes: readonly Route[]): VirtualHost {
  return { hostname, wildcard: 'any-depth', routes, sources: [source] };
}

export function listener(
  address: string,
  port: number,
  hosts: readonly VirtualHost[],
  more: Partial<Listener> = {},
): Listener {
  const protocol = more.protocol ?? 'HTTP';
  return { id: listenerId(address, port, protocol), address, port, protocol, hosts, sources: [source], ...more };
}

export function planOf(
  listeners: readonly Listener[],
  backends: readonly Backend[] = [backend('app')],
  certificates: readonly Certificate[] = [],
): Plan {
  return {
    listeners,
    backends: Object.fromEntries(backends.map((one) => [one.id, one])),
    certificates: Object.fromEntries(certificates.map((one) => [one.id, one])),
  };
}
