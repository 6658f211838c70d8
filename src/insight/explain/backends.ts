/** The far half of the path: Service, its addresses, its Pods. */
import { formatRef } from '../../base/diagnostics/index.ts';
import { refOf } from '../../kube/resources.ts';
import { matchesServiceSelector } from '../../kube/selectors.ts';
import type { Pod, Service, ServicePort } from '../../kube/types/index.ts';
import { type Backend, backendId, streamBackendId, type WeightedBackend } from '../../routing/plan/plan.ts';
import { backendEndpoints, type Endpoint, usableEndpoints } from '../../service/endpoints.ts';
import type { World } from '../world.ts';
import { backendHopDetails, backendTlsDetails } from './backend-tls.ts';
import type { BackendChoice, Step } from './types.ts';

/** Backends with their share of the requests; those that are invalid keep theirs, since they are answered with an error. */
export function choicesOf(world: World, backends: readonly WeightedBackend[]): BackendChoice[] {
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  return backends.flatMap(({ backend, weight }) => {
    const found = backend === undefined ? undefined : world.plan.backends[backend];
    if (!found) return [];
    return [
      {
        id: found.id,
        namespace: found.namespace,
        service: found.service,
        port: found.port,
        weight,
        share: total === 0 ? 0 : weight / total,
      },
    ];
  });
}

interface Tail {
  readonly steps: readonly [Step, Step, Step];
  readonly endpoints: readonly Endpoint[];
  readonly ok: boolean;
}

function portOf(service: Service, { port, protocol = 'TCP' }: BackendChoice): ServicePort | undefined {
  return service.spec.ports?.find((candidate) => candidate.port === port && (candidate.protocol ?? 'TCP') === protocol);
}

function serviceStep(choice: BackendChoice, service: Service | undefined, backend: Backend | undefined): Step {
  const name = `${choice.namespace}/${choice.service}`;
  const base = {
    step: 4,
    name: 'service',
    object: { apiVersion: 'v1', kind: 'Service', namespace: choice.namespace, name: choice.service },
  } as const;
  if (!service)
    return {
      ...base,
      status: 'broken',
      summary: `Service ${name} does not exist`,
      details: [],
      fix: `create the Service ${name}, or point the route at one that exists`,
    };
  const port = portOf(service, choice);
  if (!port) {
    const ports = (service.spec.ports ?? []).map((candidate) => candidate.port).join(', ') || 'none';
    return {
      ...base,
      status: 'broken',
      summary: `Service ${name} has no port ${choice.port}`,
      details: [`its ports: ${ports}`],
      fix: `use one of the Service's ports (${ports}), or add port ${choice.port}`,
    };
  }
  const selector = Object.entries(service.spec.selector ?? {}).map(([key, value]) => `${key}=${value}`);
  return {
    ...base,
    status: 'ok',
    summary: `Service ${name}, port ${port.port}${port.name ? ` (${port.name})` : ''} → ${port.targetPort ?? port.port}`,
    details: [
      `type ${service.spec.type ?? 'ClusterIP'}, clusterIP ${service.spec.clusterIP ?? 'none yet'}`,
      selector.length > 0 ? `selects ${selector.join(',')}` : 'no selector: endpoints are written by hand',
      ...(backend ? backendHopDetails(backend) : []),
    ],
  };
}

/** Why a Service has no endpoint to use: no Pod selected, Pods not ready, or a target port that no Pod has. */
function whyEmpty(
  world: World,
  service: Service,
  choice: BackendChoice,
  all: readonly Endpoint[],
): { details: string[]; fix: string } {
  if (all.length > 0)
    return {
      details: all.map(describeEndpoint),
      fix: 'none of the Pods is ready: look at kubectl describe pod, readiness decides who gets traffic',
    };
  const pods = world.store.list<Pod>('pods', choice.namespace);
  const selected = pods.filter((pod) => matchesServiceSelector(service.spec.selector, pod.metadata.labels));
  if (!service.spec.selector)
    return { details: [], fix: `the Service has no selector: write an EndpointSlice for it, or give it a selector` };
  if (selected.length > 0) {
    const target = portOf(service, choice)?.targetPort ?? choice.port;
    return {
      details: selected.map((pod) => `${formatRef(refOf(pod))} is selected`),
      fix: `no selected Pod has the target port ${target}: name a containerPort so, or change targetPort`,
    };
  }
  const near = pods.filter((pod) =>
    Object.entries(service.spec.selector!).some(([key, value]) => pod.metadata.labels?.[key] === value),
  );
  return {
    details: near.slice(0, 3).map((pod) => `${formatRef(refOf(pod))} matches only part of the selector`),
    fix: `no Pod in ${choice.namespace} has the labels ${Object.entries(service.spec.selector)
      .map(([key, value]) => `${key}=${value}`)
      .join(',')}: label the Pods so, or change the selector`,
  };
}

function describeEndpoint(endpoint: Endpoint): string {
  const state = endpoint.terminating ? 'terminating' : endpoint.ready ? 'ready' : 'not ready';
  return `${endpoint.address}:${endpoint.port} ${endpoint.pod ?? endpoint.hostname ?? ''} ${state}`.replace(
    / {2,}/g,
    ' ',
  );
}

function idOf({ id, namespace, service, port, protocol }: BackendChoice): string {
  if (id !== undefined) return id;
  return protocol ? streamBackendId(namespace, service, port, protocol) : backendId(namespace, service, port);
}

/** Steps 4 to 6 for one backend. */
export function explainBackend(world: World, choice: BackendChoice): Tail {
  const service = world.store.get<Service>('services', `${choice.namespace}/${choice.service}`);
  const backend = world.plan.backends[idOf(choice)];
  if (backend?.external) return explainExternal(backend, backend.external.hostname);
  const first = serviceStep(choice, service, backend);
  const unreached = (step: number, name: Step['name']): Step => ({
    step,
    name,
    status: 'not reached',
    summary: 'not reached',
    details: [],
  });
  if (!service || first.status === 'broken')
    return { steps: [first, unreached(5, 'address'), unreached(6, 'pod')], endpoints: [], ok: false };
  const all = backendEndpoints(world.store, choice);
  const usable = usableEndpoints(all);
  const clusterIP =
    service.spec.clusterIP && service.spec.clusterIP !== 'None'
      ? `${service.spec.clusterIP}:${choice.port}`
      : 'headless';
  if (usable.length === 0) {
    const { details, fix } = whyEmpty(world, service, choice, all);
    const address: Step = {
      step: 5,
      name: 'address',
      status: 'broken',
      summary: `no endpoint to send to (${all.length} known)`,
      details,
      fix,
    };
    return { steps: [first, address, unreached(6, 'pod')], endpoints: all, ok: false };
  }
  const address: Step = {
    step: 5,
    name: 'address',
    status: usable.length < all.length ? 'warning' : 'ok',
    summary: `${clusterIP} → ${usable.length} of ${all.length} endpoints, in turn`,
    details: all.map(describeEndpoint),
  };
  return { steps: [first, address, podStep(world, usable)], endpoints: all, ok: true };
}

/** The data plane asks DNS by itself; what it was told is not known here. */
function explainExternal({ port, tls, source }: Backend, hostname: string): Tail {
  const service: Step = {
    ...{ step: 4, name: 'service', status: 'ok', object: source.object },
    summary: `${formatRef(source.object)}: ${hostname}:${port}, outside of the cluster`,
    details: tls ? backendTlsDetails(tls) : ['spoken to in plain text'],
  };
  const address: Step = {
    ...{ step: 5, name: 'address', status: 'ok', details: [] },
    summary: `the addresses that ${hostname} has in DNS, in turn`,
  };
  const pod: Step = { step: 6, name: 'pod', status: 'ok', summary: 'the endpoints are not Pods', details: [] };
  return { steps: [service, address, pod], endpoints: [], ok: true };
}

function podStep(world: World, endpoints: readonly Endpoint[]): Step {
  const pods = endpoints.flatMap((endpoint) => (endpoint.pod ? [endpoint.pod] : []));
  if (pods.length === 0)
    return { step: 6, name: 'pod', status: 'ok', summary: 'the endpoints are not Pods', details: [] };
  const first = world.store.get<Pod>('pods', pods[0]!);
  const containers =
    first?.spec.containers.map(({ name, image }) => `container ${name}${image ? ` (${image})` : ''}`) ?? [];
  return {
    step: 6,
    name: 'pod',
    status: 'ok',
    ...(first && { object: refOf(first) }),
    summary: pods.length === 1 ? pods[0]! : `one of ${pods.join(', ')}`,
    details: containers,
  };
}
