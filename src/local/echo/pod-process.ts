/** One running echo Pod: its listeners, its connections, its logs. Small, because there may be thousands. */
import type { Socket } from 'node:net';
import type { Pod } from '../../kube/types/index.ts';
import type { BindPolicy } from '../../service/bind.ts';
import { bindFailure, type OpenDatagramSocket, type OpenListener, openTcp, openUdp } from '../../service/listen.ts';
import { portHolder } from '../../service/port-holder.ts';
import { noRoom, type SocketShare } from '../../service/socket-room.ts';
import type { PodLog, PodState } from '../runtime.ts';
import type { ServerCertificate } from './certificates.ts';
import type { EchoPort } from './connection.ts';
import { udpAnswer } from './l4-echo.ts';
import type { EchoLimits } from './limits.ts';
import { createLogRing, type LogRing } from './log-ring.ts';
import { forcedStatus, listOf } from './pod-identity.ts';
import type { PodPort } from './pod-ports.ts';
import type { EchoServers } from './servers.ts';

export interface PodProcess {
  /** Opens and closes ports until exactly these are open; ports that stay are not touched. */
  update(pod: Pod, address: string, ports: readonly PodPort[]): void;
  /** Tries ports again that could not be opened. */
  retry(): void;
  logs(container?: string): PodLog | undefined;
  close(): void;
}

/** What Pods share. */
export interface PodSurroundings {
  readonly policy: BindPolicy;
  readonly limits: EchoLimits;
  readonly servers: EchoServers;
  /** Real places of all UDP echo sockets, `address:port`: two of them must not answer each other for ever. */
  readonly udpPlaces: Set<string>;
  /** Listening sockets that may be open. */
  readonly room: SocketShare;
  /** False when too many connections are open. */
  admit(socket: Socket): boolean;
  certificate(pod: Pod, container: string): ServerCertificate | undefined;
  /** An open socket reported an error. */
  trouble(pod: Pod, error: Error): void;
}

interface OpenPort {
  readonly address: string;
  pod: PodPort;
  state: 'opening' | 'open' | 'failed';
  error?: string;
  listener?: OpenListener;
  hasRoom: boolean;
}

export function createPodProcess(first: Pod, around: PodSurroundings, onState: (state: PodState) => void): PodProcess {
  const { limits, policy } = around;
  const open = new Map<string, OpenPort>();
  const connections = new Set<Socket>();
  const retries = new Map<string, number>();
  let logs: Map<string, LogRing> | undefined;
  let pod = first;
  let told: string | undefined;
  let closed = false;
  let wantsRoom = false;

  function logOf(container: string): LogRing {
    logs ??= new Map();
    let ring = logs.get(container);
    if (!ring) {
      ring = createLogRing({ maxLines: limits.logLines, maxChars: limits.logChars, now: Date.now });
      logs.set(container, ring);
      for (const { pod: port, address } of open.values())
        if (port.container === container) ring.append(`Listening on ${address}:${port.port}/${port.protocol}`);
    }
    return ring;
  }

  function echoPort(port: PodPort): EchoPort {
    return {
      port: port.port,
      identity: port.identity,
      h2cOnly: port.speech === 'h2c-only',
      // Asked for each request: changing the annotation works on connections that are already open.
      get status() {
        return forcedStatus(pod);
      },
      retries,
      log: (text) => logOf(port.container).append(text),
    };
  }

  function accept(socket: Socket, port: PodPort): void {
    if (!around.admit(socket)) {
      socket.resetAndDestroy();
      return;
    }
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
    around.servers.accept(socket, echoPort(port), port.speech, () => around.certificate(pod, port.container));
  }

  function leave(entry: OpenPort): void {
    if (entry.hasRoom) around.room.give(1);
    entry.hasRoom = false;
  }

  function shut(entry: OpenPort): void {
    entry.listener?.close();
    leave(entry);
  }

  /** A Pod has all of its ports or waits: half of them are of no use to anybody. */
  function startAll(entries: readonly (readonly [string, OpenPort])[]): void {
    const fits = around.room.take(entries.length);
    wantsRoom = !fits;
    for (const [key, entry] of entries) {
      entry.hasRoom = fits;
      if (fits) start(key, entry);
      else Object.assign(entry, { state: 'failed', error: noRoom(around.room) });
    }
  }

  function start(key: string, entry: OpenPort): void {
    entry.state = 'opening';
    const { port, protocol } = entry.pod;
    const place = policy.map(entry.address, port, protocol);
    const outcome = (error?: NodeJS.ErrnoException) => {
      if (error) leave(entry);
      if (open.get(key) !== entry) return;
      entry.state = error ? 'failed' : 'open';
      if (error) {
        const holder = error.code === 'EADDRINUSE' ? portHolder(place, protocol) : undefined;
        const moved = place.port !== port || place.address !== entry.address;
        const where = `${entry.address}:${port}/${protocol}${moved ? ` (at ${place.address}:${place.port})` : ''}`;
        entry.error = `cannot listen on ${where}: ${bindFailure(error)}${holder ? ` by ${holder}` : ''}`;
      }
      report();
    };
    const trouble = (error: Error) => around.trouble(pod, error);
    entry.listener =
      protocol === 'TCP'
        ? openTcp(place, (socket) => accept(socket, entry.pod), outcome, trouble)
        : startUdp(entry, `${place.address}:${place.port}`, place, outcome, trouble);
  }

  function startUdp(entry: OpenPort, name: string, ...[place, outcome, trouble]: UdpArguments): OpenListener {
    const socket: OpenDatagramSocket = openUdp(
      place,
      (data, from) => {
        if (around.udpPlaces.has(`${from.address}:${from.port}`)) return;
        const answer = udpAnswer(data, from, entry.pod, (text) => logOf(entry.pod.container).append(text));
        socket.send(answer, from.port, from.address);
      },
      outcome,
      trouble,
    );
    around.udpPlaces.add(name);
    return {
      close() {
        around.udpPlaces.delete(name);
        socket.close();
      },
    };
  }

  /** Tells the state once all ports have an outcome, and again only when it changed. */
  function report(): void {
    const entries = [...open.values()];
    if (closed || entries.some(({ state }) => state === 'opening')) return;
    const errors = new Set(entries.flatMap(({ state, error }) => (state === 'failed' ? [error!] : [])));
    const message = [...errors].join('; ');
    if (message === told) return;
    told = message;
    const failing = { type: 'failing', message } as const;
    onState(!message ? { type: 'running' } : wantsRoom ? { ...failing, cause: 'wants-room' } : failing);
  }

  return {
    update(next, address, ports) {
      pod = next;
      const wanted = new Map(ports.map((port) => [`${port.protocol} ${address} ${port.port}`, port]));
      for (const [key, entry] of [...open]) {
        const port = wanted.get(key);
        if (port) {
          entry.pod = port;
          continue;
        }
        open.delete(key);
        shut(entry);
      }
      const fresh: [string, OpenPort][] = [];
      for (const [key, port] of wanted)
        if (!open.has(key)) fresh.push([key, { address, pod: port, state: 'opening', hasRoom: false }]);
      for (const [key, entry] of fresh) open.set(key, entry);
      if (fresh.length > 0) startAll(fresh);
      // A state is never told from within `update`: who calls it is still writing the Pod.
      process.nextTick(report);
    },
    retry() {
      const failed = [...open].filter(([, { state }]) => state === 'failed');
      if (failed.length > 0) startAll(failed);
      if (wantsRoom) report();
    },
    logs(container) {
      const names = [
        ...listOf<{ name: string }>(pod.spec.containers),
        ...listOf<{ name: string }>(pod.spec.initContainers),
      ];
      const name = container ?? names[0]?.name;
      return name !== undefined && names.some((it) => it.name === name) ? logOf(name) : undefined;
    },
    close() {
      closed = true;
      for (const entry of open.values()) shut(entry);
      open.clear();
      for (const socket of connections) socket.destroy();
    },
  };
}

type UdpArguments = [
  place: Parameters<typeof openUdp>[0],
  outcome: Parameters<typeof openUdp>[2],
  trouble: Parameters<typeof openUdp>[3],
];
