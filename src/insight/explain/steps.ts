/** Steps 1 to 3 of the path: name, load balancer, listener and route. */
import { isIP } from 'node:net';
import { formatRef } from '../../base/diagnostics/index.ts';
import type { Explanation as MatchTrace } from '../../routing/match/matcher.ts';
import type { Listener, Provenance, Route } from '../../routing/plan/plan.ts';
import { positionOf, type World } from '../world.ts';
import { type Arrival, rejectedOf } from './arrival.ts';
import { describeAction, describeAffinity, describeFilter, describeRetry, describeTimeouts } from './describe.ts';
import { closedAt, type Door, similarNames } from './door.ts';
import { filterLines } from './gates.ts';
import { doorOwner } from './listener-owner.ts';
import { routesNotInForce } from './not-in-force.ts';
import type { GateVerdict } from './rehearsal/gates.ts';
import { schemeOf } from './request.ts';
import type { ExplainRequest, Explanation, Matched, Step, StepName } from './types.ts';
import { stepNames } from './types.ts';

/** The steps from one on, when the path ends before them. */
export function notReached(from: number, status: Step['status'] = 'not reached'): Step[] {
  return stepNames.slice(from - 1).map((name, i) => ({ step: from + i, name, status, summary: status, details: [] }));
}

export function ruleText({ object, rule, match }: Provenance): string {
  const place = [rule === undefined ? '' : ` rule ${rule}`, match === undefined ? '' : ` match ${match}`].join('');
  return `${formatRef(object)}${place}`;
}

export function nameStep(
  world: World,
  request: ExplainRequest,
  chosen: Arrival | undefined,
  arrivals: readonly Arrival[],
): Step {
  const name = request.hostname;
  const base = { step: 1, name: 'name' as StepName };
  if (!chosen) {
    const similar = similarNames(world, name);
    const [idle] = routesNotInForce(world, { kinds: ['HTTPRoute', 'GRPCRoute'], hostname: name });
    const literal = isIP(name.replace(/^\[|\]$/g, '')) !== 0;
    return {
      ...base,
      status: 'broken',
      summary: literal ? `nothing in the plan listens on ${name}` : `no Ingress or Gateway serves the name ${name}`,
      details: similar.map((other) => `did you mean ${other}?`),
      fix: literal
        ? 'use the address of the Ingress or of a Gateway'
        : idle
          ? `mend ${idle.kind} ${idle.namespace}/${idle.name}, which asks for the name: see below`
          : `add ${name} to an Ingress rule or to the hostnames of a route whose Gateway listener admits it`,
    };
  }
  const near =
    chosen.door.because === 'catch-all' ? similarNames(world, name).map((other) => `did you mean ${other}?`) : [];
  const others = arrivals
    .filter((arrival) => arrival !== chosen)
    .map((arrival) => `also served at ${arrival.door.address}${ownersOf(world, arrival.door)}`);
  const how = {
    literal: 'is an address',
    hostname: `→ ${chosen.door.address}`,
    'catch-all': `→ ${chosen.door.address}, if DNS points it there: the door takes any name`,
  }[chosen.door.because];
  return { ...base, status: 'ok', summary: `${name} ${how}`, details: [...near, ...others] };
}

function ownersOf(world: World, door: Door): string {
  const owners = [
    ...new Set(
      door.listeners.flatMap((listener) =>
        listener.sources.map((source) => formatRef(doorOwner(world, source.object))),
      ),
    ),
  ];
  return owners.length > 0
    ? ` (${owners.slice(0, 3).join(', ')}${owners.length > 3 ? ` and ${owners.length - 3} more` : ''})`
    : '';
}

export function doorStep(world: World, { door, listener }: Arrival): Step {
  const source = (listener ?? door.listeners[0])?.sources[0];
  return {
    step: 2,
    name: 'load balancer',
    status: 'ok',
    ...(source && { object: doorOwner(world, source.object) }),
    summary: `${door.address}${ownersOf(world, door)}`,
    details: [`ports ${door.listeners.map(({ port, protocol }) => `${port}/${protocol}`).join(', ')}`],
  };
}

export function missingListener(world: World, request: ExplainRequest, door: Door): Step {
  const open = door.listeners.map(({ port, protocol }) => `${port}/${protocol}`).join(', ');
  const closed = closedAt(world, door, request.port);
  const fix =
    request.scheme === 'https'
      ? 'give the Ingress a tls section with a Secret, or the Gateway an HTTPS listener on that port'
      : 'add a listener on that port, or use one that is there';
  return {
    step: 3,
    name: 'listener and route',
    status: 'broken',
    summary: `nothing listens on port ${request.port} of ${door.address}`,
    details: [
      `it listens on ${open}`,
      ...closed.map(({ listener, message }) => `listener ${listener} is closed: ${message}`),
    ],
    fix: closed.length > 0 ? 'mend what keeps the listener closed' : fix,
  };
}

function schemeMismatch(request: ExplainRequest, listener: Listener): string | undefined {
  const wanted = request.scheme === 'https' ? 'HTTPS' : 'HTTP';
  return listener.protocol === wanted
    ? undefined
    : `the listener speaks ${listener.protocol}, the URL says ${schemeOf(request)}`;
}

/** Why no route took the request, in one line, and what would change that. */
function noRoute(world: World, request: ExplainRequest, trace: MatchTrace): { details: string[]; fix: string } {
  const lost = rejectedOf(world, trace);
  const details = lost
    .slice(0, 10)
    .map(
      (route) =>
        `${route.kind} ${route.namespace}/${route.name} rule ${route.rule ?? 0} wants ${route.wanted}: ${route.detail}`,
    );
  if (lost.length === 0) return { details, fix: `no route serves ${trace.hostname}: add the name to a route` };
  const byPath = lost.every((route) => route.reason === 'path');
  return {
    details,
    fix: byPath
      ? `add a ${request.grpc ? 'match' : 'path'} that covers ${request.path} to one of these routes`
      : 'send what one of these routes asks for, or add a route without it',
  };
}

export function matchedOf(route: Route, listener: Listener, hostname: string): Matched {
  const { object, rule, match } = route.source;
  return {
    kind: object.kind,
    namespace: object.namespace ?? '',
    name: object.name,
    rule: rule ?? null,
    match: match ?? null,
    ruleName: route.name ?? null,
    listener: listener.id,
    hostname,
    filters: route.filters.map(describeFilter),
  };
}

/** How the route was found, and of what its filters say to the request. */
interface Found {
  /** `path under /v1`. */
  readonly how: string;
  readonly details: readonly string[];
  readonly gates: readonly GateVerdict[];
  /** Candidates that lost. */
  readonly lost: number;
}

export function routeStep(world: World, route: Route, matched: Matched, { how, details, gates, lost }: Found): Step {
  const position = positionOf(world, route.source);
  return {
    step: 3,
    name: 'listener and route',
    status: 'ok',
    object: route.source.object,
    summary: `${matched.listener} → ${ruleText(route.source)} (${how})`,
    details: [
      ...details,
      ...(position ? [`${position.file}:${position.line}`] : []),
      ...filterLines(route.filters, gates),
      ...(route.timeouts ? [`timeouts ${describeTimeouts(route.timeouts)}`] : []),
      ...(route.retry ? [`retried ${describeRetry(route.retry)}`] : []),
      ...(route.affinity ? [`sessions by ${describeAffinity(route.affinity)}`] : []),
      `action ${describeAction(route.action)}`,
      ...(lost > 0 ? [`${lost} other candidate${lost === 1 ? '' : 's'} lost`] : []),
    ],
  };
}

/** Step 3 when it is where the path ends: wrong scheme, no certificate, no route. */
export function brokenRoute(
  world: World,
  request: ExplainRequest,
  listener: Listener,
  trace: MatchTrace,
  tls: { readonly ok: boolean; readonly details: readonly string[] },
): { step: Step; answer: Explanation['answer'] } | undefined {
  const base = { step: 3, name: 'listener and route', status: 'broken' } as const;
  const mismatch = schemeMismatch(request, listener);
  if (mismatch) {
    const scheme = listener.protocol === 'HTTPS' ? 'https' : 'http';
    const fix = `use ${schemeOf({ ...request, scheme })}://, or another port`;
    return { step: { ...base, summary: mismatch, details: [], fix }, answer: null };
  }
  if (!tls.ok) {
    const fix = `add ${request.hostname} to the tls section of an Ingress or to a listener with a certificate`;
    return { step: { ...base, summary: 'the TLS handshake is refused', details: tls.details, fix }, answer: null };
  }
  if (trace.result.route && trace.result.host) return undefined;
  if (trace.result.badPath) {
    const summary = `the path ${request.path} leaves the root or cannot be decoded`;
    return {
      step: { ...base, summary, details: tls.details, fix: 'ask for a path that can be decoded' },
      answer: { status: 400, reason: 'the path has no normal form' },
    };
  }
  if (trace.result.tooCostly) {
    const summary = `the patterns of ${trace.result.host?.hostname} would take too many steps for a path of ${request.path.length} characters`;
    const fix =
      'begin patterns with text that few paths have, use smaller repetition counts, or raise client.maxPatternSteps';
    return {
      step: { ...base, summary, details: tls.details, fix },
      answer: { status: 414, reason: 'patterns would take too many steps' },
    };
  }
  const { details, fix } = noRoute(world, request, trace);
  const summary = `no route of ${listener.id} matches ${request.grpc ? 'the call' : request.method} ${request.path}`;
  return {
    step: { ...base, summary, details: [...tls.details, ...details], fix },
    answer: { status: 404, reason: 'no route matches' },
  };
}
