/** Sockets of the plan: the listeners of a Gateway that share a port become one, on each of its addresses. */
import { type Certificate, type Listener, listenerId } from '../plan/plan.ts';
import type { Context } from './context.ts';
import { buildHosts, buildSni, type SourcedListener } from './hosts.ts';
import { type GatewayState, isServable, type ListenerState } from './model.ts';

/** Ids of the sockets that a listener is served on; none when it is not served. */
export function socketIds(gateway: GatewayState, listener: ListenerState): string[] {
  if (gateway.fault || !isServable(listener)) return [];
  return gateway.addresses.usable.map((address) => listenerId(address, listener.port, listener.protocol!.protocol));
}

export function buildSockets(context: Context, gateway: GatewayState): Listener[] {
  if (gateway.fault) return [];
  const byPort = new Map<number, SourcedListener[]>();
  for (const listener of gateway.listeners) {
    const source = context.provenance(gateway.object, `spec.listeners[${listener.index}]`);
    const others = byPort.get(listener.port);
    if (others) others.push({ listener, source });
    else byPort.set(listener.port, [{ listener, source }]);
  }
  return [...byPort].flatMap(([port, listeners]) => socketsOfPort(context, gateway, port, listeners));
}

function socketsOfPort(
  context: Context,
  gateway: GatewayState,
  port: number,
  listeners: readonly SourcedListener[],
): Listener[] {
  const served = listeners.filter(({ listener }) => isServable(listener));
  // Listeners of one port that differ in protocol are conflicted and not served, so the first speaks for all.
  const protocol = served[0]?.listener.protocol?.protocol;
  if (!protocol) return [];
  const shared = {
    port,
    protocol,
    ...(protocol === 'HTTPS' && { tls: { certificates: buildSni(listeners) } }),
    hosts: buildHosts(context, listeners),
    sources: served.map(({ source }) => source),
  };
  return gateway.addresses.usable.map((address) => ({ id: listenerId(address, port, protocol), address, ...shared }));
}

/** Certificates that the sockets of a Gateway name. */
export function certificatesOf(gateway: GatewayState): Certificate[] {
  return gateway.fault ? [] : gateway.listeners.filter(isServable).flatMap((listener) => listener.loadedCertificates);
}
