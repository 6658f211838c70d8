/** Status of BackendTLSPolicies: one entry per Gateway of ours whose routes lead to what a policy targets. */
import { diagnosticRules, formatForStatus } from '../../base/diagnostics/index.ts';
import { keyOf as objectKey, refOf } from '../../kube/resources.ts';
import type { BackendTLSPolicy, Gateway, Service } from '../../kube/types/index.ts';
import { type BackendTlsPolicies, hasPort, isService, type PolicyFault, type PolicyState } from '../backend-tls.ts';
import { controllerOf, type StatusUpdate } from '../translate.ts';
import { type Finding, no, type OwnWriting, yes } from './conditions.ts';
import { type Context, joinMessages } from './context.ts';
import { resources } from './kinds.ts';
import type { RouteState } from './model.ts';
import { gatewaysOf, hasOwnEntries, type PolicyStatus, usersByPolicy, withAncestors } from './policy-status.ts';

type TargetRef = BackendTLSPolicy['spec']['targetRefs'][number];

const ownedConditions = ['Accepted', 'ResolvedRefs'];

export function backendTlsStatuses(
  context: Context,
  policies: BackendTlsPolicies,
  routes: Iterable<RouteState>,
): StatusUpdate[] {
  if (policies.all.length === 0) return [];
  const usersOf = usersByPolicy(routes);
  return policies.all.flatMap((state) => {
    const missing = targetFaults(context, state.policy);
    for (const { fieldPath, message } of missing) context.report('FW3411', state.policy, fieldPath, message);
    reportOptions(context, state.policy);
    const gateways = gatewaysOf(usersOf.get(objectKey(state.policy)) ?? []);
    if (gateways.length > 0) reportFaults(context, state);
    else if (!hasOwnEntries(state.policy.status, controllerOf(context.input))) return [];
    return [statusOf(context, state, missing, gateways)];
  });
}

function reportFaults(context: Context, { policy, unresolved, rejected }: PolicyState): void {
  for (const fault of unresolved) context.report('FW3407', policy, fault.fieldPath, fault.message, hintOf(fault));
  if (!rejected || (rejected.reason === 'NoValidCACertificate' && unresolved.length > 0)) return;
  const code = rejected.reason === 'Conflicted' ? 'FW3408' : 'FW3407';
  context.report(code, policy, rejected.fieldPath, rejected.message, hintOf(rejected));
}

const bundleHint =
  'Name ConfigMaps of the namespace of the policy that have a PEM bundle under the key ca.crt; until then nothing is sent to the backend.';

/** By reason. */
const hints: Readonly<Record<string, string>> = {
  ...{ InvalidKind: bundleHint, InvalidCACertificateRef: bundleHint, NoValidCACertificate: bundleHint },
  Invalid: 'Set wellKnownCACertificates to System, or name caCertificateRefs instead.',
  Conflicted: diagnosticRules.FW3408.hint,
  TargetNotFound: diagnosticRules.FW3411.hint,
};

function hintOf({ reason }: PolicyFault): string {
  return hints[reason] ?? diagnosticRules.FW3407.hint;
}

const told = (fault: PolicyFault): string => formatForStatus(fault.fieldPath, fault.message, hintOf(fault));

/** What is wrong with targets, by their place. */
function targetFaults(context: Context, { metadata, spec }: BackendTLSPolicy): PolicyFault[] {
  const own = metadata.namespace ?? 'default';
  return spec.targetRefs.flatMap((ref, i) => {
    const message = targetFault(context, own, ref);
    return message === undefined ? [] : [{ reason: 'TargetNotFound', message, fieldPath: `spec.targetRefs[${i}]` }];
  });
}

function targetFault(context: Context, own: string, ref: TargetRef): string | undefined {
  const { group, kind, name, sectionName } = ref;
  if (!isService(ref))
    return `a BackendTLSPolicy is for Services of the group "", not for ${kind}${group && `.${group}`}`;
  const service = context.input.store.get<Service>('services', `${own}/${name}`);
  if (!service) return `the Service ${own}/${name} does not exist`;
  return hasPort(service, ref) ? undefined : `the Service ${own}/${name} has no port named ${sectionName}`;
}

function reportOptions(context: Context, policy: BackendTLSPolicy): void {
  for (const option of Object.keys(policy.spec.options ?? {}))
    context.report('FW3412', policy, 'spec.options', `the option ${option} is not known and has no effect`);
}

function statusOf(
  context: Context,
  state: PolicyState,
  missing: readonly PolicyFault[],
  gateways: readonly Gateway[],
): StatusUpdate {
  const { policy } = state;
  const writing: OwnWriting = {
    ...{ generation: policy.metadata.generation, now: context.input.now },
    controller: controllerOf(context.input),
  };
  const findings = [accepted(state, missing), resolvedRefs(state)];
  return {
    ref: refOf(policy),
    resource: resources.backendTlsPolicy,
    build: (stored) =>
      withAncestors(stored.status as PolicyStatus | undefined, gateways, findings, ownedConditions, writing),
  };
}

/** It has a part in what a Gateway does for as long as one of its targets is there. */
function accepted({ policy, rejected }: PolicyState, missing: readonly PolicyFault[]): Finding {
  if (missing.length === policy.spec.targetRefs.length)
    return no('Accepted', 'TargetNotFound', joinMessages(missing.map(told)));
  return rejected ? no('Accepted', rejected.reason, told(rejected)) : yes('Accepted', 'The policy is valid');
}

function resolvedRefs({ unresolved }: PolicyState): Finding {
  if (unresolved.length === 0) return yes('ResolvedRefs', 'All references are resolved');
  return no('ResolvedRefs', unresolved[0]!.reason, joinMessages(unresolved.map(told)));
}
