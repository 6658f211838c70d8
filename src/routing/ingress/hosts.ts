/**
 * Virtual hosts out of the claims of all Ingresses, oldest first: who came first keeps a host and path. In a host the
 * longest path comes first, Exact before Prefix where they are equally long, and the default backend last.
 */
import { formatRef } from '../../base/diagnostics/index.ts';
import { refOf } from '../../kube/resources.ts';
import type { Ingress } from '../../kube/types/index.ts';
import type { Provenance, Route, RouteMatch, VirtualHost, WeightedBackend } from '../plan/plan.ts';
import type { BackendResolver } from './backends.ts';
import type { Context } from './context.ts';
import { type PathClaim, readRules } from './rules.ts';

interface HostDraft {
  readonly sources: Provenance[];
  /** By type and path, a trailing slash of a prefix left out. */
  readonly paths: Map<string, PathClaim>;
  fallback?: DefaultBackend;
}

interface DefaultBackend {
  readonly ingress: Ingress;
  readonly backend: WeightedBackend;
}

export function buildHosts(context: Context, ingresses: readonly Ingress[], backends: BackendResolver): VirtualHost[] {
  const drafts = new Map<string, HostDraft>();
  for (const ingress of ingresses) addIngress(context, drafts, ingress, backends);
  const catchAll = drafts.get('*')?.fallback;
  return [...drafts]
    .sort(([a], [b]) => compareHostnames(a, b))
    .map(([hostname, draft]) => ({
      hostname,
      wildcard: 'one-label',
      routes: routesOf(context, draft, catchAll, backends),
      sources: draft.sources,
    }));
}

function draftOf(drafts: Map<string, HostDraft>, hostname: string): HostDraft {
  let draft = drafts.get(hostname);
  if (!draft) {
    draft = { sources: [], paths: new Map() };
    drafts.set(hostname, draft);
  }
  return draft;
}

function addIngress(
  context: Context,
  drafts: Map<string, HostDraft>,
  ingress: Ingress,
  backends: BackendResolver,
): void {
  const claims = readRules(context, ingress);
  for (const { host, rule, fieldPath } of claims.hosts)
    draftOf(drafts, host).sources.push(context.provenance(ingress, fieldPath, { rule }));
  for (const claim of claims.paths) addPath(context, draftOf(drafts, claim.host), claim);
  if (ingress.spec?.defaultBackend) {
    const fallback = {
      ingress,
      backend: backends.resolve(ingress, ingress.spec.defaultBackend, 'spec.defaultBackend'),
    };
    for (const { host } of claims.hosts) draftOf(drafts, host).fallback ??= fallback;
    addCatchAll(context, draftOf(drafts, '*'), fallback, claims.hosts.length > 0);
    return;
  }
  if (!ingress.spec?.rules?.some((rule) => rule.http?.paths?.length))
    context.report('FW2013', ingress, 'spec', 'there are neither paths nor a default backend');
}

function addPath(context: Context, draft: HostDraft, claim: PathClaim): void {
  const key = `${claim.type} ${claim.key}`;
  const winner = draft.paths.get(key);
  if (!winner) {
    draft.paths.set(key, claim);
    return;
  }
  const owner = winner.ingress === claim.ingress ? 'this Ingress' : formatRef(refOf(winner.ingress));
  const message = `${claim.type} ${claim.value} of host ${claim.host} belongs to ${owner} (${winner.fieldPath})`;
  context.report('FW2011', claim.ingress, claim.fieldPath, message);
}

/** Requests that no rule takes: the oldest Ingress with a default backend gets them. */
function addCatchAll(context: Context, draft: HostDraft, fallback: DefaultBackend, hasHosts: boolean): void {
  const { ingress } = fallback;
  draft.fallback ??= fallback;
  if (draft.fallback.ingress === ingress) {
    draft.sources.push(context.provenance(ingress, 'spec.defaultBackend'));
    return;
  }
  const owner = formatRef(refOf(draft.fallback.ingress));
  const own = hasHosts ? '; it still answers for the hosts of its own rules' : '';
  const message = `requests for hosts without rules go to the default backend of ${owner}${own}`;
  context.report('FW2012', ingress, 'spec.defaultBackend', message, hasHosts ? { severity: 'info' } : {});
}

/** Exact names, then wildcards with the longest suffix first, then `*`. */
function compareHostnames(a: string, b: string): number {
  const rank = (name: string) => (name === '*' ? 2 : name.startsWith('*') ? 1 : 0);
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (rank(a) === 1 && a.length !== b.length) return b.length - a.length;
  return a < b ? -1 : 1;
}

function routesOf(
  context: Context,
  draft: HostDraft,
  catchAll: DefaultBackend | undefined,
  backends: BackendResolver,
): Route[] {
  const claims = [...draft.paths.values()].sort(comparePaths);
  const routes = claims.map((claim) => pathRoute(context, claim, backends));
  const fallback = draft.fallback ?? catchAll;
  const covered = claims.some((claim) => claim.type === 'prefix' && claim.key === '/');
  return fallback && !covered ? [...routes, defaultRoute(context, fallback)] : routes;
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
  return forward(`${routeId(ingress)}/rules/${rule}/paths/${path}`, { path: { type, value } }, backend, source);
}

function defaultRoute(context: Context, { ingress, backend }: DefaultBackend): Route {
  return forward(`${routeId(ingress)}/defaultBackend`, {}, backend, context.provenance(ingress, 'spec.defaultBackend'));
}

function routeId({ metadata }: Ingress): string {
  return `Ingress/${metadata.namespace}/${metadata.name}`;
}

function forward(id: string, match: RouteMatch, backend: WeightedBackend, source: Provenance): Route {
  return { id, match, filters: [], action: { type: 'forward', backends: [backend] }, source };
}
