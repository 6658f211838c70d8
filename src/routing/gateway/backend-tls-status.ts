/** Status of BackendTLSPolicies: one entry per Gateway of ours whose routes lead to what a policy targets. */
import { keyOf as objectKey, refOf } from '../../kube/resources.ts';
import type { BackendTLSPolicy, Gateway, Service } from '../../kube/types/index.ts';
import type { BackendTlsPolicies, PolicyState } from '../backend-tls.ts';
import { gatewayControllerName, type StatusUpdate } from '../translate.ts';
import { type Finding, mergeConditions, no, type Writing, yes } from './conditions.ts';
import { type Context, compareNames, joinMessages } from './context.ts';
import { gatewayGroup, resources } from './kinds.ts';
import type { RouteState } from './model.ts';

type AncestorStatus = NonNullable<BackendTLSPolicy['status']>['ancestors'][number];
type AncestorRef = AncestorStatus['ancestorRef'];

const ownedConditions = ['Accepted', 'ResolvedRefs'];
/** status.ancestors holds no more (PolicyStatus). */
const maxAncestors = 16;

export function backendTlsStatuses(
  context: Context,
  policies: BackendTlsPolicies,
  routes: Iterable<RouteState>,
): StatusUpdate[] {
  if (policies.all.length === 0) return [];
  const usersOf = usersByPolicy(routes);
  return policies.all.flatMap((state) => {
    reportTargets(context, state.policy);
    const gateways = gatewaysOf(usersOf.get(objectKey(state.policy)) ?? []);
    if (gateways.length > 0) reportFaults(context, state);
    else if (!hasOwnEntries(state.policy)) return [];
    return [statusOf(context, state, gateways)];
  });
}

/** Routes whose references meet a policy, by the key of the policy. */
function usersByPolicy(routes: Iterable<RouteState>): ReadonlyMap<string, RouteState[]> {
  const users = new Map<string, RouteState[]>();
  for (const route of routes) {
    for (const key of route.policies) {
      const known = users.get(key);
      if (known) known.push(route);
      else users.set(key, [route]);
    }
  }
  return users;
}

function gatewaysOf(routes: readonly RouteState[]): Gateway[] {
  const found = routes
    .flatMap(({ parents }) => parents.filter(({ listeners }) => listeners.length > 0))
    .flatMap(({ gateway }) => (gateway ? [gateway.object] : []));
  return [...new Set(found)].sort(compareNames);
}

function hasOwnEntries({ status }: BackendTLSPolicy): boolean {
  return status?.ancestors?.some(({ controllerName }) => controllerName === gatewayControllerName) ?? false;
}

function reportFaults(context: Context, { policy, unresolved, rejected }: PolicyState): void {
  for (const { fieldPath, message } of unresolved) context.report('FW3407', policy, fieldPath, message);
  if (!rejected || (rejected.reason === 'NoValidCACertificate' && unresolved.length > 0)) return;
  const code = rejected.reason === 'Conflicted' ? 'FW3408' : 'FW3407';
  context.report(code, policy, rejected.fieldPath, rejected.message);
}

function reportTargets(context: Context, policy: BackendTLSPolicy): void {
  const own = policy.metadata.namespace ?? 'default';
  policy.spec.targetRefs.forEach(({ kind, name, sectionName }, i) => {
    if (kind !== 'Service') return;
    const service = context.input.store.get<Service>('services', `${own}/${name}`);
    const found = service && (!sectionName || service.spec.ports?.some((port) => port.name === sectionName));
    if (found) return;
    const missing = service ? `has no port named ${sectionName}` : 'does not exist';
    context.report('FW3411', policy, `spec.targetRefs[${i}]`, `the Service ${own}/${name} ${missing}`);
  });
}

function statusOf(context: Context, state: PolicyState, gateways: readonly Gateway[]): StatusUpdate {
  const { policy } = state;
  const writing: Writing = { generation: policy.metadata.generation, now: context.input.now };
  const wanted = gateways.slice(0, maxAncestors).map(ancestorOf);
  const findings = [accepted(state), resolvedRefs(state)];
  return {
    ref: refOf(policy),
    resource: resources.backendTlsPolicy,
    build(stored) {
      const status = stored.status as BackendTLSPolicy['status'];
      return { ...status, ancestors: mergeAncestors(status?.ancestors ?? [], wanted, findings, writing) };
    },
  };
}

function ancestorOf({ metadata }: Gateway): AncestorRef {
  return { group: gatewayGroup, kind: 'Gateway', namespace: metadata.namespace ?? 'default', name: metadata.name };
}

function accepted({ rejected }: PolicyState): Finding {
  return rejected ? no('Accepted', rejected.reason, rejected.message) : yes('Accepted', 'The policy is valid');
}

function resolvedRefs({ unresolved }: PolicyState): Finding {
  if (unresolved.length === 0) return yes('ResolvedRefs', 'All references are resolved');
  return no('ResolvedRefs', unresolved[0]!.reason, joinMessages(unresolved.map(({ message }) => message)));
}

/** Entries of others stay where they are; ours are renewed in place, added at the end while there is room, or removed. */
function mergeAncestors(
  stored: readonly AncestorStatus[],
  wanted: readonly AncestorRef[],
  findings: readonly Finding[],
  writing: Writing,
): AncestorStatus[] {
  const left = new Map(wanted.map((ref) => [keyOf(ref), ref]));
  const merged: AncestorStatus[] = [];
  const write = (ancestorRef: AncestorRef, before?: AncestorStatus) =>
    merged.push({
      ancestorRef,
      controllerName: gatewayControllerName,
      conditions: mergeConditions(before?.conditions, findings, ownedConditions, writing),
    });
  for (const entry of stored) {
    const key = keyOf(entry.ancestorRef);
    const ref = left.get(key);
    if (entry.controllerName !== gatewayControllerName) merged.push(entry);
    else if (ref) write(ref, entry);
    if (entry.controllerName === gatewayControllerName) left.delete(key);
  }
  for (const ref of left.values()) if (merged.length < maxAncestors) write(ref);
  return merged;
}

function keyOf({ group = gatewayGroup, kind = 'Gateway', namespace = '', name }: AncestorRef): string {
  return [group, kind, namespace, name].join('/');
}
