/** Where a request comes in: the listeners that its name, port and scheme lead to, and what their matchers decide. */
import { compileListener, type MatchRequest, type Explanation as MatchTrace } from '../../routing/match/matcher.ts';
import type { Listener } from '../../routing/plan/plan.ts';
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

/** Every candidate that lost: routes of the hosts that were tried, then hosts that do not cover the name. */
export function rejectedOf(trace: MatchTrace): Rejected[] {
  return trace.hosts.flatMap(({ host, routes }) =>
    routes.flatMap(({ route, verdict }): Rejected[] => {
      if (verdict.outcome === 'matched') return [];
      const { object, rule, match } = route.source;
      return [
        {
          kind: object.kind,
          namespace: object.namespace ?? '',
          name: object.name,
          rule: rule ?? null,
          match: match ?? null,
          hostname: host.hostname,
          reason: verdict.reason,
          detail: verdict.detail,
          wanted: verdict.wanted,
          got: verdict.got ?? null,
        },
      ];
    }),
  );
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
