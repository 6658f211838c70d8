/**
 * A host in the dialect of Fairway, which is the API's own: who came first keeps a path. The longest path comes first,
 * Exact before Prefix where they are equally long, and the default backend last.
 */
import { formatRef } from '../../base/diagnostics/index.ts';
import { equalJson } from '../../kube/objects.ts';
import { refOf } from '../../kube/resources.ts';
import type { Provenance, Route, RouteMatch, WeightedBackend } from '../plan/plan.ts';
import type { BackendResolver } from './backends.ts';
import type { Context } from './context.ts';
import type { BuildInput, BuiltHost, Conflict, DefaultBackend, HostUnit } from './host-unit.ts';
import type { IngressMember } from './members.ts';
import { routeId } from './route-id.ts';
import { policyOf, withPolicy } from './route-policy.ts';
import type { CompiledClaim, PathClaim } from './rules.ts';

/** `members` are those of the unit that are of this dialect. */
export function buildOwnHost(input: BuildInput, { hostname }: HostUnit, members: readonly IngressMember[]): BuiltHost {
  const sources: Provenance[] = [];
  const paths = new Map<string, PathClaim>();
  const owners = new Map<PathClaim, IngressMember>();
  const conflicts: Conflict[] = [];
  for (const member of members) {
    sources.push(...sourcesOf(input, hostname, member));
    for (const claim of member.reading!.claims.byHost.get(hostname)?.paths ?? []) {
      const key = `${claim.type} ${claim.key}`;
      const winner = paths.get(key);
      if (winner) conflicts.push(conflictOf(member, claim, winner));
      else paths.set(key, claim);
      owners.set(claim, member);
    }
  }
  const claims = [...paths.values()].sort(comparePaths);
  const compiled = claims.map((claim) => compileClaim(input, claim, owners.get(claim)!));
  const routes = withFallback(input, hostname, members, claims, compiled);
  return { host: { hostname, wildcard: 'one-label', routes, sources }, compiled, conflicts };
}

/** A path that an older Ingress has. */
export function conflictOf(member: IngressMember, loser: PathClaim, winner: PathClaim): Conflict {
  return { member, rule: loser.rule, path: loser.path, report: (context) => reportConflict(context, loser, winner) };
}

function reportConflict(context: Context, loser: PathClaim, winner: PathClaim): void {
  const owner = winner.ingress === loser.ingress ? 'this Ingress' : formatRef(refOf(winner.ingress));
  const message = `${loser.type} ${loser.value} of host ${loser.host} belongs to ${owner} (${winner.fieldPath})`;
  context.report('FW2011', loser.ingress, loser.fieldPath, message);
}

function sourcesOf({ context, catchAll }: BuildInput, hostname: string, member: IngressMember): Provenance[] {
  const { object, reading } = member;
  const claimed = reading!.claims.byHost.get(hostname)?.hosts ?? [];
  const sources = claimed.map(({ fieldPath, rule }) => context.provenance(object, fieldPath, { rule }));
  if (hostname === '*' && catchAll?.member === member) sources.push(context.provenance(object, 'spec.defaultBackend'));
  return sources;
}

/** The route of a claim; the one of before when the Services behind it are as they were, or when it comes out equal. */
function compileClaim(
  { context, resolver, freshness }: BuildInput,
  claim: PathClaim,
  owner: IngressMember,
): CompiledClaim {
  const before = claim.compiled;
  if (before && freshness.isFresh(before)) return before;
  const gathered = resolver.gather(() =>
    withPolicy(policyOf(context, resolver, owner), pathRoute(context, claim, resolver)),
  );
  const value = before && equalJson(before.value, gathered.value) ? before.value : gathered.value;
  claim.compiled = { ...gathered, value, turn: freshness.turn };
  return claim.compiled;
}

function withFallback(
  { context, catchAll }: BuildInput,
  hostname: string,
  members: readonly IngressMember[],
  claims: readonly PathClaim[],
  compiled: readonly CompiledClaim[],
): Route[] {
  const routes = compiled.map(({ value }) => value);
  if (claims.some((claim) => claim.type === 'prefix' && claim.key === '/')) return routes;
  const own = hostname === '*' ? undefined : members.find(({ object }) => object.spec?.defaultBackend);
  const fallback = own ? { member: own, ...own.fallback!.value } : catchAll;
  return fallback ? [...routes, defaultRoute(context, fallback)] : routes;
}

function comparePaths(a: PathClaim, b: PathClaim): number {
  if (a.key.length !== b.key.length) return b.key.length - a.key.length;
  if (a.type !== b.type) return a.type === 'exact' ? -1 : 1;
  return a.key < b.key ? -1 : 1;
}

function pathRoute(context: Context, claim: PathClaim, backends: BackendResolver): Route {
  const { ingress, type, value, rule, path, fieldPath } = claim;
  const source = context.provenance(ingress, fieldPath, { rule, match: path });
  const backend = backends.resolve(ingress, claim.backend, `${fieldPath}.backend`);
  return forward(routeId(claim), { path: { type, value } }, backend, source);
}

function defaultRoute(context: Context, { member: { object, key }, backend, policy }: DefaultBackend): Route {
  const source = context.provenance(object, 'spec.defaultBackend');
  return withPolicy(policy, forward(`Ingress/${key}/defaultBackend`, {}, backend, source));
}

function forward(id: string, match: RouteMatch, backend: WeightedBackend, source: Provenance): Route {
  return { id, match, filters: [], action: { type: 'forward', backends: [backend] }, source };
}
