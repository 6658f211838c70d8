/** UDP to Services: one flow per client and listening socket, each with its own socket towards an endpoint. */
import dgram from 'node:dgram';
import type { Binding } from '../bind.ts';
import type { Endpoint } from '../endpoints.ts';
import { numericLookup, type OpenDatagramSocket } from '../listen.ts';
import type { ForwardLimits } from './limits.ts';
import type { Target } from './target.ts';

export interface UdpForwarding {
  readonly limits: ForwardLimits;
  place(endpoint: Endpoint): Binding | undefined;
  /** A client was forgotten early to make room. */
  onEviction(): void;
}

/** The socket that clients send to. */
export interface UdpDoor {
  /** Identity of the socket, see `socketKey`. */
  readonly key: string;
  readonly socket: OpenDatagramSocket;
  readonly target: Target;
}

export interface UdpFlows {
  receive(door: UdpDoor, data: Buffer, client: dgram.RemoteInfo): void;
  /** Ends flows to endpoints of the target that take no traffic any more; their clients get another one. */
  dropUnusable(target: Target): void;
  /** Ends the flows of a listening socket that was closed. */
  dropDoor(key: string): void;
  size(): number;
  close(): void;
}

interface Flow {
  readonly key: string;
  readonly door: string;
  readonly target: Target;
  readonly endpoint: Endpoint;
  readonly upstream: dgram.Socket;
  /** Datagrams that came before the upstream socket was connected; undefined from then on. */
  early: Buffer[] | undefined;
  lastActive: number;
}

/** Datagrams kept while the upstream socket is being connected, which takes one tick. */
const earlyDatagrams = 16;

export function createUdpFlows(forwarding: UdpForwarding): UdpFlows {
  const { limits } = forwarding;
  /** Least recently active first. */
  const flows = new Map<string, Flow>();
  let sweeper: NodeJS.Timeout | undefined;

  function end(flow: Flow): void {
    if (!flows.delete(flow.key)) return;
    flow.upstream.close();
    if (flows.size > 0) return;
    clearInterval(sweeper);
    sweeper = undefined;
  }

  function touch(flow: Flow): void {
    flow.lastActive = Date.now();
    flows.delete(flow.key);
    flows.set(flow.key, flow);
  }

  function sweep(): void {
    const silentSince = Date.now() - limits.udpIdleMs;
    for (const flow of flows.values()) {
      if (flow.lastActive > silentSince) return;
      end(flow);
    }
  }

  function choose(target: Target, client: string): { endpoint: Endpoint; place: Binding } | undefined {
    for (const endpoint of target.candidates(client)) {
      const place = forwarding.place(endpoint);
      if (place) return { endpoint, place };
    }
    return undefined;
  }

  function open(key: string, door: UdpDoor, client: dgram.RemoteInfo): Flow | undefined {
    const choice = choose(door.target, client.address);
    if (!choice) return undefined;
    if (flows.size >= limits.udpFlows) {
      end(flows.values().next().value!);
      forwarding.onEviction();
    }
    const upstream = dgram.createSocket({ type: 'udp4', lookup: numericLookup });
    const flow: Flow = {
      key,
      door: door.key,
      target: door.target,
      endpoint: choice.endpoint,
      upstream,
      early: [],
      lastActive: Date.now(),
    };
    upstream.on('message', (data) => {
      if (!flows.has(key)) return;
      touch(flow);
      door.socket.send(data, client.port, client.address);
    });
    // Refused: the endpoint is gone. The next datagram of the client starts a flow to another one.
    upstream.on('error', () => end(flow));
    upstream.once('connect', () => {
      for (const data of flow.early ?? []) upstream.send(data, ignoreSendError);
      flow.early = undefined;
    });
    upstream.connect(choice.place.port, choice.place.address);
    door.target.chose(client.address, choice.endpoint);
    flows.set(key, flow);
    sweeper ??= setInterval(sweep, Math.max(50, limits.udpIdleMs / 4)).unref();
    return flow;
  }

  return {
    receive(door, data, client) {
      const key = `${door.key} ${client.address}:${client.port}`;
      let flow = flows.get(key);
      if (flow && flow.target !== door.target) {
        end(flow);
        flow = undefined;
      }
      if (flow) touch(flow);
      else flow = open(key, door, client);
      if (!flow) return;
      if (!flow.early) flow.upstream.send(data, ignoreSendError);
      else if (flow.early.length < earlyDatagrams) flow.early.push(data);
    },
    dropUnusable(target) {
      for (const flow of [...flows.values()]) if (flow.target === target && !target.usable(flow.endpoint)) end(flow);
    },
    dropDoor(key) {
      for (const flow of [...flows.values()]) if (flow.door === key) end(flow);
    },
    size: () => flows.size,
    close() {
      for (const flow of [...flows.values()]) end(flow);
    },
  };
}

/** A datagram that the kernel would not take is lost, as UDP may lose any; refusals also arrive as 'error'. */
function ignoreSendError(): void {}
