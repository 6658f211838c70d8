/**
 * UDP: one flow per client (address and port) and listener. A flow has a backend from its first datagram on and a
 * socket of its own towards an endpoint, so that what the endpoint sends finds its way back.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { plainAddress } from '../exchange/forwarded.ts';
import type { StreamSeries } from '../metrics/stream-series.ts';
import type { Runtime } from '../runtime.ts';
import { streamKeyOf } from '../upstream/balance/key.ts';
import type { Pool } from '../upstream/pool.ts';
import { nextTarget, type Upstream } from '../upstream/upstreams.ts';
import type { StreamDoor } from './connection.ts';
import { isLogged, type StreamFlag } from './record.ts';
import type { StreamTable } from './table.ts';

/** The socket that clients send to. */
export interface UdpDoor extends StreamDoor {
  readonly socket: Socket;
}

export interface UdpFlows {
  receive(door: UdpDoor, data: Buffer, client: RemoteInfo): void;
  /** Ends the flows of a listener that is closed. */
  drop(door: UdpDoor): void;
  /** Ends flows that were silent for too long. */
  sweep(): void;
  /** Tells the metrics what has moved. */
  count(): void;
  readonly size: number;
  close(): void;
}

interface Flow {
  readonly key: string;
  readonly door: UdpDoor;
  readonly client: RemoteInfo;
  readonly time: number;
  readonly began: number;
  readonly route: string;
  readonly series: StreamSeries | undefined;
  /** Absent: the flow fell to an invalid share, and its datagrams are dropped. */
  readonly upstream: Upstream | undefined;
  readonly refusal: string | undefined;
  /** The table that the flow was last found to agree with. */
  table: StreamTable;
  /** Absent while the backend has no endpoint. */
  pool: Pool | undefined;
  socket: Socket | undefined;
  /** Datagrams that came before the socket was connected; undefined from then on. */
  early: Buffer[] | undefined;
  moved: number;
  received: number;
  sent: number;
  /** What the series know of. */
  toldReceived: number;
  toldSent: number;
}

/** Datagrams kept while the socket towards an endpoint is being connected, which takes one tick. */
const maxEarly = 16;

export function createUdpFlows(runtime: Runtime): UdpFlows {
  const limits = runtime.settings.stream;
  /** Least recently active first. */
  const flows = new Map<string, Flow>();

  function end(flow: Flow, flag: StreamFlag, reason: string): void {
    if (!flows.delete(flow.key)) return;
    flow.socket?.close();
    if (flow.pool) flow.pool.active--;
    report(runtime, flow, flag, reason);
  }

  function touch(flow: Flow): void {
    flow.moved = runtime.now;
    flows.delete(flow.key);
    flows.set(flow.key, flow);
  }

  function begin(key: string, door: UdpDoor, client: RemoteInfo): Flow | undefined {
    const stream = door.table.find(undefined);
    const share = stream?.shares[stream.next()];
    if (!stream || !share) return undefined;
    if (flows.size >= limits.maxUdpFlows)
      end(flows.values().next().value!, 'evicted', 'as many UDP clients are remembered as may be');
    const flow: Flow = {
      key,
      door,
      client,
      time: Date.now(),
      began: performance.now(),
      route: stream.route.id,
      series: runtime.metrics?.streams.of(door.table.listener.id, stream.route.id),
      upstream: share.upstream,
      refusal: share.reason,
      table: door.table,
      pool: undefined,
      socket: undefined,
      early: undefined,
      moved: runtime.now,
      received: 0,
      sent: 0,
      toldReceived: 0,
      toldSent: 0,
    };
    flow.series?.begin();
    flows.set(key, flow);
    return flow;
  }

  /** A socket towards an endpoint, if there is one. */
  function open(flow: Flow): void {
    const { upstream, client } = flow;
    const pool = upstream && nextTarget(upstream, undefined, streamKeyOf(upstream, plainAddress(client.address)));
    if (!pool) return;
    pool.active++;
    const socket = createSocket({ type: familyOf(pool.address), lookup: numericLookup });
    flow.pool = pool;
    flow.socket = socket;
    flow.early = [];
    socket.on('message', (data) => {
      if (flow.socket !== socket || !flows.has(flow.key)) return;
      touch(flow);
      flow.sent += data.length;
      flow.door.socket.send(data, flow.client.port, flow.client.address, ignoreSendError);
    });
    // Refused: nobody listens there. The client's next datagram begins a flow to another endpoint.
    socket.on('error', (error) => end(flow, 'upstream_reset', error.message));
    socket.once('connect', () => {
      for (const data of flow.early ?? []) socket.send(data, ignoreSendError);
      flow.early = undefined;
    });
    socket.connect(pool.port, pool.address);
  }

  /** Whether plan and endpoints still lead where the flow goes. */
  function stillRight(flow: Flow): boolean {
    // One that does not answer any more would go on getting what its clients send without a pause.
    if (flow.pool && (flow.pool.draining || !flow.pool.serves)) return false;
    if (flow.table === flow.door.table) return true;
    if (!flow.upstream || !flow.door.table.leadsTo(flow.upstream)) return false;
    flow.table = flow.door.table;
    return true;
  }

  return {
    receive(door, data, client) {
      const key = `${door.table.listener.id} ${client.address} ${client.port}`;
      let flow = flows.get(key);
      if (flow && !stillRight(flow)) {
        end(flow, 'removed', 'the backend or endpoint is gone, or not ready any more');
        flow = undefined;
      }
      if (flow) touch(flow);
      else flow = begin(key, door, client);
      if (!flow) return;
      flow.received += data.length;
      if (!flow.socket) open(flow);
      if (!flow.socket) return;
      if (!flow.early) flow.socket.send(data, ignoreSendError);
      else if (flow.early.length < maxEarly) flow.early.push(data);
    },
    drop(door) {
      for (const flow of [...flows.values()]) if (flow.door === door) end(flow, 'removed', 'the listener is gone');
    },
    sweep() {
      const silentSince = runtime.now - limits.udpIdleTimeoutMs;
      for (const flow of flows.values()) {
        if (flow.moved > silentSince) return;
        end(flow, 'idle', 'no datagram for too long');
      }
    },
    count() {
      for (const flow of flows.values()) countFlow(flow);
    },
    get size() {
      return flows.size;
    },
    close() {
      for (const flow of [...flows.values()]) end(flow, 'shutdown', 'the data plane was closed');
    },
  };
}

function countFlow(flow: Flow): void {
  const { received, sent } = flow;
  flow.series?.bytes(received - flow.toldReceived, sent - flow.toldSent);
  flow.toldReceived = received;
  flow.toldSent = sent;
}

function report(runtime: Runtime, flow: Flow, ended: StreamFlag, reason: string): void {
  const { upstream, refusal, pool } = flow;
  const listener = flow.door.table.listener.id;
  const unanswered = upstream ? !pool && 'no_endpoints' : 'invalid_backend';
  const flag = unanswered || ended;
  const durationMs = performance.now() - flow.began;
  countFlow(flow);
  flow.series?.end(durationMs);
  runtime.metrics?.streams.flagged(listener, flag, upstream?.id);
  if (!runtime.onStream || !isLogged(runtime.settings.telemetry)) return;
  runtime.onStream({
    time: flow.time,
    listener,
    protocol: 'UDP',
    client: plainAddress(flow.client.address),
    clientPort: flow.client.port,
    route: flow.route,
    ...(upstream && { backend: upstream.id }),
    ...(pool && { endpoint: pool.key }),
    receivedBytes: flow.received,
    sentBytes: flow.sent,
    durationMs,
    attempts: pool ? 1 : 0,
    flag,
    reason: refusal ?? reason,
  });
}

export function familyOf(address: string): 'udp4' | 'udp6' {
  return isIPv6(address) ? 'udp6' : 'udp4';
}

/** Addresses are numeric: no resolver, no thread pool. */
export function numericLookup(
  address: string,
  _options: unknown,
  callback: (error: null, address: string, family: number) => void,
): void {
  callback(null, address, isIPv6(address) ? 6 : 4);
}

/** A datagram that the kernel would not take is lost, as UDP may lose any; refusals also arrive as 'error'. */
function ignoreSendError(): void {}
