/**
 * XBackendTrafficPolicies (GEP-3388, GEP-1619): how many retries a backend bears, and sessions that stay with an endpoint.
 * A policy belongs to its Service, so that everything that leads there goes by the same one.
 */
import type { ResourceName } from '../kube/resources.ts';
import type { StoreReader } from '../kube/store/store.ts';
import type { XBackendTrafficPolicy } from '../kube/types/index.ts';
import { type PolicyFault, sayLost } from './backend-tls.ts';
import { durationHint, parseDuration } from './gateway/duration.ts';
import { compileSessionPersistence, type SessionPersistence } from './gateway/session-persistence.ts';
import type { BackendPolicy, RetryBudgetPolicy } from './plan/backend-policy.ts';
import type { Backend } from './plan/plan.ts';
import { xBackendGroup } from './x-backends.ts';

/** A fault with what would mend it. */
export interface TrafficFault extends PolicyFault {
  readonly hint: string;
}

export interface TrafficPolicyState {
  readonly policy: XBackendTrafficPolicy;
  /** Why it is not in force: a value that cannot be used (`Invalid`), or an older policy of the same target (`Conflicted`). */
  readonly rejected?: TrafficFault;
  readonly retryBudget?: RetryBudgetPolicy;
  readonly session?: SessionPersistence;
}

export interface BackendTrafficPolicies {
  /** Every policy, the oldest first. */
  readonly all: readonly TrafficPolicyState[];
  /** Those that name a target, see `targetKey`, in force or not. */
  targeting(target: string): readonly TrafficPolicyState[];
  /** The one in force. */
  governing(target: string): TrafficPolicyState | undefined;
}

export const trafficPolicies: ResourceName = 'xbackendtrafficpolicies.gateway.networking.x-k8s.io';

/** `Service shop/web`. */
export function targetKey(kind: string, namespace: string, name: string): string {
  return `${kind} ${namespace}/${name}`;
}

/** Kinds that a policy can be for, by group. */
const targetGroups: Readonly<Record<string, string>> = { Service: '', XBackend: xBackendGroup };

export type TrafficTarget = XBackendTrafficPolicy['spec']['targetRefs'][number];

export function isTarget({ group, kind }: TrafficTarget): boolean {
  return Object.hasOwn(targetGroups, kind) && targetGroups[kind] === group;
}

export function readBackendTrafficPolicies(store: StoreReader): BackendTrafficPolicies {
  const policies = [...store.list<XBackendTrafficPolicy>(trafficPolicies)].sort(compareAge);
  /** The oldest policy of each target. */
  const owners = new Map<string, XBackendTrafficPolicy>();
  const byTarget = new Map<string, TrafficPolicyState[]>();
  for (const policy of policies) for (const key of targetKeys(policy)) if (!owners.has(key)) owners.set(key, policy);
  const states = policies.map((policy) => readPolicy(policy, owners));
  for (const state of states) {
    for (const key of targetKeys(state.policy)) {
      const others = byTarget.get(key);
      if (others) others.push(state);
      else byTarget.set(key, [state]);
    }
  }
  const targeting = (target: string) => byTarget.get(target) ?? [];
  return { all: states, targeting, governing: (target) => targeting(target)[0] };
}

function targetKeys({ metadata, spec }: XBackendTrafficPolicy): string[] {
  const own = metadata.namespace ?? 'default';
  return spec.targetRefs.filter(isTarget).map(({ kind, name }) => targetKey(kind, own, name));
}

function readPolicy(
  policy: XBackendTrafficPolicy,
  owners: ReadonlyMap<string, XBackendTrafficPolicy>,
): TrafficPolicyState {
  const conflict = conflictOf(policy, owners);
  const retryBudget = retryBudgetOf(policy.spec.retryConstraint);
  const unusable = isFault(retryBudget) ? retryBudget : sessionFault(policy.spec.sessionPersistence);
  const rejected = conflict ?? unusable;
  if (unusable) return { policy, ...(rejected && { rejected }) };
  const { sessionPersistence: session } = policy.spec;
  return {
    policy,
    ...(rejected && { rejected }),
    ...(retryBudget && !isFault(retryBudget) && { retryBudget }),
    ...(session && { session }),
  };
}

/** Every target of the policy belongs to another one (GEP-713: the older goes first, with all that it says). */
function conflictOf(
  policy: XBackendTrafficPolicy,
  owners: ReadonlyMap<string, XBackendTrafficPolicy>,
): TrafficFault | undefined {
  const holders = targetKeys(policy).map((key) => owners.get(key)!);
  if (holders.length === 0 || holders.includes(policy)) return undefined;
  const message = sayLost(policy, holders);
  const hint = 'Remove one of them, or put what both say into one.';
  return { reason: 'Conflicted', message, fieldPath: 'spec.targetRefs', hint };
}

const isFault = (value: RetryBudgetPolicy | TrafficFault | undefined): value is TrafficFault =>
  value !== undefined && 'reason' in value;

type RetryConstraint = NonNullable<XBackendTrafficPolicy['spec']['retryConstraint']>;

const HOUR_MS = 3_600_000;

function retryBudgetOf(given: RetryConstraint | undefined): RetryBudgetPolicy | TrafficFault | undefined {
  if (!given) return undefined;
  const at = 'spec.retryConstraint';
  const { percent = 20, interval = '10s' } = given.budget ?? {};
  const { count = 10, interval: per = '1s' } = given.minRetryRate ?? {};
  if (!Number.isInteger(percent) || percent < 0 || percent > 100)
    return invalid(`${at}.budget.percent`, `${percent} is not a percentage`, 'Write a whole number from 0 to 100.');
  const intervalMs = parseDuration(interval);
  if (intervalMs === undefined || intervalMs < 1_000 || intervalMs > HOUR_MS)
    return invalid(`${at}.budget.interval`, `${interval} is not a duration from 1s to 1h`, durationHint);
  if (!Number.isInteger(count) || count < 1 || count > 1_000_000)
    return invalid(`${at}.minRetryRate.count`, `${count} is not a number of retries`, 'Write 1 to 1000000.');
  const perMs = parseDuration(per);
  if (!perMs || perMs > HOUR_MS)
    return invalid(`${at}.minRetryRate.interval`, `${per} is not a duration of more than 0s up to 1h`, durationHint);
  return { percent, intervalMs, least: { count, perMs } };
}

/** Values are the same as in a rule of a route, and are judged by the same rules. */
function sessionFault(given: SessionPersistence | undefined): TrafficFault | undefined {
  const owner = { kind: 'HTTPRoute', namespace: '', name: '', rule: {} } as const;
  const compiled = compileSessionPersistence(given, owner);
  if (!compiled || !('code' in compiled)) return undefined;
  const { fieldPath, message, hint = 'Mend the value, or remove it.' } = compiled;
  return invalid(`spec.${fieldPath}`, message, hint);
}

function invalid(fieldPath: string, message: string, hint: string): TrafficFault {
  return { reason: 'Invalid', message, fieldPath, hint };
}

/** What the policy of a target adds to that of its annotations; streams have no requests to send again. */
export function withRetryBudget<B extends Pick<Backend, 'policy'>>(
  backend: B,
  protocol: Backend['protocol'],
  governing: TrafficPolicyState | undefined,
): B {
  const { retryBudget } = governing ?? {};
  if (!retryBudget || protocol === 'tcp' || protocol === 'udp') return backend;
  const policy: BackendPolicy = { ...backend.policy, retryBudget };
  return { ...backend, policy };
}

/** Oldest first, then by namespace and name (GEP-713, conflict resolution). */
function compareAge(a: XBackendTrafficPolicy, b: XBackendTrafficPolicy): number {
  const rank = ({ metadata }: XBackendTrafficPolicy) =>
    `${metadata.creationTimestamp ?? '~'} ${metadata.namespace ?? 'default'}/${metadata.name}`;
  const [left, right] = [rank(a), rank(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}
