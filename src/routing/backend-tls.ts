/**
 * BackendTLSPolicies: how TLS is spoken to the Pods of Services. A policy belongs to its Service, so Ingresses and
 * Gateway API routes that lead to it go by the same one.
 */
import { refOf } from '../kube/resources.ts';
import type { StoreReader } from '../kube/store/store.ts';
import type { BackendTLSPolicy, KubeObject, Service, ServicePort } from '../kube/types/index.ts';
import { readCaBundle } from './ca-bundle.ts';
import type { Backend, BackendTls, SubjectAltName } from './plan/plan.ts';

/** Why a condition of a policy is False, and the field to blame. */
export interface PolicyFault {
  readonly reason: string;
  readonly message: string;
  readonly fieldPath: string;
}

export interface PolicyState {
  readonly policy: BackendTLSPolicy;
  /** References to CA certificates that lead nowhere (ResolvedRefs=False). */
  readonly unresolved: readonly PolicyFault[];
  /** Why it is not in force: it lost to an older policy (`Conflicted`), or it trusts nobody. */
  readonly rejected?: PolicyFault;
  /** Absent when it cannot be followed. */
  readonly tls?: BackendTls;
}

export interface BackendTlsPolicies {
  /** Every policy, the oldest first. */
  readonly all: readonly PolicyState[];
  /** Policies that name a port of a Service, in force or not. */
  targeting(service: Service, port: ServicePort): readonly PolicyState[];
  /** Policies that name a Service, or a port of it, that is not there. `service` is what `namespace/name` stands for. */
  missing(key: string, service: Service | undefined): readonly PolicyState[];
  /** The policy in force for a port: one that names the port goes before one for the whole Service, an older one before a younger. */
  governing(service: Service, port: ServicePort): PolicyState | undefined;
}

const resource = 'backendtlspolicies.gateway.networking.k8s.io';

export function readBackendTlsPolicies(store: StoreReader): BackendTlsPolicies {
  const policies = [...store.list<BackendTLSPolicy>(resource)].sort(compareAge);
  /** The oldest policy for `namespace/service/port name`, without the name for whole Services. */
  const owners = new Map<string, BackendTLSPolicy>();
  const byService = new Map<string, PolicyState[]>();
  for (const policy of policies) for (const key of targetKeys(policy)) if (!owners.has(key)) owners.set(key, policy);
  const states = new Map(policies.map((policy) => [policy, readPolicy(store, policy, owners)]));
  for (const [policy, state] of states) {
    for (const service of new Set(targetKeys(policy).map(serviceOf))) {
      const others = byService.get(service);
      if (others) others.push(state);
      else byService.set(service, [state]);
    }
  }
  return {
    all: [...states.values()],
    targeting(service, port) {
      const keys = keysOf(service, port);
      const candidates = byService.get(serviceKey(service)) ?? [];
      return candidates.filter(({ policy }) => targetKeys(policy).some((key) => keys.includes(key)));
    },
    missing(key, service) {
      const named = byService.get(key);
      if (!named || !service) return named ?? [];
      return named.filter(({ policy }) =>
        policy.spec.targetRefs.some((ref) => aimsAt(policy, ref, key) && !hasPort(service, ref)),
      );
    },
    governing(service, port) {
      if (owners.size === 0) return undefined;
      const owner = keysOf(service, port)
        .map((key) => owners.get(key))
        .find((policy) => policy !== undefined);
      return owner && states.get(owner);
    },
  };
}

/**
 * TLS to a port that asks for it by its appProtocol alone. Nothing says whom to trust, so the connection is encrypted
 * and the certificate not verified.
 */
export function unverifiedTls(service: Service, source: Backend['source']): BackendTls {
  const { name, namespace = 'default' } = service.metadata;
  return { serverName: `${name}.${namespace}.svc`, verify: false, ca: 'system', subjectAltNames: [], source };
}

const serviceKey = ({ metadata }: Service) => `${metadata.namespace ?? 'default'}/${metadata.name}`;

/** `namespace/service` of `namespace/service/port`. */
const serviceOf = (key: string) => key.slice(0, key.lastIndexOf('/'));

/** Targets that a policy may name a port by, the more specific first. */
function keysOf(service: Service, { name }: ServicePort): string[] {
  const whole = `${serviceKey(service)}/`;
  return name ? [whole + name, whole] : [whole];
}

type TargetRef = BackendTLSPolicy['spec']['targetRefs'][number];

/** Services are what a policy can be for. Their group has no name: `core` is another. */
export const isService = ({ group, kind }: TargetRef): boolean => group === '' && kind === 'Service';

/** Whether a Service has the port that a target names; one that names none is for all of them. */
export function hasPort({ spec }: Service, { sectionName }: TargetRef): boolean {
  return sectionName === undefined || (spec.ports ?? []).some(({ name }) => name === sectionName);
}

function aimsAt({ metadata }: BackendTLSPolicy, ref: TargetRef, key: string): boolean {
  return isService(ref) && `${metadata.namespace ?? 'default'}/${ref.name}` === key;
}

function targetKeys({ metadata, spec }: BackendTLSPolicy): string[] {
  const own = metadata.namespace ?? 'default';
  return spec.targetRefs.filter(isService).map(({ name, sectionName }) => `${own}/${name}/${sectionName ?? ''}`);
}

function readPolicy(
  store: StoreReader,
  policy: BackendTLSPolicy,
  owners: ReadonlyMap<string, BackendTLSPolicy>,
): PolicyState {
  const { bundles, unresolved } = readBundles(store, policy);
  const conflict = findConflict(policy, owners);
  const unusable = findUnusable(policy, bundles, unresolved);
  const rejected = conflict ?? unusable;
  const { hostname, wellKnownCACertificates, subjectAltNames = [] } = policy.spec.validation;
  const tls: BackendTls = {
    serverName: hostname.toLowerCase(),
    verify: true,
    ca: wellKnownCACertificates ? 'system' : bundles.join(''),
    subjectAltNames: subjectAltNames.map(toAltName),
    source: { object: refOf(policy), fieldPath: 'spec.validation' },
  };
  return { policy, unresolved, ...(rejected && { rejected }), ...(!unusable && unresolved.length === 0 && { tls }) };
}

function readBundles(store: StoreReader, policy: BackendTLSPolicy): { bundles: string[]; unresolved: PolicyFault[] } {
  const bundles: string[] = [];
  const unresolved: PolicyFault[] = [];
  policy.spec.validation.caCertificateRefs?.forEach((ref, i) => {
    const read = readCaBundle(store, policy.metadata.namespace ?? 'default', ref);
    if (read.ok) {
      bundles.push(read.value);
      return;
    }
    const reason = read.error.problem === 'kind' ? 'InvalidKind' : 'InvalidCACertificateRef';
    const fieldPath = `spec.validation.caCertificateRefs[${i}]`;
    unresolved.push({ reason, message: read.error.message, fieldPath });
  });
  return { bundles, unresolved };
}

/** Every target of the policy belongs to another one. */
function findConflict(
  policy: BackendTLSPolicy,
  owners: ReadonlyMap<string, BackendTLSPolicy>,
): PolicyFault | undefined {
  const holders = targetKeys(policy).map((key) => owners.get(key)!);
  if (holders.length === 0 || holders.includes(policy)) return undefined;
  return { reason: 'Conflicted', message: sayLost(policy, holders), fieldPath: 'spec.targetRefs' };
}

/** To what a policy has lost its targets: all that is older, or as old and before it by name. */
export function sayLost({ kind, metadata }: KubeObject, holders: readonly KubeObject[]): string {
  const names = [...new Set(holders.map((holder) => holder.metadata.name))].join(', ');
  const isOlder = holders.every((holder) => holder.metadata.creationTimestamp !== metadata.creationTimestamp);
  if (isOlder) return `the older ${kind} ${names} has the same target`;
  return `the ${kind} ${names} has the same target and goes first by name`;
}

function findUnusable(
  { spec }: BackendTLSPolicy,
  bundles: readonly string[],
  unresolved: readonly PolicyFault[],
): PolicyFault | undefined {
  const { wellKnownCACertificates: wellKnown } = spec.validation;
  const fieldPath = 'spec.validation.wellKnownCACertificates';
  if (wellKnown && wellKnown !== 'System')
    return { reason: 'Invalid', message: `${wellKnown} is not known; System is`, fieldPath };
  if (wellKnown || bundles.length > 0) return undefined;
  const message = unresolved.map((fault) => fault.message).join('; ') || 'the policy names no CA certificate';
  return { reason: 'NoValidCACertificate', message, fieldPath: 'spec.validation.caCertificateRefs' };
}

type GivenAltName = NonNullable<BackendTLSPolicy['spec']['validation']['subjectAltNames']>[number];

function toAltName({ type, hostname = '', uri = '' }: GivenAltName): SubjectAltName {
  return type === 'URI' ? { type: 'uri', value: uri } : { type: 'dns', value: hostname.toLowerCase() };
}

/** Oldest first, then by namespace and name (GEP-713, conflict resolution). */
function compareAge(a: BackendTLSPolicy, b: BackendTLSPolicy): number {
  const rank = ({ metadata }: BackendTLSPolicy) =>
    `${metadata.creationTimestamp ?? '~'} ${metadata.namespace ?? 'default'}/${metadata.name}`;
  const [left, right] = [rank(a), rank(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}
