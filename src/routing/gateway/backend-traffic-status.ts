/** Status of XBackendTrafficPolicies: one entry per Gateway of ours whose routes lead to what a policy targets. */
import { diagnosticRules, formatForStatus } from '../../base/diagnostics/index.ts';
import { keyOf, refOf } from '../../kube/resources.ts';
import type { Gateway, XBackendTrafficPolicy } from '../../kube/types/index.ts';
import {
  type BackendTrafficPolicies,
  isTarget,
  type TrafficFault,
  type TrafficPolicyState,
  type TrafficTarget,
  trafficPolicies,
} from '../backend-traffic.ts';
import { controllerOf, type StatusUpdate } from '../translate.ts';
import { xBackendResource } from '../x-backends.ts';
import { type Finding, no, type OwnWriting, yes } from './conditions.ts';
import { type Context, joinMessages } from './context.ts';
import type { RouteState } from './model.ts';
import { gatewaysOf, hasOwnEntries, type PolicyStatus, usersByPolicy, withAncestors } from './policy-status.ts';

/** Among the keys of policies that routes meet. */
export function trafficPolicyKey(policy: XBackendTrafficPolicy): string {
  return `XBackendTrafficPolicy ${keyOf(policy)}`;
}

const ownedConditions = ['Accepted'];

export function backendTrafficStatuses(
  context: Context,
  policies: BackendTrafficPolicies,
  routes: Iterable<RouteState>,
): StatusUpdate[] {
  if (policies.all.length === 0) return [];
  const usersOf = usersByPolicy(routes);
  return policies.all.flatMap((state) => {
    const missing = targetFaults(context, state.policy);
    for (const { fieldPath, message, hint } of missing)
      context.report('FW3414', state.policy, fieldPath, message, hint);
    const gateways = gatewaysOf(usersOf.get(trafficPolicyKey(state.policy)) ?? []);
    if (gateways.length > 0) reportFault(context, state);
    else if (!hasOwnEntries(state.policy.status, controllerOf(context.input))) return [];
    return [statusOf(context, state, missing, gateways)];
  });
}

function reportFault(context: Context, { policy, rejected }: TrafficPolicyState): void {
  if (rejected) context.report('FW3413', policy, rejected.fieldPath, rejected.message, rejected.hint);
}

/** What is wrong with targets, by their place. */
function targetFaults(context: Context, { metadata, spec }: XBackendTrafficPolicy): TrafficFault[] {
  const own = metadata.namespace ?? 'default';
  return spec.targetRefs.flatMap((ref, i) => {
    const message = targetFault(context, own, ref);
    const hint = diagnosticRules.FW3414.hint;
    return message === undefined
      ? []
      : [{ reason: 'TargetNotFound', message, fieldPath: `spec.targetRefs[${i}]`, hint }];
  });
}

function targetFault(context: Context, own: string, ref: TrafficTarget): string | undefined {
  const { group, kind, name } = ref;
  if (!isTarget(ref))
    return `an XBackendTrafficPolicy is for Services and XBackends, not for ${kind}${group && `.${group}`}`;
  const found = context.input.store.get(kind === 'XBackend' ? xBackendResource : 'services', `${own}/${name}`);
  return found ? undefined : `the ${kind} ${own}/${name} does not exist`;
}

function statusOf(
  context: Context,
  state: TrafficPolicyState,
  missing: readonly TrafficFault[],
  gateways: readonly Gateway[],
): StatusUpdate {
  const { policy } = state;
  const writing: OwnWriting = {
    ...{ generation: policy.metadata.generation, now: context.input.now },
    controller: controllerOf(context.input),
  };
  const findings = [accepted(state, missing)];
  return {
    ref: refOf(policy),
    resource: trafficPolicies,
    build: (stored) =>
      withAncestors(stored.status as PolicyStatus | undefined, gateways, findings, ownedConditions, writing),
  };
}

const told = ({ fieldPath, message, hint }: TrafficFault): string => formatForStatus(fieldPath, message, hint);

/** It has a part in what a Gateway does for as long as one of its targets is there. */
function accepted({ policy, rejected }: TrafficPolicyState, missing: readonly TrafficFault[]): Finding {
  if (missing.length === policy.spec.targetRefs.length)
    return no('Accepted', 'TargetNotFound', joinMessages(missing.map(told)));
  return rejected ? no('Accepted', rejected.reason, told(rejected)) : yes('Accepted', 'The policy is valid');
}
