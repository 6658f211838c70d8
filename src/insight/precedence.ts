/**
 * Which rule of precedence puts one route of a virtual host before another, by the name that the API's documentation
 * gives it. The plan has the routes in order already; what is found here is the reason for it, from the same ranks.
 */
import { formatRef, type ObjectRef } from '../base/diagnostics/index.ts';
import { keyOf } from '../kube/resources.ts';
import type { KubeObject } from '../kube/types/index.ts';
import { compareAge } from '../routing/gateway/context.ts';
import { compileGrpcMatch, type GrpcMatch } from '../routing/gateway/grpc-match.ts';
import { compareSpecificity, covers, normalizeHostname } from '../routing/gateway/hostnames.ts';
import { compileMatch, defaultMatch, type HttpMatch } from '../routing/gateway/http-match.ts';
import { routeResources } from '../routing/gateway/kinds.ts';
import { isMatch, type MatchRank } from '../routing/gateway/match-values.ts';
import type { RouteObject } from '../routing/gateway/model.ts';
import type { Route } from '../routing/plan/plan.ts';
import { locationPrecedence } from './ingress-nginx/location.ts';
import type { World } from './world.ts';

type HttpKind = 'HTTPRoute' | 'GRPCRoute';

/** What each number of a rank stands for (HTTPRouteRule.matches, GRPCRouteRule.matches). */
const rankRules: Readonly<Record<HttpKind, readonly string[]>> = {
  HTTPRoute: [
    'an Exact path comes before a regular expression, and that before a prefix',
    'the longest path comes first',
    'a match of the method comes first',
    'the most header matches come first',
    'the most query parameter matches come first',
  ],
  GRPCRoute: [
    'a service and method given by name come first',
    'the most characters of a service come first',
    'the most characters of a method come first',
    'the most header matches come first',
  ],
};

const rules = {
  hostname: 'the most specific hostname comes first',
  kind: 'calls that a GRPCRoute takes are none of an HTTPRoute’s',
  oldest: 'the oldest route comes first, by creation timestamp',
  name: 'of routes of one age the first by namespace/name comes first',
  rule: 'the first rule of a route comes first',
  match: 'the first match of a rule comes first',
  pathLength: 'the longest path comes first',
  pathType: 'an Exact path comes before a Prefix',
  order: 'the order of the list',
} as const;

function objectOf({ store }: World, { kind, namespace = 'default', name }: ObjectRef): RouteObject | undefined {
  const resource = (routeResources as Readonly<Record<string, string>>)[kind];
  return resource === undefined ? undefined : store.get<RouteObject>(resource, `${namespace}/${name}`);
}

/** The hostname of the route itself, of which the virtual host may be a part. */
function ownHostname({ spec }: RouteObject, hostname: string): string {
  const own = (spec.hostnames ?? []).map(normalizeHostname).filter((one) => covers(one, hostname));
  return own.sort(compareSpecificity)[0] ?? '*';
}

function rankOf(kind: HttpKind, object: RouteObject, { source: { rule = 0, match = 0 } }: Route): MatchRank {
  const spec = object.spec as { rules?: { matches?: unknown[] }[] };
  const given = spec.rules?.[rule]?.matches?.[match];
  const compiled =
    kind === 'HTTPRoute'
      ? compileMatch((given as HttpMatch | undefined) ?? defaultMatch, '')
      : compileGrpcMatch((given as GrpcMatch | undefined) ?? {}, '');
  return isMatch(compiled) ? compiled.rank : [];
}

function byAge(first: KubeObject, second: KubeObject): string {
  const isOlder = first.metadata.creationTimestamp !== second.metadata.creationTimestamp;
  return isOlder && compareAge(first, second) < 0 ? rules.oldest : rules.name;
}

function withinRoute({ source: a }: Route, { source: b }: Route): string {
  return a.rule === b.rule ? rules.match : rules.rule;
}

function ofIngresses({ match: { path: a } }: Route, { match: { path: b } }: Route): string {
  if ((a?.value.length ?? 0) !== (b?.value.length ?? 0)) return rules.pathLength;
  return a?.type === b?.type ? rules.order : rules.pathType;
}

/** The rule by which `first` stands before `second` in the virtual host of that name. */
export function precedenceRule(world: World, first: Route, second: Route, hostname: string): string {
  const [a, b] = [objectOf(world, first.source.object), objectOf(world, second.source.object)];
  if (!a || !b) return first.gates ? locationPrecedence(world, first, second) : ofIngresses(first, second);
  if (compareSpecificity(ownHostname(a, hostname), ownHostname(b, hostname)) !== 0) return rules.hostname;
  const kind = first.source.object.kind as HttpKind;
  if (kind !== second.source.object.kind) return rules.kind;
  const [left, right] = [rankOf(kind, a, first), rankOf(kind, b, second)];
  const differing = left.findIndex((number, i) => number !== right[i]);
  if (differing >= 0) return rankRules[kind][differing]!;
  return keyOf(a) === keyOf(b) ? withinRoute(first, second) : byAge(a, b);
}

/** The rule by which the older of two stream routes has what both ask for. */
export function seniorityRule({ store }: World, first: ObjectRef, second: ObjectRef): string {
  const find = ({ kind, namespace = 'default', name }: ObjectRef) =>
    store.get<KubeObject>((routeResources as Readonly<Record<string, string>>)[kind] ?? '', `${namespace}/${name}`);
  const [a, b] = [find(first), find(second)];
  return a && b ? byAge(a, b) : rules.name;
}

/** Routes that no request ever gets to, because one before them asks for exactly the same; each with why. */
export function shadowsOf(world: World, routes: readonly Route[], hostname: string): ReadonlyMap<Route, string> {
  const first = new Map<string, Route>();
  const shadows = new Map<Route, string>();
  for (const route of routes) {
    const key = JSON.stringify(route.match);
    const winner = first.get(key);
    if (!winner) first.set(key, route);
    else
      shadows.set(
        route,
        `${placeOf(winner)} has the same match and wins: ${precedenceRule(world, winner, route, hostname)}`,
      );
  }
  return shadows;
}

function placeOf({ source: { object, rule } }: Route): string {
  return `${formatRef(object)}${rule === undefined ? '' : ` rule ${rule}`}`;
}
