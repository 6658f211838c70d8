/**
 * Stream listeners of the plan: TCP and UDP listeners with the one route that each can have, and TLS listeners of a
 * port as one socket with routes by server name. Listener isolation holds as it does for HTTP: a name belongs to the
 * most specific listener that covers it, and is refused there when no route of that listener takes it.
 */
import { listenerId, type StreamBackend, type StreamListener, type StreamRoute } from '../plan/plan.ts';
import type { Context } from './context.ts';
import { compareHostnames, compareSpecificity } from './hostnames.ts';
import { type Owner, ownerOf, type SourcedListener } from './hosts.ts';
import {
  backendCertificate,
  compareSeniority,
  type GatewayState,
  isServable,
  type ListenerState,
  listenerKey,
  type RouteState,
} from './model.ts';
import type { CompiledStreamRoute } from './stream-route.ts';

/** `listeners` are all of a Gateway's listeners on one port, whether they can be served or not. */
export function buildStreams(
  context: Context,
  gateway: GatewayState,
  port: number,
  listeners: readonly SourcedListener[],
): StreamListener[] {
  const served = listeners.filter(({ listener }) => isServable(listener));
  return (['TCP', 'TLS', 'UDP'] as const).flatMap((protocol) => {
    const own = served.filter(({ listener }) => listener.protocol!.protocol === protocol);
    if (own.length === 0) return [];
    const routes =
      protocol === 'TLS' ? tlsRoutes(context, listeners.filter(isByName)) : onlyRoute(context, own[0]!.listener);
    const shown = protocol === 'UDP' ? undefined : backendCertificate(gateway);
    const shared = {
      port,
      protocol,
      ...(shown && { backendClientCertificate: shown.id }),
      routes,
      sources: own.map(({ source }) => source),
    };
    return gateway.addresses.usable.map((address) => ({ id: listenerId(address, port, protocol), address, ...shared }));
  });
}

/** Of several routes at a listener without hostnames the oldest takes everything (guides/api-design, conflicts). */
function onlyRoute(context: Context, { attachments }: ListenerState): StreamRoute[] {
  const oldest = attachments.map(({ route }) => route).sort(compareSeniority)[0];
  return oldest ? [streamRoute(context, oldest, { serverName: '*', tls: 'none' })] : [];
}

/** Plain text never goes where a policy asks for TLS: the share is refused when that cannot be followed. */
function unlessUnfollowed(
  context: Context,
  object: RouteState['object'],
  { unfollowed }: CompiledStreamRoute,
  share: StreamBackend,
): StreamBackend {
  const message = share.backend === undefined ? undefined : unfollowed.get(share.backend);
  if (message === undefined) return share;
  context.reportOnce('FW3407', object, share.source.fieldPath ?? 'spec.rules[0]', message);
  const { backend: _, ...rest } = share;
  return { ...rest, invalid: message };
}

function streamRoute(
  context: Context,
  { object, stream }: RouteState,
  how: Pick<StreamRoute, 'serverName' | 'tls' | 'certificates' | 'alpn'>,
): StreamRoute {
  const { id, name } = stream!;
  const backends =
    how.tls === 'passthrough'
      ? stream!.backends
      : stream!.backends.map((share) => unlessUnfollowed(context, object, stream!, share));
  return {
    id,
    ...(name && { name }),
    ...how,
    backends,
    source: context.provenance(object, 'spec.rules[0]', { rule: 0 }),
  };
}

function tlsRoutes(context: Context, listeners: readonly SourcedListener[]): StreamRoute[] {
  const owner = ownerOf(listeners);
  const routes = new Map<string, StreamRoute>();
  const add = (route: StreamRoute) => {
    if (!routes.has(route.serverName)) routes.set(route.serverName, route);
  };
  for (const { listener } of listeners) {
    if (listener.protocol?.protocol === 'TLS' && isServable(listener))
      for (const route of routesOfListener(context, listener, owner)) add(route);
  }
  for (const listener of listeners) add(boundary(listener));
  return [...routes.values()].sort((a, b) => compareHostnames(a.serverName, b.serverName));
}

/** Listeners that share a port by server name; UDP ports are others than those of TCP. */
function isByName({ listener }: SourcedListener): boolean {
  return listener.spec.protocol === 'TLS' || listener.spec.protocol === 'HTTPS';
}

/** What becomes of the names of a listener that no route takes: an HTTPS listener answers, others refuse. */
function boundary({ listener, source }: SourcedListener): StreamRoute {
  const isHttps = listener.protocol?.protocol === 'HTTPS' && isServable(listener);
  return {
    id: listenerKey(listener),
    serverName: listener.hostname,
    tls: isHttps ? 'handover' : 'passthrough',
    backends: [],
    source,
  };
}

/** One route for each name: the one whose own hostname is the most specific, then the oldest. */
function routesOfListener(context: Context, listener: ListenerState, owner: Owner): StreamRoute[] {
  const meetings = listener.attachments.flatMap(({ route, hostnames }) =>
    hostnames.map(({ hostname, own }) => ({ route, hostname, own })),
  );
  const isTerminated = listener.spec.tls?.mode !== 'Passthrough';
  return meetings
    .filter(({ hostname }) => owner(hostname) === listener)
    .sort((a, b) => compareSpecificity(a.own, b.own) || compareSeniority(a.route, b.route))
    .map(({ route, hostname }) =>
      streamRoute(context, route, {
        serverName: hostname,
        tls: isTerminated ? 'terminate' : 'passthrough',
        ...(isTerminated && { certificates: listener.certificates }),
        ...(isTerminated && listener.alpn && { alpn: listener.alpn }),
      }),
    );
}
