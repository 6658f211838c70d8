/** Node ports of Services of type NodePort and LoadBalancer. */
import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.ts';
import { keyOf, refOf } from '../../kube/resources.ts';
import type { Service, ServicePort, ServiceSpec } from '../../kube/types/index.ts';
import type { ClusterConfig } from '../config.ts';
import type { Allotment, Allotted } from './allotment.ts';
import { createPool, type Pool } from './pool.ts';

export interface NodePorts extends Allotment {
  /** The spec with its node ports filled in, or without them where the type has none. */
  apply(service: Service, spec: ServiceSpec): Allotted;
}

type Protocol = NonNullable<ServicePort['protocol']>;
const protocolOf = (port: ServicePort): Protocol => port.protocol ?? 'TCP';

function mayHavePorts(spec: ServiceSpec): boolean {
  return spec.type === 'NodePort' || spec.type === 'LoadBalancer';
}

function needsPort(spec: ServiceSpec, port: ServicePort): boolean {
  if (!mayHavePorts(spec)) return false;
  return spec.type === 'NodePort' || spec.allocateLoadBalancerNodePorts !== false || port.nodePort !== undefined;
}

export function createNodePorts(config: ClusterConfig): NodePorts {
  const [first, last] = config.nodePortRange;
  const range = { first, last, format: (port: number) => port, parse: (port: number) => port };
  const pools: Record<Protocol, Pool<number>> = {
    TCP: createPool(range),
    UDP: createPool(range),
    SCTP: createPool(range),
  };
  /** By Service: the names under which it holds ports. */
  const held = new Map<string, Map<string, Protocol>>();
  const ownerOf = (key: string, port: ServicePort) => `${key} ${port.port}/${protocolOf(port)}`;

  const portsOf = ({ spec }: Service) => (spec.ports ?? []).filter((port) => needsPort(spec, port));

  function release(key: string, keep: ReadonlyMap<string, Protocol> = new Map()): void {
    for (const [owner, protocol] of held.get(key) ?? []) if (!keep.has(owner)) pools[protocol].release(owner);
    held.delete(key);
  }

  function refusal(service: Service, index: number, wish: number | undefined, given: number | undefined): Diagnostic[] {
    const place = { object: refOf(service), fieldPath: `spec.ports[${index}].nodePort` };
    if (given === undefined) return [diagnostic('FW1511', { message: 'no node port is free', ...place })];
    if (wish === undefined || wish === given) return [];
    const owner = pools[protocolOf(service.spec.ports![index]!)].ownerOf(wish);
    const reason = owner ? `belongs to Service ${owner.split(' ')[0]}` : `is not in the range ${first}-${last}`;
    return [diagnostic('FW1503', { message: `${wish} ${reason}; ${given} was assigned`, ...place })];
  }

  return {
    claim(service) {
      const key = keyOf(service);
      const ports = portsOf(service);
      const owners = new Map(ports.map((port) => [ownerOf(key, port), protocolOf(port)]));
      release(key, owners);
      if (owners.size > 0) held.set(key, owners);
      for (const port of ports) if (port.nodePort) pools[protocolOf(port)].claim(ownerOf(key, port), port.nodePort);
    },
    allocate(service) {
      const key = keyOf(service);
      // Seeded without the protocol, so that a port for TCP and UDP has one number where it can, as in a cluster.
      for (const port of portsOf(service)) pools[protocolOf(port)].allocate(ownerOf(key, port), `${key}:${port.port}`);
    },
    release,
    apply(service, spec) {
      if (!spec.ports) return { spec, findings: [] };
      const findings: Diagnostic[] = [];
      const ports = spec.ports.map((port, index) => {
        const { nodePort: wish, ...rest } = port;
        if (!needsPort(spec, port)) return rest;
        const nodePort = pools[protocolOf(port)].itemOf(ownerOf(keyOf(service), port));
        findings.push(...refusal(service, index, wish || undefined, nodePort));
        return nodePort === undefined ? rest : { ...rest, nodePort };
      });
      return { spec: { ...spec, ports }, findings };
    },
  };
}
