/**
 * `fairway explain`: the whole path of one request, from the public name to the Pod, read from the plan that the data
 * plane runs and decided by its matcher.
 */

import { isIP } from 'node:net';
import { formatRef, type ObjectRef } from '../../base/diagnostics/index.ts';
import type { Pod, Service } from '../../kube/types/index.ts';
import { grpcStatus } from '../../proxy/exchange/grpc.ts';
import type { Explanation as MatchTrace } from '../../routing/match/matcher.ts';
import { decodedText } from '../../routing/match/normal-path.ts';
import type { Filter, Listener } from '../../routing/plan/plan.ts';
import { isNginxHost } from '../ingress-nginx/estate.ts';
import { annotationsOf, locationDetails, locationText } from '../ingress-nginx/location.ts';
import type { World } from '../world.ts';
import { type Arrival, arrivalsOf, choose, rejectedOf } from './arrival.ts';
import { explainBackend } from './backends.ts';
import { certificateDetails } from './certificate.ts';
import { describeMatch } from './describe.ts';
import { type Ending, ending, own } from './ending.ts';
import { findingsOfHost, findingsOn } from './findings.ts';
import { landFromPod } from './from-pod.ts';
import { fixFor, stopOf, toldOf } from './gates.ts';
import { setDetails } from './listener-owner.ts';
import { parentsOf, routesNotInForce, type Wanted } from './not-in-force.ts';
import { passedThrough } from './passed-through.ts';
import { gatesOf } from './rehearsal/gates.ts';
import { type Rehearsed, rehearse } from './rehearsal/request.ts';
import { hostOf } from './request.ts';
import { brokenRoute, doorStep, matchedOf, missingListener, nameStep, notReached, routeStep } from './steps.ts';
import type { Answer, ExplainRequest, Explanation, Rejected, Step } from './types.ts';

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
  const findings = findingsOn(world, steps, [...(rest.rejected ?? []), ...notInForce, ...parentsOf(world, notInForce)]);
  const late = rest.matched ? findingsOfHost(world, rest.matched.hostname) : [];
  const isFailedCall = request.grpc && answer && answer.status >= 400;
  return {
    request,
    source: world.source,
    ok: false,
    answer: null,
    matched: null,
    gates: [],
    outgoing: null,
    backend: null,
    backends: [],
    endpoints: [],
    rejected: [],
    notInForce,
    ...rest,
    ...(isFailedCall && { answer: { ...answer, grpcStatus: grpcStatus(answer.status) } }),
    steps,
    diagnostics: [...new Set([...findings, ...late])],
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
  const passed = passedThrough(world, request, door);
  if (passed) return finish(world, request, [first, second, ...passed.steps], passed.rest);
  if (!listener || !trace)
    return finish(world, request, [first, second, missingListener(world, request, door), ...notReached(4)]);
  const rejected = rejectedOf(world, trace);
  const tls = listener.tls ? certificateDetails(world.plan, listener, request.hostname) : { ok: true, details: [] };
  const broken = brokenRoute(world, request, listener, trace, tls);
  if (broken)
    return finish(world, request, [first, second, broken.step, ...notReached(4)], { rejected, answer: broken.answer });
  return throughRoute(world, request, { listener, trace, rejected, before: [first, second], tls: tls.details });
}

interface Onward {
  readonly listener: Listener;
  readonly trace: MatchTrace;
  readonly rejected: readonly Rejected[];
  readonly before: readonly Step[];
  readonly tls: readonly string[];
}

/** What the route and its filters do with the request. */
function throughRoute(world: World, request: ExplainRequest, onward: Onward): Explanation {
  const { listener, trace, rejected, before, tls } = onward;
  const { prefixLength } = trace.result;
  const [route, host] = [trace.result.route!, trace.result.host!];
  const rehearsed = rehearse(request, { listener, host, route });
  if (!rehearsed.ok) {
    const { status, reason } = rehearsed.error;
    const step: Step = { ...third, status: 'broken', summary: `the request is refused: ${reason}`, details: tls };
    return finish(world, request, [...before, step, ...notReached(4)], { rejected, answer: { status, reason } });
  }
  const asked = rehearsed.value;
  const gates = gatesOf(route, asked);
  const stop = stopOf(gates);
  const reached = stop ? own(stop.answer) : ending(world, asked, { listener, route, prefixLength });
  const matched = matchedOf(route, listener, host.hostname);
  const how = isNginxHost(host) ? `${locationText(world, route)} of ${host.hostname}` : describeMatch(route.match);
  const details = [
    ...setDetails(world, host.sources),
    ...locationDetails(world, host, route),
    ...comparedPath(request, asked),
    ...tls,
  ];
  const found = routeStep(world, route, matched, { how, details, gates, lost: rejected.length });
  const { steps, ...rest } = reached;
  const last = stop || route.action.type === 'respond' ? endingHere(world, found, reached, stop?.filter) : found;
  return finish(world, request, [...before, last, ...steps], { ...rest, rejected, matched, gates: gates.map(toldOf) });
}

const third = { step: 3, name: 'listener and route' } as const;

/** A path that is compared in another form than it came in. */
function comparedPath({ path }: ExplainRequest, { head: { normalPath } }: Rehearsed): string[] {
  return normalPath === '' || normalPath === path ? [] : [`path is compared as ${decodedText(normalPath)}`];
}

/** Step 3 where the request gets no further: broken when the answer is an error. */
function endingHere(world: World, step: Step, { answer }: Ending, filter: Filter | undefined): Step {
  if (!answer || answer.status < 400) return step;
  const fix = filter ? fixFor(filter, annotationsOf(world, step.object, filter)) : shutFix(world, step, answer);
  return { ...step, status: 'broken', ...(fix !== undefined && { fix }) };
}

/** What would open a location that is shut, as its finding has it. */
function shutFix({ diagnostics }: World, { object }: Step, { reason, status }: Answer): string | undefined {
  if (status === 404)
    return object?.kind === 'Ingress'
      ? 'add a path that takes the request to an Ingress of the host'
      : 'add a rule for the host to an Ingress: none has it';
  const [, name] = /^the annotation (\S+) /.exec(reason) ?? [];
  const found = diagnostics.find(
    ({ code, fieldPath, object: about }) =>
      (name !== undefined && fieldPath === `metadata.annotations["${name}"]` && isSame(about, object)) ||
      (code === 'FW5511' && / of the ConfigMap /.test(reason)),
  );
  return found && `${found.message}; see below`;
}

const isSame = (a: ObjectRef | undefined, b: ObjectRef | undefined): boolean =>
  a !== undefined && b !== undefined && formatRef(a) === formatRef(b);

/** Undefined for requests from outside. */
function podAddress({ store }: World, from: string): string | undefined {
  return store.get<Pod>('pods', from)?.status?.podIP;
}

/**
 * The path of one request. Links are looked at in order; those behind the first broken one are not reached. Asks no
 * server outside the cluster.
 */
export async function explain(world: World, given: ExplainRequest): Promise<Explanation> {
  const landing = given.from === 'internet' ? undefined : await landFromPod(world, given);
  const client = given.client ?? podAddress(world, given.from);
  const request = client === undefined ? given : { ...given, client };
  if (landing?.to === 'service') return throughService(world, request, landing.step, landing.service);
  if (landing?.to === 'nowhere') return finish(world, request, [landing.step, ...notReached(2)]);
  const arrivals = arrivalsOf(world, request);
  const chosen = choose(arrivals);
  const name = nameStep(world, request, chosen, arrivals);
  const first = landing ? { ...name, details: [...landing.details, ...name.details] } : name;
  return chosen ? throughDoor(world, request, chosen, first) : finish(world, request, [first, ...notReached(2)]);
}
