/** Rules of an HTTPRoute → routes of the plan. Compiled once, whatever the number of listeners it attaches to. */
import type { DiagnosticCode } from '../../base/diagnostics/index.ts';
import type { HTTPRoute } from '../../kube/types/index.ts';
import type { Affinity } from '../plan/affinity.ts';
import type { Action, BackendId, RespondAction, Route, WeightedBackend } from '../plan/plan.ts';
import type { Retry } from '../plan/retry.ts';
import type { BackendRef, Backends } from './backends.ts';
import type { Context, Fault } from './context.ts';
import { parseDuration } from './duration.ts';
import { type FilterFault, incompatible, unsupported } from './filter-fault.ts';
import { compileBackendFilters, compileRuleFilters } from './http-filters.ts';
import { type CompiledMatch, compileMatch, defaultMatch, type HttpRule, type MatchRank } from './http-match.ts';
import { compileSessionPersistence, withCookiePath } from './session-persistence.ts';

export interface RankedRoute {
  readonly route: Route;
  readonly rank: MatchRank;
}

export interface RuleFault extends Fault {
  readonly rule: number;
}

export interface CompiledRoute {
  /** In the order of rules and matches. */
  readonly routes: readonly RankedRoute[];
  readonly rules: number;
  /** At most one per rule: such rules answer 500. */
  readonly ruleFaults: readonly RuleFault[];
  /** References that lead nowhere (ResolvedRefs=False). */
  readonly refFaults: readonly Fault[];
}

interface RuleContext {
  readonly context: Context;
  readonly backends: Backends;
  readonly object: HTTPRoute;
  readonly index: number;
  readonly fieldPath: string;
  readonly refFaults: Fault[];
}

type Body = Pick<Route, 'filters' | 'action' | 'timeouts' | 'retry' | 'affinity'>;

export function compileHttpRoute(context: Context, backends: Backends, object: HTTPRoute): CompiledRoute {
  const rules = object.spec.rules?.length ? object.spec.rules : [{}];
  const routes: RankedRoute[] = [];
  const ruleFaults: RuleFault[] = [];
  const refFaults: Fault[] = [];
  rules.forEach((rule: HttpRule, index) => {
    const fieldPath = `spec.rules[${index}]`;
    const scope: RuleContext = { context, backends, object, index, fieldPath, refFaults };
    const fault = compileRule(scope, rule, routes);
    if (!fault) return;
    context.report(fault.code, object, `${fieldPath}.${fault.fieldPath}`, fault.message);
    ruleFaults.push({
      rule: index,
      reason: fault.reason,
      message: `rules[${index}].${fault.fieldPath}: ${fault.message}`,
    });
  });
  return { routes, rules: rules.length, ruleFaults, refFaults };
}

/** Adds the routes of a rule. An invalid rule answers 500 wherever its matches can still be told. */
function compileRule(scope: RuleContext, rule: HttpRule, into: RankedRoute[]): FilterFault | undefined {
  const given = rule.matches?.length ? rule.matches : [defaultMatch];
  const matches = given.map((match, i) => compileMatch(match, `matches[${i}]`));
  const badMatch = matches.find((match) => 'message' in match);
  const body = badMatch
    ? unsupported(badMatch.fieldPath, badMatch.message)
    : compileBody(scope, rule, matches.filter(isMatch));
  const fault = 'code' in body ? body : undefined;
  const { filters, action, timeouts, retry, affinity }: Body =
    'code' in body ? { filters: [], action: refusal(body.message) } : body;
  matches.forEach((match, i) => {
    if (!isMatch(match)) return;
    const { object, index } = scope;
    const { name, namespace = 'default' } = object.metadata;
    into.push({
      rank: match.rank,
      route: {
        id: `HTTPRoute/${namespace}/${name}/rules/${index}/matches/${i}`,
        ...(rule.name && { name: rule.name }),
        match: match.match,
        filters,
        action,
        ...(timeouts && { timeouts }),
        ...(retry && { retry }),
        ...(affinity && { affinity: withCookiePath(affinity, match.match.path) }),
        source: scope.context.provenance(object, `${scope.fieldPath}.matches[${i}]`, { rule: index, match: i }),
      },
    });
  });
  return fault;
}

function isMatch(match: ReturnType<typeof compileMatch>): match is CompiledMatch {
  return 'rank' in match;
}

function refusal(reason: string): RespondAction {
  return { type: 'respond', status: 500, reason };
}

function compileBody(scope: RuleContext, rule: HttpRule, matches: readonly CompiledMatch[]): Body | FilterFault {
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

function forward(scope: RuleContext, rule: HttpRule): Action | FilterFault {
  const refs = rule.backendRefs ?? [];
  const backends: WeightedBackend[] = [];
  for (const [i, ref] of refs.entries()) {
    const compiled = weightedBackend(scope, ref, `backendRefs[${i}]`);
    if ('code' in compiled) return compiled;
    backends.push(compiled);
  }
  if (backends.some(({ weight }) => weight > 0)) return { type: 'forward', backends };
  const reason = refs.length > 0 ? 'the weights of all backendRefs are zero' : 'the rule has no backendRefs';
  report(scope, 'FW3305', refs.length > 0 ? 'backendRefs' : '', `${reason}, so its requests are answered with 500`);
  return refusal(reason);
}

/** A mirror that leads nowhere is left out; its rule goes on without it (HTTPRequestMirrorFilter.backendRef). */
function resolveMirror(scope: RuleContext, ref: BackendRef, field: string): BackendId | undefined {
  const { object, index, fieldPath } = scope;
  const found = scope.backends.resolve(object as Parameters<Backends['resolve']>[0], ref, `${fieldPath}.${field}`);
  if ('id' in found) return found.id;
  scope.refFaults.push({ reason: found.reason, message: `rules[${index}].${field}: ${found.message}` });
  return undefined;
}

function weightedBackend(
  scope: RuleContext,
  ref: NonNullable<HttpRule['backendRefs']>[number],
  field: string,
): WeightedBackend | FilterFault {
  const { context, object, index, fieldPath } = scope;
  const compiled = compileBackendFilters(ref.filters, `${field}.filters`);
  if ('code' in compiled) return compiled;
  const found = scope.backends.resolve(object as Parameters<Backends['resolve']>[0], ref, `${fieldPath}.${field}`);
  const shared = {
    weight: ref.weight ?? 1,
    filters: compiled.filters,
    source: context.provenance(object, `${fieldPath}.${field}`, { rule: index }),
  };
  if ('id' in found) return { ...shared, backend: found.id };
  scope.refFaults.push({ reason: found.reason, message: `rules[${index}].${field}: ${found.message}` });
  return { ...shared, invalid: { status: 500, reason: `${found.reason}: ${found.message}` } };
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

function affinityOf({ object }: RuleContext, rule: HttpRule): Affinity | FilterFault | undefined {
  const { name, namespace = 'default' } = object.metadata;
  return compileSessionPersistence(rule.sessionPersistence, { kind: 'HTTPRoute', namespace, name, rule });
}

function report(
  { context, object, fieldPath }: RuleContext,
  code: DiagnosticCode,
  field: string,
  message: string,
): void {
  context.report(code, object, field ? `${fieldPath}.${field}` : fieldPath, message);
}
