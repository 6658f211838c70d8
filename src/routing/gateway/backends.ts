/** backendRefs: which Service port a reference means, and what is wrong with it otherwise. The same for all routes. */
import { keyOf } from '../../kube/resources.ts';
import type { HTTPRoute, Secret, Service, ServicePort } from '../../kube/types/index.ts';
import { grpcProtocolOf, type HttpProtocol, isHttp2, isOverTls, overTls, protocolOf } from '../app-protocol.ts';
import { backendPolicy } from '../backend-policy/policy.ts';
import { type BackendTlsPolicies, type PolicyState, unverifiedTls } from '../backend-tls.ts';
import { targetKey, withRetryBudget } from '../backend-traffic.ts';
import { type Captured, capture } from '../incremental/capture.ts';
import type { Freshness } from '../incremental/freshness.ts';
import {
  type Backend,
  type BackendId,
  type BackendTls,
  backendId,
  grpcBackendId,
  streamBackendId,
} from '../plan/plan.ts';
import { xBackendGroup } from '../x-backends.ts';
import { type Refusal, refuse } from './backend-refusal.ts';
import { trafficPolicyKey } from './backend-traffic-status.ts';
import { type Context, type Fault, type HintedFault, someOf } from './context.ts';
import { grantHint } from './grants.ts';
import { gatewayGroup } from './kinds.ts';
import type { RouteObject } from './model.ts';
import type { SessionPersistence } from './session-persistence.ts';
import { ofXBackend } from './x-backend.ts';
import { xBackendKey } from './x-backend-status.ts';

type HttpBackendRef = NonNullable<NonNullable<HTTPRoute['spec']['rules']>[number]['backendRefs']>[number];
export type BackendRef = Omit<HttpBackendRef, 'filters'>;

/** What a route has to say to its backends. gRPC goes over HTTP/2, whether the port asks for that or not. */
export type Spoken = 'HTTP' | 'gRPC';

/**
 * The backend of a filter, spoken to as the route's own unless that is given; undefined when the reference is invalid,
 * which is told to the route's status then.
 */
export type ResolveBackend = (ref: BackendRef, fieldPath: string, spoken?: Spoken) => BackendId | undefined;

export interface Backends {
  /** The backend of a reference, or why it has none (reason and message of ResolvedRefs=False). */
  resolve(route: RouteObject, ref: BackendRef, fieldPath: string, spoken?: Spoken): Backend | Fault;
  /** The same for streams, which go to TCP or UDP ports whatever is spoken there. */
  resolveStream(route: RouteObject, ref: BackendRef, fieldPath: string, protocol: 'TCP' | 'UDP'): Backend | Fault;
  readonly policies: BackendTlsPolicies;
  /** A Secret by its key, noted as asked for. */
  findSecret(key: string): Secret | undefined;
  /** Runs the compilation of a route and tells what it has met. */
  gather<T>(run: () => T): Gathered<T>;
  /** Why the BackendTLSPolicy of a TCP backend cannot be followed; undefined when it can, and when there is none. */
  tlsFault(backend: Backend): HintedFault | undefined;
  /** What the policy of a backend that was met says of sessions. */
  sessionOf(backend: BackendId): SessionPersistence | undefined;
}

/** A result with all that it depends on, besides the object that it was made from and what the policies say. */
export interface Gathered<T> extends Captured<T> {
  /** Keys of the Services that were asked for, there or not. */
  readonly services: readonly string[];
  /** The same for Secrets. */
  readonly secrets: readonly string[];
  readonly backends: readonly Backend[];
  /** Permission to refer to another namespace was asked for. */
  readonly asksGrants: boolean;
  /** Keys of the policies that target what is referred to. */
  readonly policies: readonly string[];
}

interface Met {
  readonly backends: Map<string, Backend>;
  readonly services: Set<string>;
  readonly secrets: Set<string>;
  readonly policies: Set<string>;
  asksGrants: boolean;
}

function createMet(): Met {
  return { backends: new Map(), services: new Set(), secrets: new Set(), policies: new Set(), asksGrants: false };
}

export function createBackends(
  context: Context,
  policies: BackendTlsPolicies,
  { traffic, externals }: Pick<Freshness, 'traffic' | 'externals'>,
): Backends {
  const { store } = context.input;
  let met = createMet();

  /** Of a port of TCP: one of UDP may have the same number, and no policy. */
  function noteUse(service: Service, port: number): void {
    const found = service.spec.ports?.find((entry) => entry.port === port && (entry.protocol ?? 'TCP') === 'TCP');
    for (const { policy } of found ? policies.targeting(service, found) : []) met.policies.add(keyOf(policy));
  }

  /** The Service of a reference, as the Backend that `finish` makes of it, or the XBackend. */
  function find(
    route: RouteObject,
    ref: BackendRef,
    spoken: Spoken | 'TCP' | 'UDP',
    finish: (service: Service, port: number | undefined) => Backend | Refusal,
  ): Backend | Refusal {
    const own = route.metadata.namespace ?? 'default';
    const { group = '', kind = 'Service', name, namespace = own, port } = ref;
    const isExternal = group === xBackendGroup && kind === 'XBackend';
    if (!isExternal && (group !== '' || kind !== 'Service'))
      return refuse(
        'FW3403',
        'InvalidKind',
        `backends are Services or XBackends, not ${kind}${group ? `.${group}` : ''}`,
        'Set kind to Service and group to "", or leave both out.',
      );
    const from = { group: gatewayGroup, kind: route.kind, namespace: own };
    const to = { group, kind, namespace, name };
    if (namespace !== own) met.asksGrants = true;
    if (!context.grants.permits(from, to))
      return refuse(
        'FW3402',
        'RefNotPermitted',
        `no ReferenceGrant in ${namespace} permits ${route.kind}s of ${own} to use the ${kind} ${name}`,
        grantHint(from, to),
      );
    if (spoken === 'HTTP' || spoken === 'gRPC')
      for (const { policy } of traffic.targeting(targetKey(kind, namespace, name)))
        met.policies.add(trafficPolicyKey(policy));
    if (isExternal) {
      met.policies.add(xBackendKey(namespace, name));
      return ofXBackend(context, externals.all.get(`${namespace}/${name}`), ref, namespace, spoken);
    }
    met.services.add(`${namespace}/${name}`);
    const service = store.get<Service>('services', `${namespace}/${name}`);
    // What they aim at is not there, which their status has to say of the Gateways of this route.
    for (const { policy } of policies.missing(`${namespace}/${name}`, service)) met.policies.add(keyOf(policy));
    if (!service)
      return refuse(
        'FW3401',
        'BackendNotFound',
        `the Service ${namespace}/${name} does not exist`,
        `Create the Service ${namespace}/${name}, or correct name and namespace.`,
      );
    if (port !== undefined && spoken !== 'UDP') noteUse(service, port);
    return finish(service, port);
  }

  /** Keeps what was found, or reports why nothing was. */
  function settle(found: Backend | Refusal, route: RouteObject, fieldPath: string): Backend | Fault {
    if ('id' in found) {
      const known = met.backends.get(found.id);
      if (!known) met.backends.set(found.id, found);
      return known ?? found;
    }
    return context.fault(found.code, route, fieldPath, found);
  }

  function withTraffic(found: Backend | Refusal): Backend | Refusal {
    if ('code' in found) return found;
    return withRetryBudget(found, found.protocol, governingOf(found));
  }

  function governingOf({ namespace, service, external }: Backend) {
    return traffic.governing(targetKey(external ? 'XBackend' : 'Service', namespace, service));
  }

  return {
    policies,
    sessionOf(id) {
      const found = met.backends.get(id);
      return found && governingOf(found)?.session;
    },
    findSecret(key) {
      met.secrets.add(key);
      return store.get<Secret>('secrets', key);
    },
    gather(run) {
      met = createMet();
      const captured = capture(context, run);
      const { backends, services, secrets, asksGrants, policies: keys } = met;
      return {
        ...captured,
        services: [...services],
        secrets: [...secrets],
        backends: [...backends.values()],
        asksGrants,
        policies: [...keys],
      };
    },
    tlsFault({ namespace, service: name, port, protocol, external }) {
      const service =
        protocol === 'udp' || external ? undefined : store.get<Service>('services', `${namespace}/${name}`);
      const found = service?.spec.ports?.find((entry) => entry.port === port && (entry.protocol ?? 'TCP') === 'TCP');
      const governing = service && found && policies.governing(service, found);
      if (!governing || governing.tls) return undefined;
      return unusable(portLabel(service, found), governing);
    },
    resolve(route, ref, fieldPath, spoken = 'HTTP') {
      return settle(
        withTraffic(find(route, ref, spoken, (service, port) => ofService(context, service, port, policies, spoken))),
        route,
        fieldPath,
      );
    },
    resolveStream(route, ref, fieldPath, protocol) {
      return settle(
        find(route, ref, protocol, (service, port) => ofServicePort(context, service, port, protocol, policies)),
        route,
        fieldPath,
      );
    },
  };
}

/** The port that a reference means, with its place in the Service. */
function portOf(
  service: Service,
  port: number | undefined,
  protocol: 'TCP' | 'UDP',
): { readonly index: number; readonly found: ServicePort } | Refusal {
  const { name, namespace = 'default' } = service.metadata;
  const label = `the Service ${namespace}/${name}`;
  if (service.spec.type === 'ExternalName')
    return refuse('FW3405', 'UnsupportedValue', `${label} is of type ExternalName, which is no backend`);
  if (port === undefined)
    return refuse('FW3401', 'BackendNotFound', `a reference to ${label} needs a port`, 'Add the port of the Service.');
  const ports = service.spec.ports ?? [];
  const index = ports.findIndex((entry) => entry.port === port && (entry.protocol ?? 'TCP') === protocol);
  const found = ports[index];
  return found ? { index, found } : noSuchPort(label, ports, port, protocol);
}

function ofService(
  context: Context,
  service: Service,
  wanted: number | undefined,
  policies: BackendTlsPolicies,
  spoken: Spoken,
): Backend | Refusal {
  const { name, namespace = 'default' } = service.metadata;
  const place = portOf(service, wanted, 'TCP');
  if ('code' in place) return place;
  const { index, found } = place;
  const source = context.provenance(service, `spec.ports[${index}]`);
  const said = speech(context, service, found, index, policies, spoken);
  if ('code' in said) return said;
  const { port, appProtocol } = found;
  const policy = backendPolicy(context, service, said.protocol);
  const idOf = spoken === 'gRPC' && !isHttp2(protocolOf(appProtocol)) ? grpcBackendId : backendId;
  return { id: idOf(namespace, name, port), namespace, service: name, port, ...said, ...policy, source };
}

/**
 * The port of a Service for streams: appProtocol says nothing to who does not look into the bytes, a policy says that
 * they are to be sent over TLS.
 */
function ofServicePort(
  context: Context,
  service: Service,
  wanted: number | undefined,
  protocol: 'TCP' | 'UDP',
  policies: BackendTlsPolicies,
): Backend | Refusal {
  const { name, namespace = 'default' } = service.metadata;
  const place = portOf(service, wanted, protocol);
  if ('code' in place) return place;
  const { port } = place.found;
  const tls = protocol === 'TCP' ? policies.governing(service, place.found)?.tls : undefined;
  return {
    id: streamBackendId(namespace, name, port, protocol),
    namespace,
    service: name,
    port,
    protocol: protocol === 'UDP' ? 'udp' : 'tcp',
    ...(tls && { tls }),
    ...backendPolicy(context, service, protocol === 'UDP' ? 'udp' : 'tcp'),
    source: context.provenance(service, `spec.ports[${place.index}]`),
  };
}

type Speech = Pick<Backend, 'protocol'> & { readonly tls?: BackendTls };

/** Undefined: a port of that appProtocol does not take it. */
const carriers: Readonly<Record<Spoken, (appProtocol: string | undefined) => HttpProtocol | undefined>> = {
  HTTP: protocolOf,
  gRPC: grpcProtocolOf,
};

/** A policy says how to speak TLS to the Pods, the appProtocol which version of HTTP, unless it has to be HTTP/2. */
function speech(
  context: Context,
  service: Service,
  port: ServicePort,
  index: number,
  policies: BackendTlsPolicies,
  spoken: Spoken,
): Speech | Refusal {
  const label = portLabel(service, port);
  const governing = policies.governing(service, port);
  const protocol = carriers[spoken](port.appProtocol);
  if (governing?.tls) return { protocol: overTls(spoken === 'gRPC' ? 'h2c' : protocol), tls: governing.tls };
  if (governing) return unusable(label, governing);
  if (!protocol) {
    const message = `${label} has appProtocol ${port.appProtocol}, which ${spoken} cannot be sent over`;
    return refuse('FW3404', 'UnsupportedProtocol', message);
  }
  if (!isOverTls(protocol)) return { protocol };
  const fieldPath = `spec.ports[${index}].appProtocol`;
  const message = `${label} is spoken to over TLS, and no BackendTLSPolicy says whom to trust: any certificate is taken`;
  context.reportOnce('FW3409', service, fieldPath, message);
  return { protocol, tls: unverifiedTls(service, context.provenance(service, fieldPath)) };
}

function portLabel({ metadata }: Service, { port }: ServicePort): string {
  return `port ${port} of the Service ${metadata.namespace ?? 'default'}/${metadata.name}`;
}

function unusable(label: string, { policy, rejected, unresolved }: PolicyState): Refusal {
  const why = (rejected ?? unresolved[0])?.message;
  const message = `the BackendTLSPolicy ${policy.metadata.name} of ${label} cannot be followed: ${why}`;
  const hint = `Mend the BackendTLSPolicy ${policy.metadata.name}, whose status says how; until then nothing is sent to the backend.`;
  return refuse('FW3407', 'InvalidBackendTLSPolicy', message, hint);
}

function noSuchPort(
  label: string,
  ports: readonly ServicePort[],
  port: number,
  wanted: 'TCP' | 'UDP' = 'TCP',
): Refusal {
  const other = ports.find((entry) => entry.port === port);
  const fitting = ports.filter(({ protocol = 'TCP' }) => protocol === wanted).map((entry) => String(entry.port));
  if (other) {
    const { protocol = 'TCP' } = other;
    const hint = `Refer to a ${wanted} port of the Service${fitting.length > 0 ? `: ${someOf(fitting)}` : '; it has none'}.`;
    return refuse('FW3404', 'UnsupportedProtocol', `port ${port} of ${label} is ${protocol}, not ${wanted}`, hint);
  }
  const had = fitting.length > 0 ? `its ports are ${someOf(fitting)}` : 'it has none';
  const hint = `${fitting.length > 0 ? `Set port to ${someOf(fitting, 5, ' or ')}, or add` : 'Add'} the port ${port} to the Service.`;
  return refuse('FW3401', 'BackendNotFound', `${label} has no port ${port} (${had})`, hint);
}
