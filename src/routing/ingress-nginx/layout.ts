/**
 * Locations of a host in the order in which requests try them. nginx looks for an equal path, then for the longest that
 * it begins with; patterns are tried one after the other.
 */
import type { PathMatch, Route } from '../plan/plan.ts';
import { readNginxAnnotations } from './annotations/read.ts';
import { doubled, isPatternHost, type Location, rewriteTargetOf } from './locations.ts';
import { relaxed } from './relaxed.ts';
import { literalStart, pathPattern } from './rewrite.ts';

/** How a location is held against requests. */
export interface Placed {
  readonly match: PathMatch;
  /** Behind the id of the route: a location may stand in two places. */
  readonly suffix: string;
  /** Groups of its pattern; undefined where it is none. */
  readonly captures?: number;
  /** Why its pattern cannot be used, in a clause for people. */
  readonly fault?: string;
}

export interface RouteMaker {
  route(location: Location, placed: Placed, isSecured: boolean): Route;
  /** From the path without the slash at its end to the one with it. */
  slash(location: Location): Route;
  appRoot(location: Location, path: string): Route;
  /** Of the default server, for load balancers. */
  health(): Route;
}

/** `ordered`: longest first. */
export function layOut(
  maker: RouteMaker,
  hostname: string,
  ordered: readonly Location[],
  isSecured: boolean,
): readonly Route[] {
  const all = doubled(ordered);
  const routes = isPatternHost(all)
    ? patterns(all).map(({ location, placed }) => maker.route(location, placed, isSecured))
    : plain(maker, hostname, ordered, isSecured);
  const rooted = ordered.find((location) => appRootOf(location) !== undefined);
  return rooted ? [maker.appRoot(rooted, appRootOf(rooted)!), ...routes] : routes;
}

const appRootOf = ({ member }: Location) =>
  member ? readNginxAnnotations(member.object).asked['app-root'] : undefined;

/** Longest first, `/` last. */
const healthPath = '/healthz';

function plain(maker: RouteMaker, hostname: string, ordered: readonly Location[], isSecured: boolean): Route[] {
  const exact = ordered.filter(({ type }) => type === 'exact');
  const prefixes = ordered.filter(({ type }) => type === 'prefix');
  const routes = exact.map((location) => {
    const match: PathMatch = { type: 'exact', value: location.path };
    return maker.route(location, { match, suffix: '' }, isSecured);
  });
  routes.push(...slashes(exact, prefixes).map(maker.slash));
  let hasHealth = hostname !== '*';
  for (const location of prefixes) {
    if (!hasHealth && location.path.length < healthPath.length) {
      routes.push(maker.health());
      hasHealth = true;
    }
    routes.push(maker.route(location, { match: prefixMatch(location.path), suffix: '' }, isSecured));
  }
  return routes;
}

/** The path and what is below it; of a path that ends in a slash, what begins with it. */
function prefixMatch(value: string): PathMatch {
  return value !== '/' && value.endsWith('/') ? { type: 'string-prefix', value } : { type: 'prefix', value };
}

/** Locations that take requests for their path without its last slash, since no other one does. */
function slashes(exact: readonly Location[], prefixes: readonly Location[]): readonly Location[] {
  const taken = new Set([...exact, ...prefixes].map(({ path }) => path));
  const found = new Map<string, Location>();
  for (const location of [...exact, ...prefixes]) {
    const { path } = location;
    const bare = path.slice(0, -1);
    if (path.endsWith('/') && bare !== '' && !taken.has(bare) && !found.has(bare)) found.set(bare, location);
  }
  return [...found.values()];
}

interface Put {
  readonly location: Location;
  readonly placed: Placed;
}

function patterns(all: readonly Location[]): readonly Put[] {
  const seen = new Map<string, number>();
  return all.flatMap((location, at): Put[] => {
    const id = location.claim ? `${location.claim.ingress.metadata.uid} ${location.claim.fieldPath}` : '';
    const times = seen.get(id) ?? 0;
    if (isCovered(location, all[at + 1])) return [];
    seen.set(id, times + 1);
    const suffix = times === 0 ? '' : '/exact';
    const pattern = pathPattern(location.path);
    if (pattern.ok) return [{ location, placed: { ...pattern.value, suffix } }];
    return [{ location, placed: { match: around(location.path), suffix, fault: pattern.error } }];
  });
}

/**
 * What a pattern that cannot be used may take: what it keeps out is not to get to another location. Requests that it does
 * not take go on.
 */
function around(path: string): PathMatch {
  const { path: wider, except } = relaxed(path);
  const pattern = pathPattern(wider);
  if (!pattern.ok) return { type: 'string-prefix', value: literalStart(path), ignoreCase: true };
  const apart = except === undefined ? undefined : pathPattern(except);
  return { ...pattern.value.match, ...(apart?.ok && { except: apart.value.match.value }) };
}

/** What is below a path is part of what the next location takes, and nothing else becomes of it there. */
function isCovered(location: Location, next: Location | undefined): boolean {
  if (!next || location.claim === undefined || next.claim !== location.claim) return false;
  return rewriteTargetOf(location) === undefined && rewriteTargetOf(next) === undefined;
}
