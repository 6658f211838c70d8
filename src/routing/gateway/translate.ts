/**
 * Gateway API → plan, statuses and findings. The steps are the same for every kind of route: find our classes and
 * Gateways, judge their listeners, attach routes, compile what attached. A further kind of route is an entry in
 * kinds.ts (which listeners carry it) and in the compilers here.
 */
import type { Gateway, HTTPRoute } from '../../kube/types/index.ts';
import type { Certificate } from '../plan/plan.ts';
import type { TranslateInput, TranslateOutput, Translator } from '../translate.ts';
import { attachRoute, recordAttachments } from './attach.ts';
import { backendTlsStatuses } from './backend-tls-status.ts';
import { type Backends, createBackends } from './backends.ts';
import { classStatuses, resolveClasses } from './classes.ts';
import { type Context, compareAge, compareNames, createContext, sortByName } from './context.ts';
import { gatewayStatus } from './gateway-status.ts';
import { resolveGateways } from './gateways.ts';
import { compileHttpRoute } from './http-route.ts';
import { type RouteKind, resources, routeKinds, routeResources } from './kinds.ts';
import { listenerSetStatuses } from './listener-sets.ts';
import type { GatewayState, RouteObject, RouteState } from './model.ts';
import { hasOwnEntries, routeStatus } from './route-status.ts';
import { buildSockets, certificatesOf } from './sockets.ts';
import { compileStreamRoute } from './stream-route.ts';

type Compiler = (context: Context, backends: Backends, object: RouteObject) => Partial<RouteState>;

/** What is made of the rules of a route, by kind. Kinds without an entry are not served. */
const compilers: Readonly<Partial<Record<RouteKind, Compiler>>> = {
  HTTPRoute: (context, backends, object) => ({
    http: compileHttpRoute(context, backends, object as unknown as HTTPRoute),
  }),
  TCPRoute: (context, backends, object) => ({ stream: compileStreamRoute(context, backends, object, 'TCPRoute') }),
  UDPRoute: (context, backends, object) => ({ stream: compileStreamRoute(context, backends, object, 'UDPRoute') }),
  TLSRoute: (context, backends, object) => ({ stream: compileStreamRoute(context, backends, object, 'TLSRoute') }),
};

/** Pure and deterministic; bad input becomes findings and conditions, never an exception. */
export const translateGateway: Translator = (input: TranslateInput): TranslateOutput => {
  const context = createContext(input);
  const gateways = sortByName(input.store.list<Gateway>(resources.gateway));
  const classes = resolveClasses(context, gateways);
  const states = resolveGateways(context, gateways, classes);
  const backends = createBackends(context);
  const routes = routeKinds.flatMap((kind) => resolveRoutes(context, states, backends, kind));
  const ours = [...states.values()].sort((a, b) => compareNames(a.object, b.object));
  const sockets = ours.map((state) => buildSockets(context, state));
  const streams = sockets.flatMap((each) => each.streams).sort(byId);
  const sets = listenerSetStatuses(context, states);
  return {
    listeners: sockets.flatMap(({ listeners }) => listeners).sort(byId),
    ...(streams.length > 0 && { streams }),
    backends: [...backends.all.values()].sort(byId),
    certificates: distinctCertificates(ours.flatMap(certificatesOf)),
    statuses: [
      ...classStatuses(context, classes),
      ...ours.map((state) => gatewayStatus(context, state)),
      ...sets,
      ...routes.map((route) => routeStatus(context, route)),
      ...backendTlsStatuses(context, backends, routes),
    ],
    diagnostics: context.findings,
  };
};

/** Routes of a kind that have to do with our Gateways, in the order of their names. */
function resolveRoutes(
  context: Context,
  gateways: ReadonlyMap<string, GatewayState>,
  backends: Backends,
  kind: RouteKind,
): RouteState[] {
  const routes: RouteState[] = [];
  const objects = sortByName(context.input.store.list<RouteObject>(routeResources[kind]));
  const seniority = new Map([...objects].sort(compareAge).map((object, i) => [object, i]));
  for (const object of objects) {
    const parents = attachRoute(context, gateways, object, kind);
    if (parents.length === 0 && !hasOwnEntries(object)) continue;
    const compiled = parents.length > 0 ? compilers[kind]?.(context, backends, object) : undefined;
    const route: RouteState = { object, kind, seniority: seniority.get(object)!, parents, ...compiled };
    recordAttachments(route, parents);
    if (object.spec.useDefaultGateways === 'All')
      context.report(
        'FW3304',
        object,
        'spec.useDefaultGateways',
        'routes attach only to the Gateways that parentRefs name',
      );
    routes.push(route);
  }
  return routes;
}

function distinctCertificates(certificates: readonly Certificate[]): Certificate[] {
  return [...new Map(certificates.map((certificate) => [certificate.id, certificate])).values()].sort(byId);
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
