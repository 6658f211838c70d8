/** What annotations of an HTTPRoute or GRPCRoute ask for, put on its rules. */
import { formatForStatus } from '../../base/diagnostics/index.ts';
import { addFindings, capture } from '../incremental/capture.ts';
import type { RespondAction, Route } from '../plan/plan.ts';
import { type PolicyScope, type RoutePolicy, reportOverruled, routePolicy } from '../route-policy/policy.ts';
import type { Backends } from './backends.ts';
import type { Context, Fault } from './context.ts';
import type { RouteObject } from './model.ts';

export function policyOf(context: Context, backends: Backends, object: RouteObject): RoutePolicy {
  const { input, findings } = context;
  const findBackend: PolicyScope['findBackend'] = (name, port) => {
    const found = capture(context, () => backends.resolve(object, { name, port }, 'metadata.annotations'));
    // What is wrong with the reference is told by the policy, with its own code; what is wrong with the Service is not.
    addFindings(
      context,
      found.findings.filter((finding) => finding.object?.kind === 'Service'),
    );
    return found.value;
  };
  const policy = routePolicy({ input, findings, findBackend, findSecret: backends.findSecret }, object, 'fairway');
  const { valueFault, refFaults } = policy;
  if (!valueFault && refFaults.length === 0) return policy;
  return {
    ...policy,
    ...(valueFault && { valueFault: tellAnnotation(valueFault, 'Give the annotation such a value, or remove it.') }),
    refFaults: refFaults.map((fault) => tellAnnotation(fault, 'Correct the annotation, or create what it names.')),
  };
}

function tellAnnotation(fault: Fault, hint: string): Fault {
  return { ...fault, told: formatForStatus('metadata.annotations', fault.message, hint) };
}

type Body = Pick<Route, 'filters' | 'action' | 'timeouts'>;

/** The rule as the policy wants it. A path that a rule rewrites by itself is its own affair. */
export function withPolicy<B extends Body>(
  context: Context,
  object: RouteObject,
  policy: RoutePolicy,
  rule: number,
  body: B,
): B | Body {
  const { refusal, timeouts } = policy;
  if (refusal !== undefined) {
    const action: RespondAction = { type: 'respond', status: 500, reason: refusal };
    return { filters: [], action };
  }
  if (policy.filters.length === 0 && !timeouts) return body;
  const rewrites = body.filters.some((filter) => filter.type === 'rewrite' && filter.path);
  const added = rewrites ? policy.filters.filter(({ type }) => type !== 'rewrite') : policy.filters;
  if (added.length < policy.filters.length)
    reportOverruled(context, object, 'rewrite', `on spec.rules[${rule}], which rewrites the path by itself`);
  return {
    ...body,
    filters: [...added, ...body.filters],
    ...(timeouts && { timeouts: { ...body.timeouts, ...timeouts } }),
  };
}
