/** What stands behind a path: references to Services resolved to backends of the plan, or to the reason for a 503. */
import { checkDns1123Subdomain } from '../../base/names.ts';
import { refOf } from '../../kube/resources.ts';
import type {
  ConfigMap,
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
import type { Dialect, RoutePolicy } from '../route-policy/policy.ts';
import type { Context } from './context.ts';

/** Ingress convention: what cannot be reached is unavailable. */
const unavailable = 503;

type ServiceProblem = 'FW2020' | 'FW2021' | 'FW2023' | 'FW2024' | 'FW2026';

/** Makes of a backend one that is spoken to in another way, under an identity of its own. */
export type BackendVariant = (backend: Backend) => Backend;

export interface ServiceFault {
  readonly code: ServiceProblem;
  /** Below `service` of the reference: `.name` or `.port`. */
  readonly field: string;
  readonly reason: string;
}

export interface BackendResolver {
  /** Reports what is wrong with the reference at `fieldPath` and yields a backend either way. */
  resolve(
    ingress: Ingress,
    reference: IngressBackend | undefined,
    fieldPath: string,
    variant?: BackendVariant,
  ): WeightedBackend;
  /** A port of a Service of any namespace, or why there is none; noted as asked for, and reports nothing. */
  findBackend(namespace: string, reference: IngressServiceBackend, variant?: BackendVariant): Backend | ServiceFault;
  /** Takes a backend into the plan that is no Service. */
  use(backend: Backend): void;
  /** A Secret by its key, noted as asked for. */
  findSecret(key: string): Secret | undefined;
  /** The same for a ConfigMap. */
  findConfigMap(key: string): ConfigMap | undefined;
  /** The same for a Service. */
  findService(key: string): Service | undefined;
  /** Runs a step and tells what it has met. References mean in it what they mean in the dialect. */
  gather<T>(run: () => T, dialect?: Dialect): Gathered<T>;
}

/** A result with all that it depends on, besides the objects it was made from and the policies. */
export interface Gathered<T> extends Captured<T> {
  /** Keys of the Services that were asked for, there or not. */
  readonly services: readonly string[];
  /** The same for Secrets. */
  readonly secrets: readonly string[];
  /** The same for ConfigMaps. */
  readonly configMaps: readonly string[];
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
  let configMaps = new Set<string>();
  let dialect: Dialect = 'fairway';

  function refuse(source: Provenance, reason: string): WeightedBackend {
    return { weight: 1, invalid: { status: unavailable, reason }, filters: [], source };
  }

  function use(backend: Backend): Backend {
    if (!used.has(backend.id)) used.set(backend.id, backend);
    return backend;
  }

  function findService(key: string): Service | undefined {
    asked.add(key);
    return context.input.store.get<Service>('services', key);
  }

  function findBackend(
    namespace: string,
    reference: IngressServiceBackend,
    variant: BackendVariant = (backend) => backend,
  ): Backend | ServiceFault {
    const fail = (code: ServiceProblem, field: string, reason: string) => ({ code, field, reason });
    const key = `${namespace}/${reference.name}`;
    const portName = reference.port?.name ?? undefined;
    const portNumber = reference.port?.number ?? undefined;
    if (!reference.name) return fail('FW2023', '.name', 'the backend names no Service');
    if ((portName === undefined) === (portNumber === undefined))
      return fail('FW2023', '.port', `the port of Service ${key} must be given by number or by name`);
    const service = findService(key);
    if (!service) return fail('FW2020', '.name', `Service ${key} does not exist`);
    const wanted = portName ?? portNumber!;
    if (service.spec?.type === 'ExternalName') {
      const found = dialect === 'ingress-nginx' ? externalBackend(service, namespace, wanted) : undefined;
      if (found) return use(variant(found));
      const { externalName } = service.spec;
      return fail('FW2024', '.name', `Service ${key} is the name of ${externalName}, outside of the cluster`);
    }
    const port = findPort(service, wanted, dialect);
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
    return use(variant(withRetryBudget(own, spoken.protocol, governing)));
  }

  return {
    resolve(ingress, reference, fieldPath, variant) {
      const source = context.provenance(ingress, fieldPath);
      if (reference?.service && !reference.resource) {
        const found = findBackend(ingress.metadata.namespace ?? 'default', reference.service, variant);
        if ('id' in found) return { weight: 1, backend: found.id, filters: [], source };
        context.reportOnce(found.code, ingress, `${fieldPath}.service${found.field}`, found.reason);
        return refuse(source, found.reason);
      }
      const { code, reason } = whyNoService(reference);
      context.reportOnce(code, ingress, fieldPath, reason);
      return refuse(source, reason);
    },
    findBackend,
    findService,
    use(backend) {
      use(backend);
    },
    findSecret(key) {
      secrets.add(key);
      return context.input.store.get<Secret>('secrets', key);
    },
    findConfigMap(key) {
      configMaps.add(key);
      return context.input.store.get<ConfigMap>('configmaps', key);
    },
    gather(run, of = 'fairway') {
      dialect = of;
      used = new Map();
      asked = new Set();
      secrets = new Set();
      configMaps = new Set();
      const captured = capture(context, run);
      return {
        ...captured,
        ...{ services: [...asked], secrets: [...secrets], configMaps: [...configMaps] },
        backends: [...used.values()],
      };
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

/** In ingress-nginx, what a port leads to names it as well. */
function findPort(service: Service, wanted: number | string, dialect: Dialect): ServicePort | undefined {
  const ports = (service.spec?.ports ?? []).filter(({ protocol }) => (protocol ?? 'TCP') === 'TCP');
  const isNamed = ({ name, port }: ServicePort) => (typeof wanted === 'number' ? port === wanted : name === wanted);
  if (dialect === 'fairway') return ports.find(isNamed);
  const text = String(wanted);
  return ports.find(({ name, port, targetPort }) => [port, targetPort, name].some((each) => String(each) === text));
}

/** The name of a Service outside of the cluster, by a port of its own or by any number; undefined where it is no such name. */
function externalBackend(service: Service, namespace: string, wanted: number | string): Backend | undefined {
  const hostname = (service.spec?.externalName ?? '').toLowerCase().replace(/\.$/, '');
  if (hostname === 'localhost' || checkDns1123Subdomain(hostname) !== undefined) return undefined;
  const listed = (service.spec?.ports ?? []).find(({ name, port }) => port === wanted || name === wanted);
  const port = Number(listed?.targetPort ?? listed?.port ?? wanted) || listed?.port;
  if (port === undefined) return undefined;
  const { name } = service.metadata;
  return {
    id: backendId(namespace, name, port),
    namespace,
    service: name,
    port,
    external: { hostname },
    protocol: 'http1',
    source: { object: refOf(service) },
  };
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
