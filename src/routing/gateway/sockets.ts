/** Sockets of the plan: the listeners of a Gateway and its ListenerSets that share a port become one, on each of its addresses. */
import { addFindings, type Captured, capture } from '../incremental/capture.ts';
import { type Certificate, type Listener, type ListenerTls, listenerId, type StreamListener } from '../plan/plan.ts';
import type { Context } from './context.ts';
import { byServerName } from './distinct.ts';
import { compareHostnames } from './hostnames.ts';
import {
  buildHosts,
  buildSni,
  createHostsMemory,
  type HostsMemory,
  type Owner,
  ownerOf,
  type SourcedListener,
  turnHosts,
} from './hosts.ts';
import {
  type Attachment,
  backendCertificate,
  carriesHttp,
  type GatewayState,
  isServable,
  type ListenerState,
} from './model.ts';
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

/** Sockets of the translation before. */
export interface SocketsMemory {
  readonly hosts: HostsMemory;
  ports: WeakMap<GatewayState, readonly KnownPort[]>;
  /** Places of listeners, for as long as the object that they are written in is the same. */
  readonly sourced: WeakMap<ListenerState, SourcedListener & { readonly owner: ListenerState['owner'] }>;
}

interface KnownPort extends Captured<Sockets> {
  readonly port: number;
  readonly listeners: readonly SourcedListener[];
  /** Of each of the listeners. */
  readonly attachments: readonly (readonly Attachment[])[];
}

export function createSocketsMemory(): SocketsMemory {
  return { hosts: createHostsMemory(), ports: new WeakMap(), sourced: new WeakMap() };
}

/**
 * Sockets of all Gateways, each in turn. `isSame`: the Gateways are as they were the last time, so that only ports are
 * looked at that routes came to or went from.
 */
export function buildAllSockets(
  context: Context,
  gateways: readonly GatewayState[],
  memory: SocketsMemory,
  isSame: boolean,
): Sockets[] {
  if (!isSame) memory.ports = new WeakMap();
  const sockets = gateways.flatMap((gateway) => {
    const ports = portsOf(context, gateway, memory);
    memory.ports.set(gateway, ports);
    for (const { findings } of ports) addFindings(context, findings);
    return ports.map(({ value }) => value);
  });
  turnHosts(memory.hosts, isSame);
  return sockets;
}

function portsOf(context: Context, gateway: GatewayState, memory: SocketsMemory): readonly KnownPort[] {
  if (gateway.fault) return [];
  const build = (port: number, listeners: readonly SourcedListener[]): KnownPort => ({
    port,
    listeners,
    attachments: listeners.map(({ listener }) => listener.attachments),
    ...capture(context, () => ({
      listeners: socketsOfPort(context, gateway, port, listeners, memory.hosts),
      streams: buildStreams(context, gateway, port, listeners),
    })),
  });
  const known = memory.ports.get(gateway);
  if (!known) return [...groupByPort(context, gateway, memory)].map(([port, listeners]) => build(port, listeners));
  if (known.every(hasSameRoutes)) return known;
  return known.map((each) => (hasSameRoutes(each) ? each : build(each.port, each.listeners)));
}

function hasSameRoutes({ listeners, attachments }: KnownPort): boolean {
  return listeners.every(({ listener }, i) => listener.attachments === attachments[i]);
}

function groupByPort(
  context: Context,
  gateway: GatewayState,
  memory: SocketsMemory,
): ReadonlyMap<number, readonly SourcedListener[]> {
  const byPort = new Map<number, SourcedListener[]>();
  for (const listener of gateway.merged) {
    const sourced = sourcedListener(context, listener, memory);
    const others = byPort.get(listener.port);
    if (others) others.push(sourced);
    else byPort.set(listener.port, [sourced]);
  }
  return byPort;
}

function sourcedListener(context: Context, listener: ListenerState, { sourced }: SocketsMemory): SourcedListener {
  const { owner, index } = listener;
  const known = sourced.get(listener);
  if (known?.owner === owner) return known;
  const made = { listener, owner, source: context.provenance(owner.object, `spec.listeners[${index}]`) };
  sourced.set(listener, made);
  return made;
}

function socketsOfPort(
  context: Context,
  gateway: GatewayState,
  port: number,
  all: readonly SourcedListener[],
  memory: HostsMemory,
): Listener[] {
  const served = all.filter(({ listener }) => isServable(listener) && carriesHttp(listener));
  // Of HTTP and HTTPS on one port all are conflicted and not served, so the first speaks for all.
  const protocol = served[0]?.listener.protocol?.protocol;
  if (protocol !== 'HTTP' && protocol !== 'HTTPS') return [];
  // A listener that is not served keeps its names, but none that another protocol would have asked for it by.
  const listeners = all.filter(({ listener: { spec } }) => sharesNames(protocol, spec.protocol));
  const clientCertificate = backendCertificate(gateway);
  const owner = ownerOf(listeners);
  const shared = {
    port,
    protocol,
    ...(protocol === 'HTTPS' && { tls: tlsOf(listeners, served, owner) }),
    ...(clientCertificate && { backendClientCertificate: clientCertificate.id }),
    hosts: buildHosts(context, listeners, `${nameOf(gateway)}:${port}`, memory, owner),
    sources: served.map(({ source }) => source),
  };
  return gateway.addresses.usable.map((address) => ({ id: listenerId(address, port, protocol), address, ...shared }));
}

/** Whether listeners of two protocols at one port are told apart by hostname. */
function sharesNames(a: string, b: string): boolean {
  return a === b || (byServerName.has(a) && byServerName.has(b));
}

function nameOf({ ref }: GatewayState): string {
  return `${ref.namespace ?? 'default'}/${ref.name}`;
}

/** `served` are of one port, and validation of clients goes by port: the first speaks for all. */
function tlsOf(listeners: readonly SourcedListener[], served: readonly SourcedListener[], owner: Owner): ListenerTls {
  const clientValidation = served[0]?.listener.clientValidation;
  const authorities = served.map(({ listener }) => listener.hostname).sort(compareHostnames);
  return {
    certificates: buildSni(listeners, owner),
    ...(clientValidation && { clientValidation }),
    ...(authorities.length > 1 && { authorities }),
  };
}

/** Certificates that the sockets of a Gateway name. */
export function certificatesOf(gateway: GatewayState): Certificate[] {
  if (gateway.fault) return [];
  const shown = backendCertificate(gateway);
  const own = gateway.merged.filter(isServable).flatMap((listener) => listener.loadedCertificates);
  return shown ? [...own, shown] : own;
}
