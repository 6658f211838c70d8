/** Backend.policy of a Service, for both translators. A function of the Service alone. */
import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.ts';
import { refOf } from '../../kube/resources.ts';
import type { Service } from '../../kube/types/index.ts';
import { markOnce } from '../incremental/capture.ts';
import type { BackendLimits, BackendPolicy, BalancePolicy, HealthCheckPolicy } from '../plan/backend-policy.ts';
import type { Backend } from '../plan/plan.ts';
import type { TranslateInput } from '../translate.ts';
import { type AnnotationProblem, type Asked, annotationPrefix, type Reading, readAnnotations } from './annotations.ts';

/** What a translation has at hand. */
interface Scope {
  readonly input: Pick<TranslateInput, 'position'>;
  readonly findings: Diagnostic[];
}

/** Services are not changed but replaced. */
const readings = new WeakMap<Service, Reading & { readonly policy: BackendPolicy }>();

/** `policy` and `proxyProtocol` of a Backend, where there are any; what is wrong with the annotations of the Service is reported. */
export function backendPolicy(
  { input, findings }: Scope,
  service: Service,
  protocol: Backend['protocol'],
): Pick<Backend, 'policy' | 'proxyProtocol'> {
  const { asked, policy, problems } = readingOf(service);
  const proxyProtocol = asked['proxy-protocol'];
  const vain = proxyProtocol && protocol === 'udp' ? [notForDatagrams] : [];
  for (const problem of [...problems, ...vain]) findings.push(markOnce(findingOf(service, problem, input)));
  const own = narrow[protocol](policy);
  return {
    ...(Object.keys(own).length > 0 && { policy: own }),
    ...(proxyProtocol && protocol !== 'udp' && { proxyProtocol }),
  };
}

const notForDatagrams: AnnotationProblem = {
  code: 'FW5303',
  name: 'proxy-protocol',
  message: `${annotationPrefix}proxy-protocol has no effect on UDP datagrams: it is for connections`,
};

function readingOf(service: Service) {
  let reading = readings.get(service);
  if (!reading) {
    const read = readAnnotations(service);
    reading = { ...read, policy: toPolicy(read.asked, service.spec.trafficDistribution) };
    readings.set(service, reading);
  }
  return reading;
}

function findingOf(
  service: Service,
  { code, name, message }: AnnotationProblem,
  { position }: Scope['input'],
): Diagnostic {
  const object = refOf(service);
  const fieldPath = `metadata.annotations["${annotationPrefix}${name}"]`;
  const place = position(object, fieldPath);
  return diagnostic(code, { message, object, fieldPath, ...(place && { position: place }) });
}

/** How often and how long; thresholds as other proxies have them. */
const checkDefaults = { intervalMs: 5_000, timeoutMs: 2_000, healthyThreshold: 2, unhealthyThreshold: 3 };

/** What the kubelet takes for healthy. */
const healthyStatuses: readonly (readonly [number, number])[] = [[200, 399]];

const ejectionDefaults = { baseEjectionMs: 30_000, maxEjectionMs: 300_000, maxEjectionPercent: 50, panicPercent: 30 };

function toPolicy(asked: Asked, distribution: string | undefined): BackendPolicy {
  const {
    'slow-start': slowStartMs,
    'connect-timeout': connectTimeoutMs,
    'warm-connections': warmConnections,
    'outlier-ejection': failures,
  } = asked;
  const balance = balanceOf(asked);
  const healthCheck = healthCheckOf(asked);
  const limits = limitsOf(asked);
  return {
    ...(balance && { balance }),
    ...(slowStartMs && { slowStartMs }),
    // Every value of Service spec.trafficDistribution asks for the own zone at least.
    ...(distribution && { zones: 'same' as const }),
    ...(healthCheck && { healthCheck }),
    ...(failures !== undefined && {
      outlierEjection: { consecutive5xx: failures, consecutiveGatewayFailures: failures, ...ejectionDefaults },
    }),
    ...(limits && { limits }),
    ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
    ...(warmConnections && { warmConnections }),
  };
}

function balanceOf({ balance, 'hash-by': by = [{ by: 'address' }] }: Asked): BalancePolicy | undefined {
  if (balance === undefined || balance === 'round-robin') return undefined;
  return balance === 'hash' ? { type: 'hash', by } : { type: balance };
}

function healthCheckOf(asked: Asked): HealthCheckPolicy | undefined {
  const { 'health-check': by, 'health-check-interval': intervalMs, 'health-check-timeout': timeoutMs } = asked;
  if (!by) return undefined;
  const timing = {
    ...checkDefaults,
    ...(intervalMs !== undefined && { intervalMs }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
  return by.type === 'tcp' ? { ...by, ...timing } : { ...by, statuses: healthyStatuses, ...timing };
}

function limitsOf(asked: Asked): BackendLimits | undefined {
  const { 'max-connections': maxConnections, 'max-requests': maxRequests, 'max-pending': maxPending } = asked;
  const limits = {
    ...(maxConnections !== undefined && { maxConnections }),
    ...(maxRequests !== undefined && { maxRequests }),
    ...(maxPending !== undefined && { maxPending }),
  };
  return maxConnections === undefined && maxRequests === undefined ? undefined : limits;
}

/** What of a policy means something to streams: they have no requests, and datagrams no connections either. */
const narrow: Record<Backend['protocol'], (policy: BackendPolicy) => BackendPolicy> = {
  http1: (policy) => policy,
  https: (policy) => policy,
  h2c: (policy) => policy,
  h2: (policy) => policy,
  tcp(policy) {
    const { healthCheck, limits, connectTimeoutMs } = policy;
    const maxConnections = limits?.maxConnections;
    return {
      ...datagrams(policy),
      ...(healthCheck?.type === 'tcp' && { healthCheck }),
      ...(maxConnections !== undefined && { limits: { maxConnections } }),
      ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
    };
  },
  udp: datagrams,
};

function datagrams({ balance, slowStartMs, zones }: BackendPolicy): BackendPolicy {
  return { ...(balance && { balance }), ...(slowStartMs && { slowStartMs }), ...(zones && { zones }) };
}
