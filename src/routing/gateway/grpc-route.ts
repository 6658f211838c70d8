/** Rules of a GRPCRoute → routes of the plan. Compiled once, whatever the number of listeners it attaches to. */
import type { GRPCRoute } from '../../kube/types/index.ts';
import type { Backends } from './backends.ts';
import type { Context } from './context.ts';
import type { FilterFault } from './filter-fault.ts';
import { compileGrpcMatch, type GrpcMatch, type GrpcRule } from './grpc-match.ts';
import { compileGrpcFilters } from './http-filters.ts';
import type { RouteObject } from './model.ts';
import {
  affinityOf,
  type Body,
  type CompiledRoute,
  compileRules,
  forward,
  type RuleKind,
  type RuleScope,
  resolverOf,
} from './rules.ts';

/** The match of a rule that gives none: every call. */
const defaultMatch: GrpcMatch = {};

/** GRPCRouteRule.backendRefs wants UNAVAILABLE, which is what calls get for 503. */
const grpcRules: RuleKind<GrpcRule> = {
  kind: 'GRPCRoute',
  spoken: 'gRPC',
  noBackend: { status: 503, told: 'calls fail with UNAVAILABLE' },
  matches: ({ matches }) =>
    (matches?.length ? matches : [defaultMatch]).map((match, i) => compileGrpcMatch(match, `matches[${i}]`)),
  body: compileBody,
};

/** A route without rules matches nothing. */
export function compileGrpcRoute(context: Context, backends: Backends, object: GRPCRoute): CompiledRoute {
  return compileRules(grpcRules, context, backends, object as unknown as RouteObject, object.spec.rules ?? []);
}

function compileBody(scope: RuleScope, rule: GrpcRule): Body | FilterFault {
  const filters = compileGrpcFilters(rule.filters, 'filters', resolverOf(scope));
  if ('code' in filters) return filters;
  const action = forward(scope, rule);
  if ('code' in action) return action;
  const affinity = affinityOf(scope, rule, action);
  if (affinity && 'code' in affinity) return affinity;
  return { filters: filters.filters, action, ...(affinity && { affinity }) };
}
