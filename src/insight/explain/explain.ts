/**
 * `fairway explain`: the whole path of one request, from the public name to the Pod, read from the plan that the data
 * plane runs and decided by its matcher.
 */
import { type Diagnostic, formatRef } from '../../base/diagnostics/index.ts';
import type { World } from '../world.ts';
import { arrivalsOf, choose, rejectedOf } from './arrival.ts';
import { certificateDetails } from './certificate.ts';
import { ending } from './ending.ts';
import {
  doorStep,
  matchedOf,
  missingListener,
  nameStep,
  noRoute,
  notReached,
  routeStep,
  schemeMismatch,
} from './steps.ts';
import type { ExplainRequest, Explanation, Rejected, Step } from './types.ts';

/** Findings about any object that a step names. */
function findingsOn(world: World, steps: readonly Step[], rejected: readonly Rejected[]): Diagnostic[] {
  const names = new Set([
    ...steps.flatMap(({ object }) => (object ? [formatRef(object)] : [])),
    ...rejected.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`),
  ]);
  return world.diagnostics.filter(({ object }) => object && names.has(formatRef(object)));
}

export function explain(world: World, request: ExplainRequest): Explanation {
  const arrivals = arrivalsOf(world, request);
  const chosen = choose(arrivals);
  const first = nameStep(world, request, chosen, arrivals);
  const finish = (steps: readonly Step[], rest: Partial<Explanation> = {}): Explanation => ({
    request,
    source: world.source,
    ok: false,
    answer: null,
    matched: null,
    backend: null,
    backends: [],
    endpoints: [],
    rejected: [],
    ...rest,
    steps,
    diagnostics: findingsOn(world, steps, rest.rejected ?? []),
  });
  if (!chosen) return finish([first, ...notReached(2)]);
  const second = doorStep(chosen);
  const { door, listener, trace } = chosen;
  if (!listener || !trace) return finish([first, second, missingListener(request, door), ...notReached(4)]);
  const rejected = rejectedOf(trace);
  const mismatch = schemeMismatch(request, listener);
  const tls = listener.tls
    ? certificateDetails(world.plan, listener, request.hostname)
    : { ok: true, details: [] as string[] };
  const broken = (
    summary: string,
    details: readonly string[],
    fix: string,
    answer: Explanation['answer'],
  ): Explanation =>
    finish(
      [
        first,
        second,
        { step: 3, name: 'listener and route', status: 'broken', summary, details, fix },
        ...notReached(4),
      ],
      { rejected, answer },
    );
  if (mismatch) return broken(mismatch, [], `use ${listener.protocol.toLowerCase()}://, or another port`, null);
  if (!tls.ok)
    return broken(
      'the TLS handshake is refused',
      tls.details,
      `add ${request.hostname} to the tls section of an Ingress or to a listener with a certificate`,
      null,
    );
  const { route, host, prefixLength } = trace.result;
  if (!route || !host) {
    const { details, fix } = noRoute(request, trace);
    return broken(
      `no route of ${listener.id} matches ${request.method} ${request.path}`,
      [...tls.details, ...details],
      fix,
      { status: 404, reason: 'no route matches' },
    );
  }
  const matched = matchedOf(route, listener, host.hostname);
  const end = ending(world, request, listener, route, prefixLength);
  const backend = [...end.backends].sort((a, b) => b.weight - a.weight)[0] ?? null;
  return finish([first, second, routeStep(route, matched, tls.details, rejected.length), ...end.steps], {
    rejected,
    matched,
    backend,
    backends: end.backends,
    endpoints: end.endpoints,
    ok: end.ok,
    answer: end.answer,
  });
}
