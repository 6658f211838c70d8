/** What stands behind a path: references to Services resolved to backends of the plan, or to the reason for a 503. */
import { refOf } from '../../kube/resources.ts';
import type { Ingress, IngressBackend, IngressServiceBackend, Service, ServicePort } from '../../kube/types/index.ts';
import { isSpoken, protocolOf } from '../app-protocol.ts';
import { type PolicyState, readBackendTlsPolicies, unverifiedTls } from '../backend-tls.ts';
import { type Backend, backendId, type Provenance, type WeightedBackend } from '../plan/plan.ts';
import type { Context } from './context.ts';

/** Ingress convention: what cannot be reached is unavailable. */
const unavailable = 503;

type ServiceProblem = 'FW2020' | 'FW2021' | 'FW2023' | 'FW2024' | 'FW2025' | 'FW2026';

export interface BackendResolver {
  /** Reports what is wrong with the reference at `fieldPath` and yields a backend either way. */
  resolve(ingress: Ingress, reference: IngressBackend | undefined, fieldPath: string): WeightedBackend;
  /** Backends in use, sorted by id. */
  used(): readonly Backend[];
}

export function createBackendResolver(context: Context): BackendResolver {
  const used = new Map<string, Backend>();
  const policies = readBackendTlsPolicies(context.input.store);

  function refuse(source: Provenance, reason: string): WeightedBackend {
    return { weight: 1, invalid: { status: unavailable, reason }, filters: [], source };
  }

  function resolveService(ingress: Ingress, reference: IngressServiceBackend, fieldPath: string, source: Provenance) {
    const fail = (code: ServiceProblem, field: string, reason: string) => {
      context.report(code, ingress, `${fieldPath}.service${field}`, reason);
      return refuse(source, reason);
    };
    const namespace = ingress.metadata.namespace ?? 'default';
    const key = `${namespace}/${reference.name}`;
    const portName = reference.port?.name ?? undefined;
    const portNumber = reference.port?.number ?? undefined;
    if (!reference.name) return fail('FW2023', '.name', 'the backend names no Service');
    if ((portName === undefined) === (portNumber === undefined))
      return fail('FW2023', '.port', `the port of Service ${key} must be given by number or by name`);
    const service = context.input.store.get<Service>('services', key);
    if (!service) return fail('FW2020', '.name', `Service ${key} does not exist`);
    if (service.spec?.type === 'ExternalName')
      return fail(
        'FW2024',
        '.name',
        `Service ${key} is the name of ${service.spec.externalName}, outside of the cluster`,
      );
    const port = findPort(service, portName ?? portNumber!);
    if (!port)
      return fail('FW2021', '.port', `Service ${key} has no TCP port ${portName ?? portNumber}${knownPorts(service)}`);
    const protocol = protocolOf(port.appProtocol) ?? 'http1';
    const policy = policies.governing(service, port);
    if (policy && !policy.tls) return fail('FW2026', '.port', unusable(policy));
    if (!policy && !isSpoken(protocol))
      return fail(
        'FW2025',
        '.port',
        `port ${port.port} of Service ${key} has appProtocol ${port.appProtocol}: this version forwards HTTP/1.1 only`,
      );
    const spoken = policy?.tls
      ? { protocol: 'https' as const, tls: policy.tls }
      : { protocol, ...(protocol === 'https' && { tls: unverifiedTls(service, { object: refOf(service) }) }) };
    const backend: Backend = { ...toBackend(service, namespace, port), ...spoken };
    if (!used.has(backend.id)) used.set(backend.id, backend);
    return { weight: 1, backend: backend.id, filters: [], source };
  }

  return {
    resolve(ingress, reference, fieldPath) {
      const source = context.provenance(ingress, fieldPath);
      if (reference?.service && !reference.resource)
        return resolveService(ingress, reference.service, fieldPath, source);
      const { code, reason } = whyNoService(reference);
      context.report(code, ingress, fieldPath, reason);
      return refuse(source, reason);
    },
    used: () => [...used.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

function unusable({ policy, rejected, unresolved }: PolicyState): string {
  const why = (rejected ?? unresolved[0])?.message;
  return `the BackendTLSPolicy ${policy.metadata.name} of the Service cannot be followed: ${why}`;
}

function whyNoService(reference: IngressBackend | undefined): { code: 'FW2022' | 'FW2023'; reason: string } {
  if (reference?.service) return { code: 'FW2023', reason: 'the backend names a Service and a resource' };
  if (!reference?.resource) return { code: 'FW2023', reason: 'the backend names no Service' };
  const { apiGroup, kind, name } = reference.resource;
  return { code: 'FW2022', reason: `the backend is ${kind}${apiGroup ? `.${apiGroup}` : ''} ${name}, not a Service` };
}

function findPort(service: Service, wanted: number | string): ServicePort | undefined {
  const ports = (service.spec?.ports ?? []).filter(({ protocol }) => (protocol ?? 'TCP') === 'TCP');
  return ports.find(({ name, port }) => (typeof wanted === 'number' ? port === wanted : name === wanted));
}

function knownPorts(service: Service): string {
  const ports = (service.spec?.ports ?? []).map(({ name, port }) => (name ? `${port} (${name})` : String(port)));
  return ports.length > 0 ? `; it has ${ports.join(', ')}` : '; it has none';
}

function toBackend(service: Service, namespace: string, { port }: ServicePort): Omit<Backend, 'protocol'> {
  const { name } = service.metadata;
  return {
    id: backendId(namespace, name, port),
    namespace,
    service: name,
    port,
    source: { object: refOf(service) },
  };
}
