/**
 * `fairway explain` for what is not HTTP: which socket, which route, which backends, or why none. Read from the plan that
 * the data plane runs and decided by its table of server names.
 */
import { formatRef } from '../../../base/diagnostics/index.ts';
import type { StreamFlag } from '../../../proxy/proxy.ts';
import type { StreamListener, StreamRoute } from '../../../routing/plan/plan.ts';
import { positionOf, type World } from '../../world.ts';
import { certificateDetails } from '../certificate.ts';
import { findingsOn } from '../findings.ts';
import { parentsOf, routesNotInForce } from '../not-in-force.ts';
import { notReached, ruleText } from '../steps.ts';
import type { Rejected, Step } from '../types.ts';
import { streamEnding } from './ending.ts';
import { type Landing, landingsOf, serverNameOf } from './sockets.ts';
import type { StreamExplanation, StreamRequest } from './types.ts';

type Rest = Partial<Omit<StreamExplanation, 'request' | 'source' | 'steps' | 'diagnostics'>>;

function finish(world: World, request: StreamRequest, steps: readonly Step[], rest: Rest = {}): StreamExplanation {
  const empty = { ok: false, refused: null, matched: null, backend: null, backends: [], endpoints: [], rejected: [] };
  const kinds = [routeKindOf[request.scheme]] as const;
  const { place } = landingsOf(world, request)[0] ?? {};
  const all = [...(place?.streams ?? []), ...(place?.listeners ?? [])];
  const parents = place && all.flatMap(({ sources }) => sources.map(({ object }) => object));
  const name = request.scheme === 'tls' ? serverNameOf(request) : undefined;
  const notInForce = routesNotInForce(world, { kinds, hostname: name, ...(name === undefined && { parents }) });
  const told = { ...empty, notInForce, ...rest };
  const beside = [...told.rejected, ...notInForce, ...parentsOf(world, notInForce)];
  return { request, source: world.source, ...told, steps, diagnostics: findingsOn(world, steps, beside) };
}

const routeKindOf = { tcp: 'TCPRoute', udp: 'UDPRoute', tls: 'TLSRoute' } as const;

export function explainStream(world: World, request: StreamRequest): StreamExplanation {
  const [landing] = landingsOf(world, request);
  if (!landing) return finish(world, request, [nowhere(world, request), ...notReached(2)]);
  const steps = [nameStep(request, landing), placeStep(landing)];
  const { listener, route } = landing;
  if (!listener) return finish(world, request, [...steps, noListener(request, landing), ...notReached(4)]);
  const rejected = rejectedOf(request, listener, route);
  const broken = brokenRoute(world, request, listener, route);
  if (broken)
    return finish(world, request, [...steps, broken.step, ...notReached(4)], { refused: broken.refused, rejected });
  const matched = matchedOf(listener, route!);
  const routed = routeStep(world, request, listener, route!, rejected.length);
  if (route!.tls === 'handover')
    return finish(world, request, [...steps, routed, ...notReached(4, 'not needed')], { ok: true, matched, rejected });
  const ending = streamEnding(world, listener, route!);
  return finish(world, request, [...steps, routed, ...ending.steps], { ...ending.rest, matched, rejected });
}

/** Nothing in the plan has the address, or no TLS socket has the port. */
function nowhere({ plan: { streams = [] } }: World, { scheme, hostname, port }: StreamRequest): Step {
  const base = { step: 1, name: 'name', status: 'broken' } as const;
  const open = streams.filter(({ protocol }) => protocol === scheme.toUpperCase()).map(({ id }) => id);
  const details = open.length > 0 ? [`${scheme.toUpperCase()} listeners: ${open.slice(0, 10).join(', ')}`] : [];
  if (scheme !== 'tls' && !/^[0-9a-f:.]*$/.test(hostname))
    return {
      ...base,
      summary: `${scheme.toUpperCase()} carries no name: ${hostname} could be any address`,
      details,
      fix: `ask for ${scheme}://ADDRESS:${port}, with the address of a Gateway`,
    };
  const summary =
    scheme === 'tls' ? `no TLS listener of the plan has port ${port}` : `nothing in the plan listens on ${hostname}`;
  const fix =
    scheme === 'tls'
      ? `add a listener of protocol TLS with port ${port} to a Gateway, or ask for https:// where an HTTPS listener is meant`
      : 'use the address of a Gateway';
  return { ...base, summary, details, fix };
}

function nameStep({ hostname }: StreamRequest, { place }: Landing): Step {
  const summary =
    hostname === place.address ? `${hostname} is an address` : `${hostname} → ${place.address}, if DNS points it there`;
  return { step: 1, name: 'name', status: 'ok', summary, details: [] };
}

function placeStep({ place, listener }: Landing): Step {
  const all = [...place.streams, ...place.listeners];
  const owners = [...new Set(all.flatMap(({ sources }) => sources.map(({ object }) => formatRef(object))))];
  const source = (listener ?? all[0])?.sources[0];
  return {
    step: 2,
    name: 'load balancer',
    status: 'ok',
    ...(source && { object: source.object }),
    summary: `${place.address} (${owners.slice(0, 3).join(', ')}${owners.length > 3 ? ` and ${owners.length - 3} more` : ''})`,
    details: [`ports ${portsOf(all)}`],
  };
}

const portsOf = (all: readonly { readonly port: number; readonly protocol: string }[]) =>
  all.map(({ port, protocol }) => `${port}/${protocol}`).join(', ');

const third = { step: 3, name: 'listener and route' } as const;

function noListener({ scheme, port }: StreamRequest, { place }: Landing): Step {
  const https = place.listeners.find((one) => one.port === port);
  const other = place.streams.find((one) => one.port === port);
  const protocol = scheme.toUpperCase();
  return {
    ...third,
    status: 'broken',
    summary: `no ${protocol} listener on port ${port} of ${place.address}`,
    details: [`it listens on ${portsOf([...place.streams, ...place.listeners])}`],
    fix: https
      ? `port ${port} is ${https.protocol}: ask for ${https.protocol.toLowerCase()}://`
      : other
        ? `port ${port} is ${other.protocol}: ask for ${other.protocol.toLowerCase()}://`
        : `add a listener of protocol ${protocol} with port ${port}`,
  };
}

/** Routes of the same socket that are for other names. */
function rejectedOf(request: StreamRequest, { routes }: StreamListener, chosen: StreamRoute | undefined): Rejected[] {
  const got = serverNameOf(request) ?? null;
  return routes
    .filter((route) => route !== chosen && route.backends.length > 0)
    .map(({ source: { object, rule }, serverName }) => ({
      kind: object.kind,
      namespace: object.namespace ?? '',
      name: object.name,
      rule: rule ?? null,
      match: null,
      hostname: serverName,
      reason: 'server name',
      detail: got === null ? 'the client names none' : `the client names ${got}`,
      wanted: serverName,
      got,
    }));
}

interface Broken {
  readonly step: Step;
  readonly refused: { readonly flag: StreamFlag; readonly reason: string };
}

/** Step 3 when it is where the path ends: no route for the name, a route without backends, no certificate. */
function brokenRoute(
  world: World,
  request: StreamRequest,
  listener: StreamListener,
  route: StreamRoute | undefined,
): Broken | undefined {
  const name = serverNameOf(request);
  const broken = (flag: StreamFlag, summary: string, details: readonly string[], fix: string): Broken => ({
    step: { ...third, status: 'broken', ...(route && { object: route.source.object }), summary, details, fix },
    refused: { flag, reason: summary },
  });
  if (!route || (route.backends.length === 0 && route.tls !== 'handover')) {
    const names = listener.routes.filter(({ backends }) => backends.length > 0).map(({ serverName }) => serverName);
    const what = request.scheme === 'tls' ? (name ?? 'clients that name no server') : 'anything';
    const fix =
      request.scheme === 'tls'
        ? `add ${name ?? 'a name'} to the hostnames of a TLSRoute`
        : `attach a ${listener.protocol}Route to the listener`;
    return broken(
      'no_route',
      `no route of ${listener.id} takes ${what}`,
      names.length > 0 ? [`routes for: ${names.join(', ')}`] : [],
      fix,
    );
  }
  if (route.tls !== 'terminate') return undefined;
  const { ok, details } = certificateDetails(
    world.plan,
    { tls: { certificates: route.certificates ?? [] } },
    name ?? '*',
  );
  return ok
    ? undefined
    : broken(
        'handshake_failed',
        'the TLS handshake is refused: no certificate for the name',
        details,
        'add a certificate to the listener',
      );
}

function matchedOf(listener: StreamListener, { source: { object }, serverName, tls }: StreamRoute) {
  const { kind, namespace = '', name } = object;
  return { kind, namespace, name, listener: listener.id, serverName, tls };
}

const handling: Readonly<Record<StreamRoute['tls'], string>> = {
  none: 'bytes go to the backend as they come',
  passthrough: 'TLS goes to the backend as it comes',
  terminate: 'TLS is terminated here; the backend gets what was inside',
  handover: 'an HTTPS listener of the same port answers',
};

function routeStep(
  world: World,
  request: StreamRequest,
  listener: StreamListener,
  route: StreamRoute,
  lost: number,
): Step {
  const { object } = route.source;
  const position = positionOf(world, route.source);
  const name = serverNameOf(request);
  const shown =
    route.tls === 'terminate'
      ? certificateDetails(world.plan, { tls: { certificates: route.certificates ?? [] } }, name ?? '*').details
      : [];
  const alpn =
    route.tls === 'terminate' ? [route.alpn ? `ALPN: ${route.alpn.join(', ')}` : 'ALPN is left unanswered'] : [];
  const datagrams = listener.protocol === 'UDP' ? ['a client keeps its endpoint while it sends'] : [];
  return {
    ...third,
    status: 'ok',
    object,
    summary: `${listener.id} → ${ruleText(route.source)}${route.serverName === '*' ? '' : ` (server name ${route.serverName})`}`,
    details: [
      ...(listener.protocol === 'UDP' ? datagrams : [handling[route.tls]]),
      ...(route.tls === 'handover' && name
        ? [`ask fairway explain https://${name}${request.port === 443 ? '' : `:${request.port}`}/`]
        : []),
      ...shown,
      ...alpn,
      ...(position ? [`${position.file}:${position.line}`] : []),
      ...(lost > 0 ? [`${lost} other route${lost === 1 ? '' : 's'} of the socket: for other names`] : []),
    ],
  };
}
