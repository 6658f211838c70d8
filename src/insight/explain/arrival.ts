/** Where a request comes in: the listeners that its name, port and scheme lead to, and what their matchers decide. */
import type { Verdict } from '../../routing/match/explain.ts';
import { compileListener, type MatchRequest, type Explanation as MatchTrace } from '../../routing/match/matcher.ts';
import type { Listener, Route, VirtualHost } from '../../routing/plan/plan.ts';
import { isNginxHost } from '../ingress-nginx/estate.ts';
import { locationText } from '../ingress-nginx/location.ts';
import { precedenceRule } from '../precedence.ts';
import type { World } from '../world.ts';
import { type Door, doorsOf } from './door.ts';
import { hostOf } from './request.ts';
import type { ExplainRequest, Rejected } from './types.ts';

function matchRequestOf(request: ExplainRequest): MatchRequest {
  const headers = new Map<string, string>();
  for (const [name, value] of [['host', hostOf(request)] as const, ...request.headers]) {
    const key = name.toLowerCase();
    const before = headers.get(key);
    headers.set(key, before === undefined || key === 'host' ? value : `${before},${value}`);
  }
  return {
    host: hostOf(request),
    path: request.path,
    query: request.query,
    method: request.method,
    grpc: request.grpc,
    headers: (name) => headers.get(name),
  };
}

/**
 * Every candidate that lost: routes of the hosts that were tried, then those of hosts that cover the name and come later.
 * Where only precedence speaks against a route, with the rule of precedence.
 */
export function rejectedOf(world: World, { hosts, result }: MatchTrace): Rejected[] {
  const winner = result.route;
  return hosts.flatMap(({ host, routes, tried, verdict: ofHost }) => {
    if (tried)
      return routes.flatMap(({ route, verdict }) =>
        verdict.outcome === 'matched' || isNobodys(route)
          ? []
          : [rejected(world, host, route, withRule(world, host, verdict, winner, route))],
      );
    if (ofHost.outcome === 'matched' || ofHost.reason !== 'precedence') return [];
    return host.routes.filter((route) => !isNobodys(route)).map((route) => rejected(world, host, route, ofHost));
  });
}

/** The default server of ingress-nginx is there for whatever nobody has asked for. */
const isNobodys = ({ source }: Route) => source.object.kind === 'IngressClass';

type Lost = Extract<Verdict, { outcome: 'lost' }>;

function withRule(world: World, host: VirtualHost, verdict: Lost, winner: Route | undefined, route: Route): Lost {
  if (verdict.reason !== 'precedence' || !winner) return verdict;
  const rule = precedenceRule(world, winner, route, host.hostname);
  return { ...verdict, detail: `${verdict.detail}: ${rule}` };
}

function rejected(world: World, host: VirtualHost, route: Route, lost: Lost): Rejected {
  const { object, rule, match } = route.source;
  const { reason, detail, got } = lost;
  const wanted = isNginxHost(host) && reason !== 'host' ? locationText(world, route) : lost.wanted;
  return {
    kind: object.kind,
    namespace: object.namespace ?? '',
    name: object.name,
    rule: rule ?? null,
    match: match ?? null,
    hostname: host.hostname,
    ...{ reason, detail, wanted, got: got ?? null },
  };
}

/** The listener of a door that a request's port and scheme lead to, with the decision of its matcher. */
export interface Arrival {
  readonly door: Door;
  readonly listener?: Listener;
  readonly trace?: MatchTrace;
}

export function arrivalsOf(world: World, request: ExplainRequest): Arrival[] {
  return doorsOf(world, request).map((door) => {
    const listener = door.listeners.find(({ port }) => port === request.port);
    return { door, ...(listener && { listener, trace: compileListener(listener).explain(matchRequestOf(request)) }) };
  });
}

/** The door where the request gets furthest; among equals the first. */
export function choose(arrivals: readonly Arrival[]): Arrival | undefined {
  const progress = ({ listener, trace, door }: Arrival) =>
    (trace?.result.route ? 4 : 0) + (listener ? 2 : 0) + (door.because === 'catch-all' ? 0 : 1);
  return [...arrivals].sort((a, b) => progress(b) - progress(a))[0];
}
