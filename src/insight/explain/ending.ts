/** What the route does with the request: an answer of its own, or steps 4 to 6 towards a Pod. */
import { redirectLocation } from '../../routing/match/rewrite.ts';
import type { ForwardAction, Listener, Route } from '../../routing/plan/plan.ts';
import type { World } from '../world.ts';
import { choicesOf, explainBackend } from './backends.ts';
import { describeFilter } from './describe.ts';
import { hintAt } from './findings.ts';
import { hostOf } from './request.ts';
import { notReached, ruleText } from './steps.ts';
import type { BackendChoice, ExplainRequest, Explanation, Step } from './types.ts';

function invalidShare(world: World, { backends }: ForwardAction): Pick<Step, 'status' | 'details' | 'fix'> | undefined {
  const bad = backends.filter(({ backend, weight }) => backend === undefined && weight > 0);
  if (bad.length === 0) return undefined;
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  const details = bad.map(
    ({ invalid, weight, source }) =>
      `${Math.round((100 * weight) / total)} % of requests get ${invalid?.status ?? 500}: ${invalid?.reason} (${source.fieldPath ?? ruleText(source)})`,
  );
  return {
    status: bad.length === backends.filter(({ weight }) => weight > 0).length ? 'broken' : 'warning',
    details,
    fix: hintAt(world, bad[0]!.source) ?? bad[0]?.invalid?.reason ?? 'mend the backend reference',
  };
}

/** Filters for the requests of one backend only. */
function shareFilters({ plan }: World, { backends }: ForwardAction): string[] {
  return backends.flatMap(({ backend, filters }) => {
    const found = backend === undefined ? undefined : plan.backends[backend];
    if (!found) return [];
    return filters.map((filter) => `to ${found.namespace}/${found.service}:${found.port}: ${describeFilter(filter)}`);
  });
}

export interface Ending {
  readonly steps: readonly Step[];
  readonly ok: boolean;
  readonly answer: Explanation['answer'];
  readonly backends: readonly BackendChoice[];
  readonly endpoints: Explanation['endpoints'];
}

function own(status: number, reason: string, location?: string): Ending {
  return {
    steps: notReached(4, 'not needed'),
    ok: status < 400,
    answer: { status, reason, ...(location !== undefined && { location }) },
    backends: [],
    endpoints: [],
  };
}

/** Steps 4 to 6: what the route does with the request. */
export function ending(
  world: World,
  request: ExplainRequest,
  listener: Listener,
  route: Route,
  prefixLength: number | undefined,
): Ending {
  const { action } = route;
  if (action.type === 'respond') return own(action.status, action.reason);
  if (action.type === 'redirect') {
    const redirected = {
      scheme: request.scheme,
      host: hostOf(request),
      path: request.path,
      query: request.query,
      listenerPort: listener.port,
    };
    return own(action.status, 'redirect', redirectLocation(action, redirected, prefixLength));
  }
  const backends = choicesOf(world, action.backends);
  const share = invalidShare(world, action);
  const main = [...backends].sort((a, b) => b.weight - a.weight)[0];
  if (!main || main.weight === 0) {
    const reason = share?.details[0] ?? 'the rule has no backend with a weight';
    const status = action.backends.find(({ invalid }) => invalid)?.invalid?.status ?? 500;
    const broken: Step = {
      step: 4,
      name: 'service',
      status: 'broken',
      summary: `no valid backend: every request gets ${status}`,
      details: share?.details ?? [],
      fix: share?.fix ?? 'give the rule a backend',
    };
    return { steps: [broken, ...notReached(5)], ok: false, answer: { status, reason }, backends, endpoints: [] };
  }
  const tail = explainBackend(world, main);
  const weights =
    backends.length > 1
      ? backends.map(
          (choice) =>
            `${(choice.share * 100).toFixed(1).replace(/\.0$/, '')} % to ${choice.namespace}/${choice.service}:${choice.port}`,
        )
      : [];
  const [first, ...rest] = tail.steps;
  const service: Step = {
    ...first,
    details: [...weights, ...shareFilters(world, action), ...first.details, ...(share?.details ?? [])],
    ...(share && first.status === 'ok' && { status: 'warning' as const, fix: share.fix! }),
  };
  const answer = tail.ok
    ? null
    : { status: 503, reason: rest.find((step) => step.status === 'broken')?.summary ?? service.summary };
  return { steps: [service, ...rest], ok: tail.ok, answer, backends, endpoints: tail.endpoints };
}
