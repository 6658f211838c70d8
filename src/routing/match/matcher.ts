/**
 * Plan to matcher: which route of a listener answers a request. The cost of a match depends on the request and on the
 * routes whose path fits it, not on how many hosts and routes there are. `match` and `explain` walk the same compiled
 * structures and ask the same checks.
 */
import type { Listener, VirtualHost } from '../plan/plan.ts';
import {
  type CompiledHost,
  type CompiledRoute,
  type CompiledRoutes,
  compileHost,
  type MatchResult,
} from './compiled.ts';
import { type Explanation, explainMatch } from './explain.ts';
import { createHostIndex, type HostIndex, normalizeHost } from './host.ts';
import { normalRequest } from './normal-path.ts';
import { type Candidates, createCandidates } from './path-index.ts';
import { parseQuery, type QueryLookup } from './query.ts';
import type { MatchRequest } from './request.ts';

export type { CheckReason } from './checks.ts';
export type { MatchResult } from './compiled.ts';
export type { Explanation, HostExplanation, RouteExplanation, Verdict } from './explain.ts';
export { normalizeHost } from './host.ts';
export type { HeaderLookup, MatchRequest } from './request.ts';

export interface ListenerMatcher {
  readonly listener: Listener;
  /** Results are shared, frozen objects: a match allocates next to nothing unless a route looks at the query. */
  match(request: MatchRequest): MatchResult;
  /** The same decision, with everything that was considered and why it lost. */
  explain(request: MatchRequest): Explanation;
  /** What the patterns that the last request was held against may have taken, in steps of their programs. */
  readonly patternSteps: number;
}

export interface MatchLimits {
  /**
   * Steps that patterns may take for one request: for each that is run, the size of its program times the length of
   * what it is held against. A request that would take more has no route. Default 1,000,000.
   */
  readonly maxPatternSteps: number;
}

export const defaultMatchLimits: MatchLimits = { maxPatternSteps: 1_000_000 };

const nothing: MatchResult = Object.freeze({});

/** Lists of hosts never change; HTTP and HTTPS often share one, and plans that follow each other do. */
const indexes = new WeakMap<Listener['hosts'], HostIndex<CompiledHost>>();

/** `before` is a list that may differ little. */
function indexOf(hosts: Listener['hosts'], before: Listener['hosts'] | undefined): HostIndex<CompiledHost> {
  let index = indexes.get(hosts);
  if (!index) {
    index = (before && changedIndex(hosts, before)) ?? createHostIndex(hosts.map(compileHost));
    indexes.set(hosts, index);
  }
  return index;
}

/** Undefined when nothing is known of the list before, or too much has changed. */
function changedIndex(hosts: Listener['hosts'], before: Listener['hosts']): HostIndex<CompiledHost> | undefined {
  const known = indexes.get(before);
  if (!known) return undefined;
  const removed: VirtualHost[] = [];
  const added: VirtualHost[] = [];
  let place = 0;
  for (const host of hosts) {
    if (before[place] === host) {
      place++;
      continue;
    }
    // Lists are in one order: what stands in the way is gone, unless the name is a new one.
    const isNew = known.covering(host.hostname)[0]?.host.hostname !== host.hostname;
    while (!isNew && place < before.length && before[place]!.hostname !== host.hostname) removed.push(before[place++]!);
    if (!isNew && place < before.length && before[place] !== host) removed.push(before[place]!);
    if (before[place] !== host) added.push(host);
    if (!isNew) place++;
    if (removed.length + added.length > maxChanges) return undefined;
  }
  removed.push(...before.slice(place));
  return known.changed(removed.map(compileHost), added.map(compileHost));
}

/** Hosts that differ, beyond which an index is made anew. */
const maxChanges = 256;

/**
 * Compiles one listener; `before` is the matcher that it takes the place of, if any. Never throws: a pattern that does not
 * compile matches nothing.
 */
export function compileListener(
  listener: Listener,
  before?: ListenerMatcher,
  { maxPatternSteps }: MatchLimits = defaultMatchLimits,
): ListenerMatcher {
  const hosts = indexOf(listener.hosts, before?.listener.hosts);
  const candidates = createCandidates();
  let rawQuery = '';
  let parsedQuery: QueryLookup | undefined;
  /** The host looked up last and what was found: requests of one client name the same one over and over. */
  let lastHost: string | undefined;
  let lastFound: CompiledHost | undefined;
  let patternSteps = 0;
  const query = () => {
    parsedQuery ??= parseQuery(rawQuery);
    return parsedQuery;
  };

  function accepts({ checks }: CompiledRoute, request: MatchRequest): boolean {
    for (let i = 0; i < checks.length; i++) {
      const check = checks[i]!;
      const got = check.got(request, query);
      if (check.size > 0 && got !== undefined) {
        patternSteps += check.size * (got.length + 1);
        if (patternSteps > maxPatternSteps) return false;
      }
      if (!check.accepts(got)) return false;
    }
    return true;
  }

  /** Tries the candidates in the order of the routes and stops at the first that fits. */
  function firstRoute(routes: CompiledRoutes, request: MatchRequest): CompiledRoute | undefined {
    candidates.count = 0;
    routes.paths.collect(request.path, candidates);
    for (;;) {
      const number = takeLowest(candidates);
      if (number < 0) return undefined;
      const compiled = routes.at(number);
      if (accepts(compiled, request)) return compiled;
      if (patternSteps > maxPatternSteps) return undefined;
    }
  }

  function findHost(host: string): CompiledHost | undefined {
    if (host !== lastHost) {
      lastFound = hosts.find(normalizeHost(host));
      lastHost = host;
    }
    return lastFound;
  }

  function match(request: MatchRequest): MatchResult {
    const first = findHost(request.host);
    if (!first) return nothing;
    rawQuery = request.query;
    parsedQuery = undefined;
    patternSteps = 0;
    let host: CompiledHost | undefined = first;
    // A chain longer than the number of hosts would be a circle.
    for (let steps = listener.hosts.length; host && steps > 0; steps--) {
      const asked = host.normal ? normalRequest(request) : request;
      if (!asked) return host.badPath;
      const found = firstRoute(host.routes(), asked);
      if (found) return found.hit;
      if (patternSteps > maxPatternSteps) return host.tooCostly;
      host = hosts.fallbackOf(host);
    }
    return first.miss;
  }

  return {
    listener,
    match,
    explain: (request) => explainMatch(hosts, request, match(request)),
    get patternSteps() {
      return patternSteps;
    },
  };
}

/** Removes and returns the lowest number at the heads of the lists; -1 when all are used up. */
function takeLowest({ lists, cursors, count }: Candidates): number {
  let lowest = -1;
  let from = -1;
  for (let i = 0; i < count; i++) {
    const list = lists[i]!;
    const cursor = cursors[i]!;
    if (cursor >= list.length) continue;
    const number = list[cursor]!;
    if (from >= 0 && number >= lowest) continue;
    lowest = number;
    from = i;
  }
  if (from >= 0) cursors[from]!++;
  return lowest;
}
