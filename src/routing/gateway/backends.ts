/** backendRefs: which Service port a reference means, and what is wrong with it otherwise. The same for all routes. */
import type { DiagnosticCode } from '../../base/diagnostics/index.ts';
import type { BackendTLSPolicy, HTTPRoute, Service, ServicePort } from '../../kube/types/index.ts';
import { type Backend, backendId } from '../plan/plan.ts';
import { type Context, type Fault, someOf } from './context.ts';
import { grantHint } from './grants.ts';
import { gatewayGroup, resources } from './kinds.ts';
import type { RouteObject } from './model.ts';

type HttpBackendRef = NonNullable<NonNullable<HTTPRoute['spec']['rules']>[number]['backendRefs']>[number];
export type BackendRef = Omit<HttpBackendRef, 'filters'>;

export interface Backends {
  /** The backend of a reference, or why it has none (reason and message of ResolvedRefs=False). */
  resolve(route: RouteObject, ref: BackendRef, fieldPath: string): Backend | Fault;
  /** Every backend that was resolved, by id. */
  readonly all: ReadonlyMap<string, Backend>;
}

/** The appProtocols (KEP-3726 names, and common ones without a prefix) of Pods that speak HTTP/1.1 in plain text. */
const plainHttp: ReadonlySet<string> = new Set(['http', 'ws', 'kubernetes.io/ws']);

/** HTTP in other clothes: forwarding HTTP/1.1 to such Pods would only yield errors, so the reference is refused. */
const otherHttp: ReadonlySet<string> = new Set([
  'h2c',
  'http2',
  'grpc',
  'kubernetes.io/h2c',
  'https',
  'wss',
  'kubernetes.io/wss',
]);

interface Refusal extends Fault {
  readonly code: DiagnosticCode;
  readonly hint?: string;
}

export function createBackends(context: Context): Backends {
  const { store } = context.input;
  const all = new Map<string, Backend>();
  const policies = policiesByService(store.list<BackendTLSPolicy>(resources.backendTlsPolicy));

  function find(route: RouteObject, ref: BackendRef): Backend | Refusal {
    const own = route.metadata.namespace ?? 'default';
    const { group = '', kind = 'Service', name, namespace = own, port } = ref;
    if ((group !== '' && group !== 'core') || kind !== 'Service')
      return refuse('FW3403', 'InvalidKind', `backends are Services, not ${kind}${group ? `.${group}` : ''}`);
    const from = { group: gatewayGroup, kind: route.kind, namespace: own };
    const to = { group: '', kind: 'Service', namespace, name };
    if (!context.grants.permits(from, to))
      return refuse(
        'FW3402',
        'RefNotPermitted',
        `no ReferenceGrant in ${namespace} permits ${route.kind}s of ${own} to use the Service ${name}`,
        grantHint(from, to),
      );
    const service = store.get<Service>('services', `${namespace}/${name}`);
    if (!service) return refuse('FW3401', 'BackendNotFound', `the Service ${namespace}/${name} does not exist`);
    return ofService(context, service, port, policies.get(`${namespace}/${name}`) ?? []);
  }

  return {
    all,
    resolve(route, ref, fieldPath) {
      const found = find(route, ref);
      if ('id' in found) {
        const known = all.get(found.id);
        if (!known) all.set(found.id, found);
        return known ?? found;
      }
      context.report(found.code, route, fieldPath, found.message, found.hint);
      return { reason: found.reason, message: found.message };
    },
  };
}

function ofService(
  context: Context,
  service: Service,
  port: number | undefined,
  policies: readonly BackendTLSPolicy[],
): Backend | Refusal {
  const { name, namespace = 'default' } = service.metadata;
  const label = `the Service ${namespace}/${name}`;
  if (service.spec.type === 'ExternalName')
    return refuse('FW3405', 'UnsupportedValue', `${label} is of type ExternalName, which is no backend`);
  if (port === undefined) return refuse('FW3401', 'BackendNotFound', `a reference to ${label} needs a port`);
  const ports = service.spec.ports ?? [];
  const index = ports.findIndex((entry) => entry.port === port && (entry.protocol ?? 'TCP') === 'TCP');
  const found = ports[index];
  if (!found) return noSuchPort(label, ports, port);
  const policy = policies.find(({ spec }) => targets(spec.targetRefs, name, found));
  if (policy)
    return refuse(
      'FW3406',
      'UnsupportedProtocol',
      `${label} is to be reached as the BackendTLSPolicy ${policy.metadata.name} says, which this version does not serve`,
    );
  const unserved = whyUnserved(found.appProtocol);
  if (unserved)
    return refuse(
      'FW3404',
      'UnsupportedProtocol',
      `port ${port} of ${label} has appProtocol ${found.appProtocol}${unserved}`,
    );
  return {
    id: backendId(namespace, name, port),
    namespace,
    service: name,
    port,
    protocol: 'http1',
    source: context.provenance(service, `spec.ports[${index}]`),
  };
}

function noSuchPort(label: string, ports: readonly ServicePort[], port: number): Refusal {
  const other = ports.find((entry) => entry.port === port);
  const tcp = ports.filter(({ protocol = 'TCP' }) => protocol === 'TCP').map((entry) => String(entry.port));
  if (other) {
    const hint = `Refer to a TCP port of the Service${tcp.length > 0 ? `: ${someOf(tcp)}` : '; it has none'}.`;
    return refuse('FW3404', 'UnsupportedProtocol', `port ${port} of ${label} is ${other.protocol}, not TCP`, hint);
  }
  const had = tcp.length > 0 ? `its ports are ${someOf(tcp)}` : 'it has none';
  return refuse('FW3401', 'BackendNotFound', `${label} has no port ${port} (${had})`);
}

/** The end of a sentence about a port with this appProtocol; undefined when its Pods can be spoken to. */
function whyUnserved(appProtocol: string | undefined): string | undefined {
  const name = appProtocol?.toLowerCase();
  if (!name || plainHttp.has(name)) return undefined;
  return otherHttp.has(name) ? ': this version forwards HTTP/1.1 only' : ', which HTTP cannot be sent over';
}

function refuse(code: DiagnosticCode, reason: string, message: string, hint?: string): Refusal {
  return { code, reason, message, ...(hint !== undefined && { hint }) };
}

function policiesByService(policies: readonly BackendTLSPolicy[]): Map<string, BackendTLSPolicy[]> {
  const byService = new Map<string, BackendTLSPolicy[]>();
  for (const policy of policies) {
    for (const { group, kind, name } of policy.spec.targetRefs) {
      if (group !== '' || kind !== 'Service') continue;
      const key = `${policy.metadata.namespace ?? 'default'}/${name}`;
      byService.set(key, [...(byService.get(key) ?? []), policy]);
    }
  }
  return byService;
}

/** sectionName of a target is the name of a Service port. */
function targets(refs: BackendTLSPolicy['spec']['targetRefs'], service: string, port: ServicePort): boolean {
  return refs.some(
    (ref) => ref.kind === 'Service' && ref.name === service && (!ref.sectionName || ref.sectionName === port.name),
  );
}
