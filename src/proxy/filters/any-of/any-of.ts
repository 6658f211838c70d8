/** Requests that any one of several gates lets in (nginx `satisfy any`). */
import type { AnyOfFilter } from '../../../routing/plan/plan.ts';
import { takeAway } from '../external-auth/verdict.ts';
import { refuseAll } from '../refuse-all.ts';
import type { CompiledFilter, Denial, FilterComplaint, Gate, Verdict, Waiting } from '../types.ts';

type Member = AnyOfFilter['filters'][number];

interface Way {
  readonly gate: Gate;
  /** Headers that only the services of the other ways may set: clients that come in this way are not believed in them. */
  readonly foreign: ReadonlySet<string>;
}

/** `compile` puts one of the filters into effect. */
export function compileAnyOf(
  { filters }: AnyOfFilter,
  complain: FilterComplaint,
  compile: (filter: Member) => CompiledFilter,
): CompiledFilter {
  const compiled = filters.map(compile);
  const ways = compiled.flatMap(({ gate }, i): Way[] => (gate ? [{ gate, foreign: foreignTo(filters, i) }] : []));
  if (ways.length === 0) return refuseAll('none of its filters could let a request in', complain);
  const requests = compiled.flatMap(({ request }) => request ?? []);
  return {
    gate: (exchange, head) => tryFrom(ways, 0, undefined, exchange, head),
    ...(requests.length > 0 && {
      request: (request, exchange, head) => {
        for (const step of requests) step(request, exchange, head);
      },
    }),
  };
}

function foreignTo(filters: readonly Member[], at: number): ReadonlySet<string> {
  const own = new Set(saidBy(filters[at]!));
  const others = filters.flatMap((filter, i) => (i === at ? [] : saidBy(filter)));
  return new Set(others.filter((name) => !own.has(name)));
}

/** Names in lower case of what a service says of requests that it lets in. */
function saidBy(filter: Member): readonly string[] {
  if (filter.type !== 'external-auth' || filter.protocol !== 'http' || filter.responseHeaders === 'all') return [];
  return filter.responseHeaders.map((name) => name.toLowerCase());
}

/** `refused`: what the gates before have answered. */
function tryFrom(
  ways: readonly Way[],
  from: number,
  refused: Denial | undefined,
  ...[exchange, head]: Parameters<Gate>
): Verdict {
  let denial = refused;
  for (let i = from; i < ways.length; i++) {
    const { gate, foreign } = ways[i]!;
    const verdict = gate(exchange, head);
    if (!verdict) {
      if (foreign.size > 0) takeAway(foreign, head);
      return undefined;
    }
    if ('ask' in verdict) return held(ways, i, denial, verdict);
    if (!isRefusal(verdict)) return verdict;
    denial = graver(denial, verdict);
  }
  return denial;
}

/** A gate that asks elsewhere: the others have their turn when the answer is a refusal. */
function held(ways: readonly Way[], at: number, before: Denial | undefined, { ask, next }: Waiting): Waiting {
  const { foreign } = ways[at]!;
  let denial = before;
  let isIn = false;
  return {
    ask: (exchange, head, settle) =>
      ask(exchange, head, (answer) => {
        if (answer && !isRefusal(answer)) {
          settle(answer);
          return;
        }
        isIn = !answer;
        if (answer) denial = graver(denial, answer);
        else if (foreign.size > 0) takeAway(foreign, head);
        settle(undefined);
      }),
    next: (exchange, head) => (isIn ? next?.(exchange, head) : tryFrom(ways, at + 1, denial, exchange, head)),
  };
}

/** Nobody is let in by a service that has failed, or that could not be asked for the size of the body. */
const isRefusal = ({ status }: Denial): boolean => status < 500 && status !== 413;

/**
 * A client that could say who it is hears how, whatever else speaks against it; and is sent to where it can, as an error
 * page of nginx does with whatever 401.
 */
function graver(before: Denial | undefined, now: Denial): Denial {
  return before && weight(before) >= weight(now) ? before : now;
}

function weight({ status }: Denial): number {
  if (status < 400) return 2;
  return status === 403 ? 0 : 1;
}
