/** PolicyStatus (GEP-713): one entry per Gateway of ours whose routes lead to what a policy targets. */
import type { BackendTLSPolicy, Gateway } from '../../kube/types/index.ts';
import { type Finding, mergeConditions, type OwnWriting } from './conditions.ts';
import { compareNames } from './context.ts';
import { gatewayGroup } from './kinds.ts';
import type { RouteState } from './model.ts';

/** The same for every kind of policy. */
export type PolicyStatus = NonNullable<BackendTLSPolicy['status']>;
type AncestorStatus = PolicyStatus['ancestors'][number];
type AncestorRef = AncestorStatus['ancestorRef'];

/** status.ancestors holds no more (PolicyStatus). */
const maxAncestors = 16;

/** Routes whose references meet a policy, by the key of the policy. */
export function usersByPolicy(routes: Iterable<RouteState>): ReadonlyMap<string, RouteState[]> {
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

/** Where the routes are attached, by name. */
export function gatewaysOf(routes: readonly RouteState[]): Gateway[] {
  const found = routes
    .flatMap(({ parents }) => parents.filter(({ listeners }) => listeners.length > 0))
    .flatMap(({ gateway }) => (gateway ? [gateway.object] : []));
  return [...new Set(found)].sort(compareNames);
}

/** Whether a policy has something of ours in its status, be it only an entry to remove. */
export function hasOwnEntries(status: PolicyStatus | undefined, controller: string): boolean {
  return status?.ancestors?.some(({ controllerName }) => controllerName === controller) ?? false;
}

/**
 * The status with these findings for these Gateways. Entries of others stay where they are; ours are renewed in place,
 * added at the end while there is room, or removed. `owned`: types of our conditions.
 */
export function withAncestors(
  status: PolicyStatus | undefined,
  gateways: readonly Gateway[],
  findings: readonly Finding[],
  owned: readonly string[],
  writing: OwnWriting,
): PolicyStatus {
  const wanted = gateways.slice(0, maxAncestors).map(ancestorOf);
  const left = new Map(wanted.map((ref) => [keyOf(ref), ref]));
  const merged: AncestorStatus[] = [];
  const write = (ancestorRef: AncestorRef, before?: AncestorStatus) =>
    merged.push({
      ancestorRef,
      controllerName: writing.controller,
      conditions: mergeConditions(before?.conditions, findings, owned, writing),
    });
  for (const entry of status?.ancestors ?? []) {
    const key = keyOf(entry.ancestorRef);
    const ref = left.get(key);
    if (entry.controllerName !== writing.controller) merged.push(entry);
    else if (ref) write(ref, entry);
    if (entry.controllerName === writing.controller) left.delete(key);
  }
  for (const ref of left.values()) if (merged.length < maxAncestors) write(ref);
  return { ...status, ancestors: merged };
}

function ancestorOf({ metadata }: Gateway): AncestorRef {
  return { group: gatewayGroup, kind: 'Gateway', namespace: metadata.namespace ?? 'default', name: metadata.name };
}

function keyOf({ group = gatewayGroup, kind = 'Gateway', namespace = '', name }: AncestorRef): string {
  return [group, kind, namespace, name].join('/');
}
