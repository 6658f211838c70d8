/** A virtual host made ready for matching. */
import type { PathMatch, Route, VirtualHost } from '../plan/plan.ts';
import { type Check, compileChecks } from './checks.ts';
import { toBytes } from './normal-path.ts';
import { createPathIndex, matchedLength, type PathIndex } from './path-index.ts';

export interface MatchResult {
  /**
   * Where the route stands: the most specific virtual host that covers the name, or one on its fallback chain. Without
   * a route: the most specific one. Absent when no virtual host covers the name.
   */
  readonly host?: VirtualHost;
  readonly route?: Route;
  /** Characters of the path that the route's path match covers, for prefix rewrites; undefined for regex and no path. */
  readonly prefixLength?: number | undefined;
  /** That of the host: which form of the path was compared, and is what `prefixLength` counts. */
  readonly paths?: VirtualHost['paths'];
  /** No route was looked for: the path has no normal form (400). */
  readonly badPath?: true;
  /** No route was found for what its patterns may cost (414). */
  readonly tooCostly?: true;
}

export interface CompiledRoute {
  readonly route: Route;
  /** Everything but what the path index has settled; all must accept. */
  readonly checks: readonly Check[];
  /** The answer when this route wins: one frozen object for all requests. */
  readonly hit: MatchResult;
}

export interface CompiledRoutes {
  /** By its place in the order of precedence, as the path index speaks of it; made when it is first asked for. */
  at(place: number): CompiledRoute;
  readonly paths: PathIndex;
}

export interface CompiledHost {
  readonly host: VirtualHost;
  /** Paths are compared in their normal form. */
  readonly normal: boolean;
  /** The answer when no route matches. */
  readonly miss: MatchResult;
  /** The answer when a path has no normal form, where it needs one. */
  readonly badPath: MatchResult;
  /** The answer when patterns would take too many steps. */
  readonly tooCostly: MatchResult;
  routes(): CompiledRoutes;
}

/** Hosts in plans never change, so what was made of one holds for every plan that has it. */
const compiledHosts = new WeakMap<VirtualHost, CompiledHost>();

/**
 * Compiles a host's routes when the first request asks for them, so that a new plan costs what is used of it, and a
 * host that was in an earlier plan costs nothing.
 */
export function compileHost(host: VirtualHost): CompiledHost {
  let known = compiledHosts.get(host);
  if (!known) {
    known = createHost(host);
    compiledHosts.set(host, known);
  }
  return known;
}

function createHost(host: VirtualHost): CompiledHost {
  let compiled: CompiledRoutes | undefined;
  const miss = Object.freeze({ host });
  return {
    host,
    normal: host.paths === 'normal',
    miss,
    tooCostly: Object.freeze({ host, tooCostly: true }),
    badPath: host.paths === 'normal' ? Object.freeze({ host, badPath: true }) : miss,
    routes: () => {
      compiled ??= { at: lazily(host), paths: createPathIndex(host.routes.map((route) => comparedPath(host, route))) };
      return compiled;
    },
  };
}

/** What a route's path is compared as: bytes where paths are decoded. */
function comparedPath({ paths }: VirtualHost, { match: { path } }: Route): PathMatch | undefined {
  if (!path || paths !== 'normal') return path;
  const except = path.except !== undefined && { except: toBytes(path.except) };
  return { ...path, value: toBytes(path.value), ...except };
}

function lazily(host: VirtualHost): CompiledRoutes['at'] {
  const compiled: (CompiledRoute | undefined)[] = new Array(host.routes.length).fill(undefined);
  return (place) => {
    const known = compiled[place];
    if (known) return known;
    const made = compileRoute(host, host.routes[place]!);
    compiled[place] = made;
    return made;
  };
}

function compileRoute(host: VirtualHost, route: Route): CompiledRoute {
  const path = comparedPath(host, route);
  const prefixLength = matchedLength(path);
  return {
    route,
    checks: compileChecks(route.match, path),
    hit: Object.freeze({ host, route, prefixLength, paths: host.paths }),
  };
}
