/** Why a request got its route and the others did not: the data behind `fairway explain`. */
import type { Route, VirtualHost } from '../plan/plan.ts';
import { type Check, type CheckReason, describePath, type QuerySource } from './checks.ts';
import type { CompiledHost, CompiledRoute, MatchResult } from './compiled.ts';
import { type HostIndex, normalizeHost } from './host.ts';
import { decodedText, normalRequest } from './normal-path.ts';
import { createCandidates } from './path-index.ts';
import { parseQuery } from './query.ts';
import type { MatchRequest } from './request.ts';

export type Verdict =
  | { readonly outcome: 'matched' }
  | {
      readonly outcome: 'lost';
      /** `precedence`: fits, but another one comes first. `host`: the name is not covered. */
      readonly reason: CheckReason | 'precedence' | 'host';
      /** For people, one clause. */
      readonly detail: string;
      /** What was asked for: `= blue`, `under /v1`, `*.example.com`. */
      readonly wanted: string;
      /** What the request has instead; absent when it has nothing there. */
      readonly got?: string;
    };

export interface RouteExplanation {
  readonly route: Route;
  readonly verdict: Verdict;
}

export interface HostExplanation {
  readonly host: VirtualHost;
  readonly verdict: Verdict;
  /** Whether its routes were tried: the most specific host and those on its fallback chain. */
  readonly tried: boolean;
  /** Every route in order of precedence; empty unless tried. */
  readonly routes: readonly RouteExplanation[];
}

export interface Explanation {
  /** The request's host as it was looked up. */
  readonly hostname: string;
  /** What `match` answers. */
  readonly result: MatchResult;
  /** Hosts tried, in order; then those that cover the name but come later; then near misses. */
  readonly hosts: readonly HostExplanation[];
}

interface Context {
  readonly request: MatchRequest;
  readonly query: QuerySource;
  readonly winner?: Route;
}

type Hosts = HostIndex<CompiledHost>;

/** Explains a request that `match` answered with `result`. */
export function explainMatch(hosts: Hosts, request: MatchRequest, result: MatchResult): Explanation {
  const hostname = normalizeHost(request.host);
  const parsed = parseQuery(request.query);
  const context: Context = { request, query: () => parsed, ...(result.route && { winner: result.route }) };
  const tried = triedHosts(hosts, hostname, result);
  const others = hosts.covering(hostname).filter((host) => !tried.includes(host));
  const missed = hosts.nearMisses(hostname).filter(({ entry }) => !tried.includes(entry));
  const first = tried[0]?.host.hostname;
  return {
    hostname,
    result,
    hosts: [
      ...tried.map((host) => explainTried(host, result, context)),
      ...others.map(({ host }) => untried(host, 'precedence', `${first} is more specific`, hostname)),
      ...missed.map(({ entry, detail }) => untried(entry.host, 'host', detail, hostname)),
    ],
  };
}

/** The most specific host and its fallbacks, each once, up to the one that answered. */
function triedHosts(hosts: Hosts, hostname: string, result: MatchResult): CompiledHost[] {
  const tried: CompiledHost[] = [];
  let next = hosts.find(hostname);
  while (next && !tried.includes(next)) {
    tried.push(next);
    next = result.route && next.host === result.host ? undefined : hosts.fallbackOf(next);
  }
  return tried;
}

function explainTried(compiled: CompiledHost, result: MatchResult, given: Context): HostExplanation {
  const { host } = compiled;
  const asked = compiled.normal ? normalRequest(given.request) : given.request;
  if (!asked) return malformed(host, given);
  if (result.tooCostly && result.host === host) return untriedRoutes(host, given, 'its patterns would take too many steps for a path of this length'); // biome-ignore format: one line
  const context = { ...given, request: asked };
  const { at, paths } = compiled.routes();
  const all = compiled.host.routes.map((_route, place) => at(place));
  const candidates = createCandidates();
  paths.collect(asked.path, candidates);
  const fitting = new Set(candidates.lists.flat());
  return {
    host,
    tried: true,
    verdict: result.route && result.host === host ? { outcome: 'matched' } : noRoute(host, context),
    routes: all.map((route, number) => ({
      route: route.route,
      verdict: routeVerdict(route, fitting.has(number), context),
    })),
  };
}

/** Which of its routes would have fitted cannot be said. */
function malformed(host: VirtualHost, { request: { path } }: Context): HostExplanation {
  return untriedRoutes(host, { request: { path } }, `path ${path} leaves the root or cannot be decoded`);
}

function untriedRoutes(
  host: VirtualHost,
  { request: { path } }: { readonly request: Pick<MatchRequest, 'path'> },
  detail: string,
): HostExplanation {
  const lost = { outcome: 'lost', reason: 'path', detail, got: path } as const;
  return {
    host,
    tried: true,
    verdict: { ...lost, wanted: host.hostname },
    routes: host.routes.map((route) => ({
      route,
      verdict: { ...lost, wanted: route.match.path ? `path ${describePath(route.match.path)}` : 'any path' },
    })),
  };
}

function noRoute(host: VirtualHost, { request }: Context): Verdict {
  const detail = 'none of its routes matches';
  return { outcome: 'lost', reason: 'path', detail, wanted: host.hostname, got: decodedText(request.path) };
}

function untried(host: VirtualHost, reason: 'precedence' | 'host', detail: string, hostname: string): HostExplanation {
  return {
    host,
    tried: false,
    verdict: { outcome: 'lost', reason, detail, wanted: host.hostname, got: hostname },
    routes: [],
  };
}

function routeVerdict(compiled: CompiledRoute, pathFits: boolean, context: Context): Verdict {
  const { route } = compiled;
  if (route === context.winner) return { outcome: 'matched' };
  if (!pathFits) return lostByPath(route, context.request.path);
  const failed = compiled.checks.filter((check) => !check.accepts(check.got(context.request, context.query)));
  const worst = failed.find((check) => check.reason === 'path') ?? failed[0];
  if (worst) return lostByCheck(worst, context);
  return {
    outcome: 'lost',
    reason: 'precedence',
    detail: `${context.winner?.id} comes first`,
    wanted: route.match.path ? describePath(route.match.path) : 'any path',
    got: decodedText(context.request.path),
  };
}

function lostByPath(route: Route, path: string): Verdict {
  const wanted = describePath(route.match.path!);
  const got = decodedText(path);
  return { outcome: 'lost', reason: 'path', detail: `path is ${got}`, wanted: `path ${wanted}`, got };
}

function lostByCheck(check: Check, { request, query }: Context): Verdict {
  const given = check.got(request, query);
  const got = check.reason === 'path' && given !== undefined ? decodedText(given) : given;
  const subject = check.name === undefined ? check.reason : `${check.reason} ${check.name}`;
  const detail = got === undefined ? `${subject} is missing` : `${subject} is ${got}`;
  const wanted = `${subject} ${check.wanted}`;
  return { outcome: 'lost', reason: check.reason, detail, wanted, ...(got !== undefined && { got }) };
}
