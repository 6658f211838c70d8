/** Which socket of the plan a connection or datagram comes to. */
import { isIP } from 'node:net';
import { indexByName } from '../../../proxy/stream/by-name.ts';
import type { Listener, StreamListener, StreamRoute } from '../../../routing/plan/plan.ts';
import type { World } from '../../world.ts';
import type { StreamRequest } from './types.ts';

/** What has a socket at one address. */
export interface Place {
  readonly address: string;
  readonly streams: readonly StreamListener[];
  readonly listeners: readonly Listener[];
}

export interface Landing {
  readonly place: Place;
  /** The socket of the scheme and port; undefined when there is none. */
  readonly listener: StreamListener | undefined;
  /** What the data plane would choose. */
  readonly route: StreamRoute | undefined;
}

const protocols = { tcp: 'TCP', tls: 'TLS', udp: 'UDP' } as const;

/** The server name of the ClientHello: clients that dial an address name none. */
export function serverNameOf({ scheme, hostname }: StreamRequest): string | undefined {
  return scheme === 'tls' && isIP(hostname) === 0 ? hostname : undefined;
}

function placesOf({ plan }: World): Place[] {
  const all = [...plan.listeners, ...(plan.streams ?? [])];
  return [...new Set(all.map(({ address }) => address))].map((address) => ({
    address,
    streams: (plan.streams ?? []).filter((one) => one.address === address),
    listeners: plan.listeners.filter((one) => one.address === address),
  }));
}

/** Every socket that could be meant: at the address given, or, for a server name, at any; the furthest comes first. */
export function landingsOf(world: World, request: StreamRequest): Landing[] {
  const isAddress = isIP(request.hostname) !== 0;
  if (!isAddress && request.scheme !== 'tls') return [];
  const places = placesOf(world).filter(({ address }) => !isAddress || address === request.hostname);
  const landings = places.map((place) => landingAt(place, request));
  return landings.filter((landing) => isAddress || landing.listener).sort((a, b) => progress(b) - progress(a));
}

function landingAt(place: Place, request: StreamRequest): Landing {
  const protocol = protocols[request.scheme];
  const listener = place.streams.find((one) => one.port === request.port && one.protocol === protocol);
  const find = indexByName(listener?.routes ?? [], (route) => route);
  return { place, listener, route: find(request.scheme === 'tls' ? serverNameOf(request) : undefined) };
}

function progress({ listener, route }: Landing): number {
  const leads = route && (route.backends.length > 0 || route.tls === 'handover');
  return (listener ? 1 : 0) + (route ? 1 : 0) + (leads ? 1 : 0) + (route && route.serverName !== '*' ? 1 : 0);
}
