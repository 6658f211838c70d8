/** What annotations of an Ingress ask for, put on its routes. */
import { addFindings, capture } from '../incremental/capture.ts';
import type { Route } from '../plan/plan.ts';
import { noPolicy, type PolicyScope, type RoutePolicy, routePolicy } from '../route-policy/policy.ts';
import type { BackendResolver } from './backends.ts';
import type { Context } from './context.ts';
import type { IngressMember } from './members.ts';

export function policyOf(context: Context, resolver: BackendResolver, { object, claim }: IngressMember): RoutePolicy {
  const { input, findings } = context;
  const findBackend: PolicyScope['findBackend'] = (name, number) => {
    const reference = { service: { name, port: { number } } };
    const found = capture(context, () => resolver.resolve(object, reference, 'metadata.annotations'));
    // What is wrong with the reference is told by the policy, with its own code; what is wrong with the Service is not.
    addFindings(
      context,
      found.findings.filter((finding) => finding.object?.kind === 'Service'),
    );
    const { backend, invalid } = found.value;
    return backend === undefined ? { reason: 'BackendNotFound', message: invalid!.reason } : { id: backend };
  };
  return routePolicy({ input, findings, findBackend, findSecret: resolver.findSecret }, object, claim.dialect);
}

export function withPolicy(policy: RoutePolicy, route: Route): Route {
  if (policy === noPolicy) return route;
  const { filters, timeouts, retry, refusal } = policy;
  if (refusal !== undefined) return { ...route, action: { type: 'respond', status: 503, reason: refusal } };
  return {
    ...route,
    filters: [...filters, ...route.filters],
    ...(timeouts && { timeouts }),
    ...(retry && { retry }),
  };
}
