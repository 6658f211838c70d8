/** Rules of an HTTPRoute → routes of the plan. Compiled once, whatever the number of listeners it attaches to. */
import type { HTTPRoute } from '../../kube/types/index.ts';
import type { Route } from '../plan/plan.ts';
import type { Retry } from '../plan/retry.ts';
import type { Backends } from './backends.ts';
import type { Context } from './context.ts';
import { parseDuration } from './duration.ts';
import { type FilterFault, incompatible, unsupported } from './filter-fault.ts';
import { compileRuleFilters } from './http-filters.ts';
import { compileMatch, defaultMatch, type HttpRule } from './http-match.ts';
import type { CompiledMatch } from './match-values.ts';
import type { RouteObject } from './model.ts';
import {
  affinityOf,
  type Body,
  type CompiledRoute,
  compileRules,
  forward,
  type RuleKind,
  type RuleScope,
  resolveMirror,
} from './rules.ts';

const httpRules: RuleKind<HttpRule> = {
  kind: 'HTTPRoute',
  spoken: 'HTTP',
  noBackend: { status: 500, told: 'requests are answered with 500' },
  matches: ({ matches }) =>
    (matches?.length ? matches : [defaultMatch]).map((match, i) => compileMatch(match, `matches[${i}]`)),
  body: compileBody,
};

export function compileHttpRoute(context: Context, backends: Backends, object: HTTPRoute): CompiledRoute {
  const rules = object.spec.rules?.length ? object.spec.rules : [{}];
  return compileRules(httpRules, context, backends, object as unknown as RouteObject, rules);
}

function compileBody(scope: RuleScope, rule: HttpRule, matches: readonly CompiledMatch[]): Body | FilterFault {
  const filters = compileRuleFilters(rule.filters, 'filters', (ref, field) => resolveMirror(scope, ref, field));
  if ('code' in filters) return filters;
  const { redirect } = filters;
  const pathChange = redirect?.path ?? filters.filters.find((filter) => filter.type === 'rewrite')?.path;
  if (pathChange?.type === 'prefix' && !matches.every(({ match }) => match.path?.type === 'prefix'))
    return incompatible('filters', 'ReplacePrefixMatch needs every match of the rule to be a PathPrefix');
  if (redirect && rule.backendRefs?.length)
    return incompatible('filters', 'a rule with RequestRedirect cannot have backendRefs');
  const timeouts = compileTimeouts(rule.timeouts);
  if (timeouts && 'code' in timeouts) return timeouts;
  const retry = compileRetry(rule.retry);
  if (retry && 'code' in retry) return retry;
  const action = redirect ?? forward(scope, rule);
  if ('code' in action) return action;
  const affinity = affinityOf(scope, rule);
  if (affinity && 'code' in affinity) return affinity;
  const optional = { ...(timeouts && { timeouts }), ...(retry && { retry }), ...(affinity && { affinity }) };
  return { filters: filters.filters, action, ...optional };
}

/** Zero switches a timeout off: it is left out of the plan. */
function compileTimeouts(given: HttpRule['timeouts']): Route['timeouts'] | FilterFault {
  if (!given) return undefined;
  const { request, backendRequest } = given;
  const requestMs = request === undefined ? 0 : parseDuration(request);
  const backendRequestMs = backendRequest === undefined ? 0 : parseDuration(backendRequest);
  if (requestMs === undefined) return unsupported('timeouts.request', `${request} is not a duration`);
  if (backendRequestMs === undefined)
    return unsupported('timeouts.backendRequest', `${backendRequest} is not a duration`);
  if (!requestMs && !backendRequestMs) return undefined;
  return { ...(requestMs && { requestMs }), ...(backendRequestMs && { backendRequestMs }) };
}

const DEFAULT_BACKOFF_MS = 25;
const MAX_BACKOFF_MS = 10_000;

/**
 * Retries are for listed statuses and for connections that fail (HTTPRouteRetry). Of methods that change something twice
 * when they are sent twice, none is sent again.
 */
function compileRetry(given: HttpRule['retry']): Retry | undefined | FilterFault {
  if (!given) return undefined;
  const { attempts = 1, codes = [], backoff } = given;
  const backoffMs = backoff === undefined ? DEFAULT_BACKOFF_MS : parseDuration(backoff);
  if (backoffMs === undefined) return unsupported('retry.backoff', `${backoff} is not a duration`);
  return {
    attempts,
    statuses: codes,
    on: ['reset', 'timeout'],
    backoffMs,
    maxBackoffMs: Math.max(backoffMs, MAX_BACKOFF_MS),
    methods: 'idempotent',
  };
}
