/** Endpoints of a Service as they should be: from the Pods it selects, or from what replaces them. Pure. */
import type {
  Container,
  IPFamily,
  Pod,
  Service,
  ServicePort,
  SliceEndpoint,
  SlicePort,
} from '../../kube/types/index.ts';
import { type BackendOverride, overrideOf } from './backend-overrides.ts';
import { isHeadless } from './cluster-ips.ts';
import { isReady } from './workload-pods.ts';

/** Endpoints of one family whose ports have the same numbers: what one or more EndpointSlices hold. */
export interface EndpointGroup {
  readonly family: IPFamily;
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly SliceEndpoint[];
}

/** A finished Pod, or one without an address, is no endpoint; a terminating one still is. */
function isEndpoint(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return (pod.status?.podIPs?.length ?? 0) > 0 && phase !== 'Succeeded' && phase !== 'Failed';
}

function containersWithPorts(pod: Pod): Container[] {
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...pod.spec.containers, ...sidecars];
}

/** The number of a Service port on a Pod: a name is looked up among its containers' ports of the same protocol. */
export function targetPortOn(pod: Pod, port: ServicePort): number | undefined {
  const target = port.targetPort || port.port;
  if (typeof target === 'number') return target;
  const protocol = port.protocol ?? 'TCP';
  return containersWithPorts(pod)
    .flatMap(({ ports }) => ports ?? [])
    .find(({ name, protocol: spoken }) => name === target && (spoken ?? 'TCP') === protocol)?.containerPort;
}

function slicePort(port: ServicePort, number: number): SlicePort {
  return {
    name: port.name ?? '',
    protocol: port.protocol ?? 'TCP',
    port: number,
    ...(port.appProtocol !== undefined && { appProtocol: port.appProtocol }),
  };
}

/** Ports of a Service on one Pod; those that the Pod does not have are left out. */
function portsOn(pod: Pod, ports: readonly ServicePort[]): SlicePort[] {
  return ports.flatMap((port) => {
    const number = targetPortOn(pod, port);
    return number === undefined ? [] : [slicePort(port, number)];
  });
}

/** Canonical, as the kubelet wrote them. */
function addressesOn(pod: Pod, family: IPFamily): string[] {
  const addresses = (pod.status?.podIPs ?? []).map(({ ip }) => ip);
  return addresses.filter((address) => address.includes(':') === (family === 'IPv6'));
}

/** Only Pods that name the Service as their subdomain have a name of their own under it. */
function hostnameUnder(service: Service, pod: Pod): string | undefined {
  return pod.spec.hostname && pod.spec.subdomain === service.metadata.name ? pod.spec.hostname : undefined;
}

export type ZoneOf = (nodeName: string) => string | undefined;

function endpointOf(service: Service, pod: Pod, addresses: string[], zoneOf: ZoneOf): SliceEndpoint {
  const serving = isReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const hostname = hostnameUnder(service, pod);
  const { nodeName } = pod.spec;
  const zone = nodeName && zoneOf(nodeName);
  const { namespace, name, uid } = pod.metadata;
  return {
    addresses,
    conditions: {
      ready: service.spec.publishNotReadyAddresses === true || (serving && !terminating),
      serving,
      terminating,
    },
    ...(hostname && { hostname }),
    ...(nodeName && { nodeName }),
    ...(zone && { zone }),
    targetRef: { kind: 'Pod', namespace, name, uid },
  };
}

function groupPods(
  service: Service,
  pods: readonly Pod[],
  family: IPFamily,
  ports: readonly ServicePort[],
  zoneOf: ZoneOf,
): EndpointGroup[] {
  const groups = new Map<string, { family: IPFamily; ports: SlicePort[]; endpoints: SliceEndpoint[] }>();
  for (const pod of pods) {
    const addresses = addressesOn(pod, family);
    if (!isEndpoint(pod) || addresses.length === 0) continue;
    const podPorts = portsOn(pod, ports);
    const id = podPorts.map(({ name, port }) => `${name}=${port}`).join();
    const endpoint = endpointOf(service, pod, addresses, zoneOf);
    const group = groups.get(id);
    if (group) group.endpoints.push(endpoint);
    else groups.set(id, { family, ports: podPorts, endpoints: [endpoint] });
  }
  return [...groups.values()];
}

/** One group per port: each may lead to another process. */
function groupOverrides(
  ports: readonly ServicePort[],
  overrides: readonly BackendOverride[],
  nodeName: string,
): EndpointGroup[] {
  return ports.flatMap((port) => {
    const override = overrideOf(overrides, port);
    if (!override) return [];
    const endpoint: SliceEndpoint = {
      addresses: [override.host],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName,
    };
    return [{ family: 'IPv4' as const, ports: [slicePort(port, override.targetPort)], endpoints: [endpoint] }];
  });
}

export interface EndpointsInput {
  readonly service: Service;
  readonly pods: readonly Pod[];
  readonly families: readonly IPFamily[];
  readonly overrides: readonly BackendOverride[];
  readonly nodeName: string;
  readonly zoneOf: ZoneOf;
}

/**
 * The groups of a Service. A selector Service has at least one group per family: an empty one says that nobody is
 * there, as in a cluster.
 */
export function endpointGroups(input: EndpointsInput): EndpointGroup[] {
  const { service, pods, families, overrides } = input;
  const ports = service.spec.ports ?? [];
  const own = ports.filter((port) => !overrideOf(overrides, port));
  const replaced = groupOverrides(ports, overrides, input.nodeName);
  const selects = Object.keys(service.spec.selector ?? {}).length > 0;
  const served = selects && (own.length > 0 || (ports.length === 0 && isHeadless(service.spec)));
  const fromPods = (family: IPFamily) => {
    const groups = served ? groupPods(service, pods, family, own, input.zoneOf) : [];
    const empty = selects && groups.length === 0 && !(family === 'IPv4' && replaced.length > 0);
    return empty ? [{ family, ports: [], endpoints: [] }] : groups;
  };
  return [...replaced, ...families.flatMap(fromPods)];
}
