/** What the route does with the request: an answer of its own, or steps 4 to 6 towards a Pod. */
import { redirectLocation } from '../../routing/match/rewrite.ts';
import type { ForwardAction, Listener, Route, WeightedBackend } from '../../routing/plan/plan.ts';
import type { World } from '../world.ts';
import { choicesOf, explainBackend } from './backends.ts';
import { canaryChoice } from './canary.ts';
import { describeFilter } from './describe.ts';
import { hintAt } from './findings.ts';
import { outgoingLines } from './outgoing.ts';
import { outgoingOf } from './rehearsal/outgoing.ts';
import type { Rehearsed } from './rehearsal/request.ts';
import { hostOf } from './request.ts';
import { notReached, ruleText } from './steps.ts';
import type { Answer, BackendChoice, Explanation, Outgoing, Step } from './types.ts';

type Share = Pick<Step, 'status' | 'details' | 'fix'>;

function invalidShare(world: World, { backends }: ForwardAction): Share | undefined {
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
  /** Where the request goes; the one with the largest share where nothing else decides. */
  readonly backend: BackendChoice | null;
  readonly backends: readonly BackendChoice[];
  readonly endpoints: Explanation['endpoints'];
  readonly outgoing: Outgoing | null;
}

const nothing = { backend: null, backends: [], endpoints: [], outgoing: null } as const;

/** The request is answered without a backend. */
export function own(answer: Answer): Ending {
  return { ...nothing, steps: notReached(4, 'not needed'), ok: answer.status < 400, answer };
}

/** Where the request has got to, and what of its path is covered. */
export interface Reached {
  readonly listener: Listener;
  readonly route: Route;
  readonly prefixLength: number | undefined;
}

/** Steps 4 to 6: what the route does with the request. */
export function ending(world: World, asked: Rehearsed, { listener, route, prefixLength }: Reached): Ending {
  const { action } = route;
  if (action.type === 'respond') return own({ status: action.status, reason: action.reason });
  if (action.type === 'forward') return forwarded(world, asked, route, action, prefixLength);
  const { scheme, path, query } = asked.request;
  const redirected = {
    ...{ scheme, host: hostOf(asked.request), path, query },
    ...{ normalPath: asked.head.normalPath, listenerPort: listener.port },
  };
  const location = redirectLocation(action, redirected, prefixLength);
  return own({ status: action.status, reason: 'redirect', location });
}

/** The share that a request goes to, as far as that is certain; otherwise the largest. */
function mainShare(
  { plan }: World,
  { backends }: ForwardAction,
  place: number | undefined,
): WeightedBackend | undefined {
  if (place !== undefined) return backends[place];
  const valid = backends.filter(({ backend, weight }) => backend !== undefined && plan.backends[backend] && weight > 0);
  return valid.sort((a, b) => b.weight - a.weight)[0];
}

function nowhere(
  { backends: shares }: ForwardAction,
  share: WeightedBackend | undefined,
  bad: Share | undefined,
): Ending {
  const reason = bad?.details[0] ?? 'the rule has no backend with a weight';
  const invalid = share?.invalid ?? shares.find((one) => one.invalid)?.invalid;
  const status = invalid?.status ?? 500;
  const broken: Step = {
    ...{ step: 4, name: 'service', status: 'broken', details: bad?.details ?? [] },
    summary: `no valid backend: every request gets ${status}`,
    fix: bad?.fix ?? 'give the rule a backend',
  };
  return { ...nothing, steps: [broken, ...notReached(5)], ok: false, answer: { status, reason } };
}

function forwarded(
  world: World,
  asked: Rehearsed,
  route: Route,
  action: ForwardAction,
  prefixLength: number | undefined,
): Ending {
  const backends = choicesOf(world, action.backends);
  const bad = invalidShare(world, action);
  const canary = canaryChoice(world, route, asked);
  const share = mainShare(world, action, canary.place);
  const main = share && backends.find(({ id }) => id === share.backend);
  if (!share || !main) return { ...nowhere(action, share, bad), backends };
  const sent = asked.head.host;
  const outgoing = outgoingOf([...route.filters, ...share.filters], asked, prefixLength);
  const { tail, backend, instead } = reached(world, share, main);
  const [first, ...rest] = tail.steps;
  const service: Step = {
    ...first,
    details: [
      ...instead,
      ...(backends.length > 1 ? backends.map(shareText) : []),
      ...canary.details,
      ...shareFilters(world, action),
      ...outgoingLines(outgoing, asked.request, sent),
      ...first.details,
      ...(bad?.details ?? []),
    ],
    ...(bad && first.status === 'ok' && { status: 'warning' as const, fix: bad.fix! }),
  };
  const answer = tail.ok
    ? null
    : { status: 503, reason: rest.find((step) => step.status === 'broken')?.summary ?? service.summary };
  const steps = [service, ...rest];
  return { steps, ok: tail.ok, answer, backend, backends, endpoints: tail.endpoints, outgoing };
}

/** Another backend takes the requests while that of the share has no endpoint. */
function reached(world: World, { otherwise, source }: WeightedBackend, main: BackendChoice) {
  const tail = explainBackend(world, main);
  const [other] = otherwise ? choicesOf(world, [{ ...otherwise, weight: main.weight, source }]) : [];
  if (tail.ok || !other) return { tail, backend: main, instead: [] };
  const instead = [
    `${main.namespace}/${main.service}:${main.port} has no endpoint: its default backend gets the request`,
  ];
  return { tail: explainBackend(world, other), backend: other, instead };
}

const shareText = ({ share, namespace, service, port }: BackendChoice): string =>
  `${(share * 100).toFixed(1).replace(/\.0$/, '')} % to ${namespace}/${service}:${port}`;
