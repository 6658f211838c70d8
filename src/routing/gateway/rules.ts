/** Rules of HTTPRoutes and GRPCRoutes → routes of the plan: what is the same for both. */
import { blank } from '../../base/blank.ts';
import type { DiagnosticCode } from '../../base/diagnostics/index.ts';
import type { Affinity } from '../plan/affinity.ts';
import type { Action, RespondAction, Route, WeightedBackend } from '../plan/plan.ts';
import type { RoutePolicy } from '../route-policy/policy.ts';
import type { Backends, ResolveBackend, Spoken } from './backends.ts';
import { type Context, type Fault, faultAt } from './context.ts';
import { type FilterFault, unsupported } from './filter-fault.ts';
import { compileBackendFilters } from './http-filters.ts';
import type { HttpRule } from './http-match.ts';
import { type CompiledMatch, isMatch, type MatchRank, type ValueFault } from './match-values.ts';
import type { RouteObject } from './model.ts';
import { policyOf, withPolicy } from './route-policy.ts';
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

export type Body = Pick<Route, 'filters' | 'action' | 'timeouts' | 'retry' | 'affinity'>;

/** What rules of both kinds have. */
type Rule = Pick<HttpRule, 'name' | 'backendRefs' | 'sessionPersistence'> & { readonly matches?: readonly unknown[] };

/** What is particular to a kind of route. */
export interface RuleKind<R extends Rule> {
  readonly kind: 'HTTPRoute' | 'GRPCRoute';
  readonly spoken: Spoken;
  /** The answer to requests that fall to a reference which leads nowhere, or to none; `told` says so of a rule. */
  readonly noBackend: { readonly status: number; readonly told: string };
  /** At least one. */
  matches(rule: R): readonly (CompiledMatch | ValueFault)[];
  /** What is done with the requests of a rule whose matches are valid. */
  body(scope: RuleScope, rule: R, matches: readonly CompiledMatch[]): Body | FilterFault;
}

/** One rule of an object. */
export interface RuleScope {
  readonly context: Context;
  readonly backends: Backends;
  readonly object: RouteObject;
  readonly of: Pick<RuleKind<Rule>, 'kind' | 'spoken' | 'noBackend'>;
  readonly policy: RoutePolicy;
  readonly index: number;
  readonly fieldPath: string;
  readonly refFaults: Fault[];
}

export function compileRules<R extends Rule>(
  of: RuleKind<R>,
  context: Context,
  backends: Backends,
  object: RouteObject,
  rules: readonly R[],
): CompiledRoute {
  const routes: RankedRoute[] = [];
  const ruleFaults: RuleFault[] = [];
  const policy = policyOf(context, backends, object);
  const refFaults: Fault[] = [...policy.refFaults];
  rules.forEach((rule, index) => {
    const fieldPath = `spec.rules[${index}]`;
    const scope: RuleScope = { context, backends, object, of, policy, index, fieldPath, refFaults };
    const fault = compileRule(of, scope, rule, routes);
    if (!fault) {
      if (policy.valueFault) ruleFaults.push({ rule: index, ...policy.valueFault });
      return;
    }
    const told = context.fault(fault.code, object, `${fieldPath}.${fault.fieldPath}`, fault);
    ruleFaults.push({ rule: index, ...faultAt(`rules[${index}].${fault.fieldPath}`, told) });
  });
  return { routes, rules: rules.length, ruleFaults, refFaults };
}

/** Adds the routes of a rule. An invalid rule answers 500 wherever its matches can still be told. */
function compileRule<R extends Rule>(
  of: RuleKind<R>,
  scope: RuleScope,
  rule: R,
  into: RankedRoute[],
): FilterFault | undefined {
  const { context, object, policy, index } = scope;
  const matches = of.matches(rule);
  const badMatch = matches.find((match): match is ValueFault => !isMatch(match));
  const body = badMatch
    ? unsupported(badMatch.fieldPath, badMatch.message, badMatch.hint)
    : of.body(scope, rule, matches.filter(isMatch));
  const isFault = 'code' in body;
  const settled: Body = isFault
    ? { filters: [], action: refusal(body.message) }
    : withPolicy(context, object, policy, index, body);
  matches.forEach((match, i) => {
    if (isMatch(match)) into.push({ rank: match.rank, route: toRoute(scope, rule, match, i, settled) });
  });
  return isFault ? body : undefined;
}

function toRoute(
  { context, object, of, index, fieldPath }: RuleScope,
  rule: Rule,
  own: CompiledMatch,
  i: number,
  body: Body,
): Route {
  const { name, namespace = 'default' } = object.metadata;
  const { filters, action, timeouts, retry, affinity } = body;
  return {
    id: `${of.kind}/${namespace}/${name}/rules/${index}/matches/${i}`,
    ...(rule.name && { name: rule.name }),
    match: own.match,
    filters,
    action,
    ...(timeouts && { timeouts }),
    ...(retry && { retry }),
    ...(affinity && { affinity: withCookiePath(affinity, own.match.path) }),
    source: context.provenance(object, `${fieldPath}.matches[${i}]`, { rule: index, match: i }),
  };
}

export function refusal(reason: string, status = 500): RespondAction {
  return { type: 'respond', status, reason };
}

/** Requests of a rule go to its backendRefs. */
export function forward(scope: RuleScope, rule: Rule): Action | FilterFault {
  const refs = rule.backendRefs ?? [];
  const backends: WeightedBackend[] = [];
  for (const [i, ref] of refs.entries()) {
    const compiled = weightedBackend(scope, ref, `backendRefs[${i}]`);
    if ('code' in compiled) return compiled;
    backends.push(compiled);
  }
  if (backends.some(({ weight }) => weight > 0)) return { type: 'forward', backends };
  const { noBackend } = scope.of;
  const reason = refs.length > 0 ? 'the weights of all backendRefs are zero' : 'the rule has no backendRefs';
  report(scope, 'FW3305', refs.length > 0 ? 'backendRefs' : '', `${reason}, so its ${noBackend.told}`);
  return refusal(reason, noBackend.status);
}

/** For the filters of a rule: what a reference that leads nowhere means is theirs to say. */
export function resolverOf(scope: RuleScope): ResolveBackend {
  const { backends, object, of, index, fieldPath } = scope;
  return (ref, field, spoken = of.spoken) => {
    const found = backends.resolve(object, ref, `${fieldPath}.${field}`, spoken);
    if ('id' in found) return found.id;
    scope.refFaults.push(faultAt(`rules[${index}].${field}`, found));
    return undefined;
  };
}

function weightedBackend(
  scope: RuleScope,
  ref: NonNullable<Rule['backendRefs']>[number],
  field: string,
): WeightedBackend | FilterFault {
  const { context, backends, object, of, index, fieldPath } = scope;
  const compiled = compileBackendFilters(ref.filters, `${field}.filters`, resolverOf(scope), of.spoken);
  if ('code' in compiled) return compiled;
  const found = backends.resolve(object, ref, `${fieldPath}.${field}`, of.spoken);
  const shared = {
    weight: ref.weight ?? 1,
    filters: compiled.filters,
    ...(compiled.redirect && { redirect: compiled.redirect }),
    source: context.provenance(object, `${fieldPath}.${field}`, { rule: index }),
  };
  if ('id' in found && compiled.closed === undefined) return { ...blank, ...shared, backend: found.id };
  if ('id' in found) return { ...blank, ...shared, invalid: { status: 500, reason: compiled.closed! } };
  scope.refFaults.push(faultAt(`rules[${index}].${field}`, found));
  return { ...blank, ...shared, invalid: { status: of.noBackend.status, reason: `${found.reason}: ${found.message}` } };
}

/** What the rule says of sessions, or else the policy of the first of its backends that has one, for all of them (GEP-1619). */
export function affinityOf(scope: RuleScope, rule: Rule, action: Action): Affinity | FilterFault | undefined {
  const { object, of, backends } = scope;
  const { name, namespace = 'default' } = object.metadata;
  const shares = action.type === 'forward' ? action.backends : [];
  const given =
    rule.sessionPersistence ?? firstOf(shares, ({ backend }) => (backend ? backends.sessionOf(backend) : undefined));
  return compileSessionPersistence(given, { kind: of.kind, namespace, name, rule });
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function report({ context, object, fieldPath }: RuleScope, code: DiagnosticCode, field: string, message: string): void {
  context.report(code, object, field ? `${fieldPath}.${field}` : fieldPath, message);
}
