/** Rules of an HTTPRoute → routes of the plan. Compiled once, whatever the number of listeners it attaches to. */
import type { HTTPRoute } from '../../kube/types/index.ts';
import type { Route } from '../plan/plan.ts';
import type { Retry } from '../plan/retry.ts';
import type { Backends } from './backends.ts';
import type { Context } from './context.ts';
import { durationHint, parseDuration } from './duration.ts';
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
  refusal,
  resolverOf,
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
  const filters = compileRuleFilters(rule.filters, 'filters', resolverOf(scope));
  if ('code' in filters) return filters;
  const { redirect } = filters;
  const pathChange = redirect?.path ?? filters.filters.find((filter) => filter.type === 'rewrite')?.path;
  if (pathChange?.type === 'prefix' && !matches.every(isByPrefix))
    return incompatible('filters', 'ReplacePrefixMatch needs every match of the rule to be a PathPrefix', prefixHint);
  if (redirect && rule.backendRefs?.length)
    return incompatible('filters', 'a rule with RequestRedirect cannot have backendRefs', redirectHint);
  const clash = backendPathFault(rule, matches, pathChange !== undefined);
  if (clash) return clash;
  const timeouts = compileTimeouts(rule.timeouts);
  if (timeouts && 'code' in timeouts) return timeouts;
  const retry = compileRetry(rule.retry);
  if (retry && 'code' in retry) return retry;
  const proper = redirect ?? forward(scope, rule);
  const action = filters.closed === undefined || 'code' in proper ? proper : refusal(filters.closed);
  if ('code' in action) return action;
  const affinity = affinityOf(scope, rule, action);
  if (affinity && 'code' in affinity) return affinity;
  const optional = { ...(timeouts && { timeouts }), ...(retry && { retry }), ...(affinity && { affinity }) };
  return { filters: filters.filters, action, ...optional };
}

const prefixHint = 'Make every match of the rule a PathPrefix, or use ReplaceFullPath.';
const onceHint = 'Change the path in the rule or in the backendRef, not in both.';
const redirectHint = 'Remove the backendRefs or the RequestRedirect.';

/** What a backendRef replaces of a path is its prefix as it was matched: there must be one, and the rule must have left it. */
function backendPathFault(
  { backendRefs = [] }: HttpRule,
  matches: readonly CompiledMatch[],
  isChanged: boolean,
): FilterFault | undefined {
  for (const [i, { filters = [] }] of backendRefs.entries()) {
    const at = filters.findIndex((filter) => pathOf(filter)?.type === 'ReplacePrefixMatch');
    if (at < 0) continue;
    const field = `backendRefs[${i}].filters[${at}]`;
    if (!matches.every(isByPrefix))
      return incompatible(field, 'ReplacePrefixMatch needs every match of the rule to be a PathPrefix', prefixHint);
    if (isChanged)
      return incompatible(field, 'ReplacePrefixMatch finds no prefix in a path that the rule has changed', onceHint);
  }
  return undefined;
}

const pathOf = ({ urlRewrite, requestRedirect }: NonNullable<HttpRule['filters']>[number]) =>
  (urlRewrite ?? requestRedirect)?.path;

const isByPrefix = ({ match }: CompiledMatch) => match.path?.type === 'prefix';

/** Zero switches a timeout off: it is left out of the plan. */
function compileTimeouts(given: HttpRule['timeouts']): Route['timeouts'] | FilterFault {
  if (!given) return undefined;
  const { request, backendRequest } = given;
  const requestMs = request === undefined ? 0 : parseDuration(request);
  const backendRequestMs = backendRequest === undefined ? 0 : parseDuration(backendRequest);
  if (requestMs === undefined) return unsupported('timeouts.request', `${request} is not a duration`, durationHint);
  if (backendRequestMs === undefined)
    return unsupported('timeouts.backendRequest', `${backendRequest} is not a duration`, durationHint);
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
  if (backoffMs === undefined) return unsupported('retry.backoff', `${backoff} is not a duration`, durationHint);
  return {
    attempts,
    statuses: codes,
    on: ['reset', 'timeout'],
    backoffMs,
    maxBackoffMs: Math.max(backoffMs, MAX_BACKOFF_MS),
    methods: 'idempotent',
  };
}
