/** Requests over TLS that ends at the backend: of HTTP nothing is looked at. */
import type { StreamRoute } from '../../routing/plan/plan.ts';
import { positionOf, type World } from '../world.ts';
import type { Door } from './door.ts';
import { ruleText } from './steps.ts';
import { streamEnding } from './streams/ending.ts';
import { landingsOf } from './streams/sockets.ts';
import type { ExplainRequest, Explanation, Step } from './types.ts';

export interface PassedThrough {
  /** From the third on. */
  readonly steps: readonly Step[];
  readonly rest: Partial<Explanation>;
}

/** Undefined where TLS ends at the door. */
export function passedThrough(world: World, request: ExplainRequest, door: Door): PassedThrough | undefined {
  if (request.scheme !== 'https') return undefined;
  const { hostname, port } = request;
  const landings = landingsOf(world, { scheme: 'tls', hostname: hostname.replace(/^\[|\]$/g, ''), port });
  const { listener, route } = landings.find(({ place }) => place.address === door.address) ?? {};
  if (!listener || route?.tls !== 'passthrough' || route.backends.length === 0) return undefined;
  const { steps, rest } = streamEnding(world, listener, route);
  const { refused = null, ...told } = rest;
  const answer = refused && { status: 503, reason: `the connection is reset: ${refused.reason}` };
  return { steps: [routeStep(world, listener.id, route), ...steps], rest: { ...told, answer } };
}

function routeStep(world: World, listener: string, route: StreamRoute): Step {
  const position = positionOf(world, route.source);
  return {
    ...{ step: 3, name: 'listener and route', status: 'ok', object: route.source.object },
    summary: `${listener} → ${ruleText(route.source)} (server name ${route.serverName})`,
    details: [
      'TLS goes to the backend as it comes: paths, headers and annotations about requests mean nothing',
      ...(position ? [`${position.file}:${position.line}`] : []),
    ],
  };
}
