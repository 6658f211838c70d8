/**
 * `fairway explain`: the whole path of one request, from the public name to the Pod, read from the plan that the data
 * plane runs and decided by its matcher.
 */
import { isIP } from 'node:net';
import type { Service } from '../../kube/types/index.ts';
import { grpcStatus } from '../../proxy/exchange/grpc.ts';
import type { World } from '../world.ts';
import { type Arrival, arrivalsOf, choose, rejectedOf } from './arrival.ts';
import { explainBackend } from './backends.ts';
import { certificateDetails } from './certificate.ts';
import { ending } from './ending.ts';
import { findingsOn } from './findings.ts';
import { landFromPod } from './from-pod.ts';
import { setDetails } from './listener-owner.ts';
import { parentsOf, routesNotInForce, type Wanted } from './not-in-force.ts';
import { hostOf } from './request.ts';
import { brokenRoute, doorStep, matchedOf, missingListener, nameStep, notReached, routeStep } from './steps.ts';
import type { ExplainRequest, Explanation, Step } from './types.ts';

const httpKinds = ['HTTPRoute', 'GRPCRoute'] as const;

/** An address stands for whatever names there are at it. */
function wantedBy(world: World, request: ExplainRequest): Wanted {
  const name = request.headers.some(([header]) => header.toLowerCase() === 'host') ? hostOf(request) : request.hostname;
  const address = name.replace(/^\[|\]$/g, '');
  if (isIP(address) === 0) return { kinds: httpKinds, hostname: name.replace(/:\d+$/, '') };
  const parents = world.plan.listeners.filter((listener) => listener.address === address);
  return { kinds: httpKinds, parents: parents.flatMap(({ sources }) => sources.map(({ object }) => object)) };
}

/** An explanation out of its steps; what is not given is nothing. */
function finish(
  world: World,
  request: ExplainRequest,
  steps: readonly Step[],
  rest: Partial<Explanation> = {},
): Explanation {
  const { answer } = rest;
  const notInForce =
    request.from === 'internet' || rest.matched ? routesNotInForce(world, wantedBy(world, request)) : [];
  const isFailedCall = request.grpc && answer && answer.status >= 400;
  return {
    request,
    source: world.source,
    ok: false,
    answer: null,
    matched: null,
    backend: null,
    backends: [],
    endpoints: [],
    rejected: [],
    notInForce,
    ...rest,
    ...(isFailedCall && { answer: { ...answer, grpcStatus: grpcStatus(answer.status) } }),
    steps,
    diagnostics: findingsOn(world, steps, [...(rest.rejected ?? []), ...notInForce, ...parentsOf(world, notInForce)]),
  };
}

/** A Pod that asks for a Service by name goes straight to its address: no load balancer, no route. */
function throughService(world: World, request: ExplainRequest, first: Step, service: Service): Explanation {
  const choice = {
    namespace: service.metadata.namespace ?? 'default',
    service: service.metadata.name,
    port: request.port,
    weight: 1,
    share: 1,
  };
  const { steps, endpoints, ok } = explainBackend(world, choice);
  const [two, three] = notReached(2, 'not needed');
  const answer = ok ? null : { status: 503, reason: 'the connection is refused' };
  return finish(world, request, [first, two!, three!, ...steps], {
    ok,
    answer,
    backend: choice,
    backends: [choice],
    endpoints,
  });
}

/** Steps 3 to 6 behind a door. */
function throughDoor(world: World, request: ExplainRequest, chosen: Arrival, first: Step): Explanation {
  const second = doorStep(world, chosen);
  const { door, listener, trace } = chosen;
  if (!listener || !trace)
    return finish(world, request, [first, second, missingListener(world, request, door), ...notReached(4)]);
  const rejected = rejectedOf(world, trace);
  const tls = listener.tls ? certificateDetails(world.plan, listener, request.hostname) : { ok: true, details: [] };
  const broken = brokenRoute(world, request, listener, trace, tls);
  if (broken)
    return finish(world, request, [first, second, broken.step, ...notReached(4)], { rejected, answer: broken.answer });
  const { route, host, prefixLength } = trace.result;
  const matched = matchedOf(route!, listener, host!.hostname);
  const { steps, backends, endpoints, ok, answer } = ending(world, request, listener, route!, prefixLength);
  const backend = [...backends].sort((a, b) => b.weight - a.weight)[0] ?? null;
  const third = routeStep(route!, matched, [...setDetails(world, host!.sources), ...tls.details], rejected.length);
  return finish(world, request, [first, second, third, ...steps], {
    rejected,
    matched,
    backend,
    backends,
    endpoints,
    ok,
    answer,
  });
}

/**
 * The path of one request. Links are looked at in order; those behind the first broken one are not reached. Asks no
 * server outside the cluster.
 */
export async function explain(world: World, request: ExplainRequest): Promise<Explanation> {
  const landing = request.from === 'internet' ? undefined : await landFromPod(world, request);
  if (landing?.to === 'service') return throughService(world, request, landing.step, landing.service);
  if (landing?.to === 'nowhere') return finish(world, request, [landing.step, ...notReached(2)]);
  const arrivals = arrivalsOf(world, request);
  const chosen = choose(arrivals);
  const name = nameStep(world, request, chosen, arrivals);
  const first = landing ? { ...name, details: [...landing.details, ...name.details] } : name;
  return chosen ? throughDoor(world, request, chosen, first) : finish(world, request, [first, ...notReached(2)]);
}
