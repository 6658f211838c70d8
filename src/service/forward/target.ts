/** Where the traffic of one Service port goes: usable endpoints in turn, with session affinity. */
import type { Service, ServicePort } from '../../kube/types/index.ts';
import { type Endpoint, protocolOf, usableEndpoints } from '../endpoints.ts';

/** Shared by all sockets of a Service port (ClusterIP, NodePort, …), as kube-proxy shares its load balancer. */
export interface Target {
  /** `namespace/service:port/protocol`. */
  readonly id: string;
  readonly service: string;
  setEndpoints(endpoints: readonly Endpoint[]): void;
  /** sessionAffinity and its timeout, from the Service's spec. */
  configure(spec: Service['spec']): void;
  /** Endpoints to try for a new connection or flow of a client, best first, each once. */
  candidates(client: string): Iterable<Endpoint>;
  /** A client was connected to an endpoint: with affinity it comes back to it. */
  chose(client: string, endpoint: Endpoint): void;
  /** Whether the endpoint still takes traffic. */
  usable(endpoint: Endpoint): boolean;
}

export interface TargetOptions {
  /** Bound of the affinity table. */
  affinityClients: number;
  /** Milliseconds, monotonic or not. */
  now(): number;
}

/** Kubernetes' default of sessionAffinityConfig.clientIP.timeoutSeconds: three hours. */
const defaultAffinitySeconds = 10_800;

export function targetId(service: string, port: Pick<ServicePort, 'port' | 'protocol'>): string {
  return `${service}:${port.port}/${protocolOf(port)}`;
}

export const endpointKey = (endpoint: Endpoint) => `${endpoint.address}:${endpoint.port}`;

export function createTarget(id: string, service: string, options: TargetOptions): Target {
  let usable: readonly Endpoint[] = [];
  let turn = 0;
  let affinityMs: number | undefined;
  /** By client address, least recently used first. */
  let remembered: Map<string, { endpoint: string; until: number }> | undefined;

  const isUsable = (key: string) => usable.find((endpoint) => endpointKey(endpoint) === key);

  function sticky(client: string): Endpoint | undefined {
    const memory = remembered?.get(client);
    if (!memory) return undefined;
    const endpoint = memory.until > options.now() ? isUsable(memory.endpoint) : undefined;
    if (!endpoint) remembered!.delete(client);
    return endpoint;
  }

  return {
    id,
    service,
    setEndpoints(endpoints) {
      usable = usableEndpoints(endpoints);
    },
    configure(spec) {
      const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds;
      affinityMs = spec.sessionAffinity === 'ClientIP' ? seconds * 1000 : undefined;
      if (affinityMs === undefined) remembered = undefined;
    },
    *candidates(client) {
      // A snapshot: the set may be replaced while an endpoint is being tried.
      const endpoints = usable;
      const first = affinityMs === undefined ? undefined : sticky(client);
      if (first) yield first;
      const start = turn++;
      for (let step = 0; step < endpoints.length; step++) {
        const endpoint = endpoints[(start + step) % endpoints.length]!;
        if (endpoint !== first) yield endpoint;
      }
    },
    chose(client, endpoint) {
      if (affinityMs === undefined) return;
      remembered ??= new Map();
      remembered.delete(client);
      remembered.set(client, { endpoint: endpointKey(endpoint), until: options.now() + affinityMs });
      if (remembered.size > options.affinityClients) remembered.delete(remembered.keys().next().value!);
    },
    usable: (endpoint) => isUsable(endpointKey(endpoint)) !== undefined,
  };
}
