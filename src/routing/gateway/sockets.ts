/** Sockets of the plan: the listeners of a Gateway that share a port become one, on each of its addresses. */
import { type Certificate, type Listener, type ListenerTls, listenerId, type StreamListener } from '../plan/plan.ts';
import type { Context } from './context.ts';
import { compareHostnames } from './hostnames.ts';
import { buildHosts, buildSni, type HostsMemory, type SourcedListener } from './hosts.ts';
import { backendCertificate, carriesHttp, type GatewayState, isServable, type ListenerState } from './model.ts';
import { buildStreams } from './streams.ts';

/** Ids of the sockets that a listener is served on; none when it is not served. */
export function socketIds(gateway: GatewayState, listener: ListenerState): string[] {
  if (gateway.fault || !isServable(listener)) return [];
  return gateway.addresses.usable.map((address) => listenerId(address, listener.port, listener.protocol!.protocol));
}

export interface Sockets {
  readonly listeners: readonly Listener[];
  readonly streams: readonly StreamListener[];
}

export function buildSockets(context: Context, gateway: GatewayState, memory: HostsMemory): Sockets {
  if (gateway.fault) return { listeners: [], streams: [] };
  const byPort = new Map<number, SourcedListener[]>();
  for (const listener of gateway.listeners) {
    const source = context.provenance(gateway.object, `spec.listeners[${listener.index}]`);
    const others = byPort.get(listener.port);
    if (others) others.push({ listener, source });
    else byPort.set(listener.port, [{ listener, source }]);
  }
  return {
    listeners: [...byPort].flatMap(([port, listeners]) => socketsOfPort(context, gateway, port, listeners, memory)),
    streams: [...byPort].flatMap(([port, listeners]) => buildStreams(context, gateway, port, listeners)),
  };
}

function socketsOfPort(
  context: Context,
  gateway: GatewayState,
  port: number,
  all: readonly SourcedListener[],
  memory: HostsMemory,
): Listener[] {
  // UDP ports are others than those of TCP with the same number.
  const listeners = all.filter(({ listener }) => listener.protocol?.protocol !== 'UDP');
  const served = listeners.filter(({ listener }) => isServable(listener) && carriesHttp(listener));
  // Of HTTP and HTTPS on one port all are conflicted and not served, so the first speaks for all.
  const protocol = served[0]?.listener.protocol?.protocol;
  if (protocol !== 'HTTP' && protocol !== 'HTTPS') return [];
  const clientCertificate = backendCertificate(gateway);
  const shared = {
    port,
    protocol,
    ...(protocol === 'HTTPS' && { tls: tlsOf(listeners, served) }),
    ...(clientCertificate && { backendClientCertificate: clientCertificate.id }),
    hosts: buildHosts(context, listeners, `${nameOf(gateway)}:${port}`, memory),
    sources: served.map(({ source }) => source),
  };
  return gateway.addresses.usable.map((address) => ({ id: listenerId(address, port, protocol), address, ...shared }));
}

function nameOf({ ref }: GatewayState): string {
  return `${ref.namespace ?? 'default'}/${ref.name}`;
}

/** `served` are of one port, and validation of clients goes by port: the first speaks for all. */
function tlsOf(listeners: readonly SourcedListener[], served: readonly SourcedListener[]): ListenerTls {
  const clientValidation = served[0]?.listener.clientValidation;
  const authorities = served.map(({ listener }) => listener.hostname).sort(compareHostnames);
  return {
    certificates: buildSni(listeners),
    ...(clientValidation && { clientValidation }),
    ...(authorities.length > 1 && { authorities }),
  };
}

/** Certificates that the sockets of a Gateway name. */
export function certificatesOf(gateway: GatewayState): Certificate[] {
  if (gateway.fault) return [];
  const shown = backendCertificate(gateway);
  const own = gateway.listeners.filter(isServable).flatMap((listener) => listener.loadedCertificates);
  return shown ? [...own, shown] : own;
}
