/** What stands behind a path: references to Services resolved to backends of the plan, or to the reason for a 503. */
import { refOf } from '../../kube/resources.ts';
import type {
  Ingress,
  IngressBackend,
  IngressServiceBackend,
  Secret,
  Service,
  ServicePort,
} from '../../kube/types/index.ts';
import { isOverTls, overTls, protocolOf } from '../app-protocol.ts';
import { backendPolicy } from '../backend-policy/policy.ts';
import { type BackendTlsPolicies, type PolicyState, unverifiedTls } from '../backend-tls.ts';
import { type BackendTrafficPolicies, targetKey, withRetryBudget } from '../backend-traffic.ts';
import { type Captured, capture } from '../incremental/capture.ts';
import { type Backend, backendId, type Provenance, type WeightedBackend } from '../plan/plan.ts';
import type { RoutePolicy } from '../route-policy/policy.ts';
import type { Context } from './context.ts';

/** Ingress convention: what cannot be reached is unavailable. */
const unavailable = 503;

type ServiceProblem = 'FW2020' | 'FW2021' | 'FW2023' | 'FW2024' | 'FW2026';

export interface BackendResolver {
  /** Reports what is wrong with the reference at `fieldPath` and yields a backend either way. */
  resolve(ingress: Ingress, reference: IngressBackend | undefined, fieldPath: string): WeightedBackend;
  /** A Secret by its key, noted as asked for. */
  findSecret(key: string): Secret | undefined;
  /** Runs a step and tells what it has met. */
  gather<T>(run: () => T): Gathered<T>;
}

/** A result with all that it depends on, besides the objects it was made from and the policies. */
export interface Gathered<T> extends Captured<T> {
  /** Keys of the Services that were asked for, there or not. */
  readonly services: readonly string[];
  /** The same for Secrets. */
  readonly secrets: readonly string[];
  readonly backends: readonly Backend[];
}

/** What an Ingress does with requests that no path of it takes. */
export interface Fallback {
  readonly backend: WeightedBackend;
  readonly policy: RoutePolicy;
}

/** The default backend of an Ingress, as of a translation. */
export interface FallbackReading extends Gathered<Fallback> {
  readonly turn: number;
}

export function createBackendResolver(
  context: Context,
  policies: BackendTlsPolicies,
  traffic: BackendTrafficPolicies,
): BackendResolver {
  let used = new Map<string, Backend>();
  let asked = new Set<string>();
  let secrets = new Set<string>();

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
    asked.add(key);
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
    const spoken = policy?.tls
      ? { protocol: overTls(protocol), tls: policy.tls }
      : { protocol, ...(isOverTls(protocol) && { tls: unverifiedTls(service, { object: refOf(service) }) }) };
    const own: Backend = {
      ...toBackend(service, namespace, port),
      ...spoken,
      ...backendPolicy(context, service, spoken.protocol),
    };
    const governing = traffic.governing(targetKey('Service', namespace, reference.name));
    const backend = withRetryBudget(own, spoken.protocol, governing);
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
    findSecret(key) {
      secrets.add(key);
      return context.input.store.get<Secret>('secrets', key);
    },
    gather(run) {
      used = new Map();
      asked = new Set();
      secrets = new Set();
      const captured = capture(context, run);
      return { ...captured, services: [...asked], secrets: [...secrets], backends: [...used.values()] };
    },
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
