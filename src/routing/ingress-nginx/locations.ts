/**
 * The locations of one host, as ingress-nginx puts them together: who came first has a path and path type, `/` is there
 * always, and what is to be tried first is worked out from paths alone. With one location that uses a pattern or rewrites,
 * all paths of the host are patterns, compared without regard to case and open at the end.
 */
import type { IngressMember } from '../ingress/members.ts';
import type { PathClaim } from '../ingress/rules.ts';
import { readNginxAnnotations } from './annotations/read.ts';

export interface Location {
  readonly path: string;
  readonly type: PathClaim['type'];
  /** Undefined for `/` where no Ingress has it: then the default backend answers. */
  readonly claim?: PathClaim;
  /** Whose annotations hold. Undefined for the default server without an Ingress of its own. */
  readonly member?: IngressMember;
}

/** A path that an older Ingress has. */
export interface LostPath {
  readonly member: IngressMember;
  readonly loser: PathClaim;
  /** Undefined: the default backend of `owner` has the place. */
  readonly winner?: PathClaim;
  readonly owner: IngressMember;
}

export interface Merged {
  /** In the order in which they were put together. */
  readonly locations: readonly Location[];
  readonly lost: readonly LostPath[];
}

/**
 * `members`: without canaries, in the order of ingress-nginx. `everyone`: the Ingress whose default backend has all hosts
 * without rules; only with the host `*`.
 */
export function mergeLocations(
  hostname: string,
  members: readonly IngressMember[],
  claimsOf: (member: IngressMember) => readonly PathClaim[],
  everyone: IngressMember | undefined,
): Merged {
  const root: Location = { path: '/', type: 'prefix', ...rootOwner(hostname, members, everyone) };
  const locations = new Map<string, Location>([[keyOf(root), root]]);
  const lost: LostPath[] = [];
  for (const member of members) {
    for (const claim of claimsOf(member)) {
      const location: Location = { path: claim.value, type: claim.type, claim, member };
      const before = locations.get(keyOf(location));
      const isFree = !before || (before === root && !everyone);
      if (isFree) locations.set(keyOf(location), location);
      else lost.push({ member, loser: claim, owner: before.member!, ...(before.claim && { winner: before.claim }) });
    }
  }
  return { locations: [...locations.values()], lost };
}

function rootOwner(
  hostname: string,
  members: readonly IngressMember[],
  everyone: IngressMember | undefined,
): Pick<Location, 'member'> {
  const member = hostname === '*' ? everyone : members[0];
  return member ? { member } : {};
}

const keyOf = ({ type, path }: Location) => `${type} ${path}`;

const asked = ({ member }: Location) => (member ? readNginxAnnotations(member.object).asked : {});

/** The target, where it is not the path itself. */
export function rewriteTargetOf(location: Location): string | undefined {
  const target = asked(location)['rewrite-target'];
  return target === undefined || target === location.path ? undefined : target;
}

const usesPatterns = (location: Location) =>
  rewriteTargetOf(location) !== undefined || asked(location)['use-regex'] === true;

/** Longest path first, and of paths as long as another the last in the order of characters. */
export function inOrder(locations: readonly Location[]): Location[] {
  return locations.toSorted(
    (a, b) => b.path.length - a.path.length || (a.path > b.path ? -1 : Number(a.path < b.path)),
  );
}

/** The locations that nginx would be given: a plain prefix is one for the path itself and one for all below it. */
export function doubled(ordered: readonly Location[]): Location[] {
  const exact = new Set(ordered.filter(({ type }) => type === 'exact').map(({ path }) => path));
  return ordered.flatMap((location) => {
    const { path, type } = location;
    if (path === '/' || type === 'exact' || usesPatterns(location)) return [location];
    const below: Location = { ...location, path: path.endsWith('/') ? path : `${path}/` };
    return exact.has(path) ? [below] : [below, { ...location, type: 'exact' }];
  });
}

export const isPatternHost = (locations: readonly Location[]): boolean => locations.some(usesPatterns);
