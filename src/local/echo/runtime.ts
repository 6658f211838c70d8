/**
 * Echo Pods: a PodRuntime that answers on every port of every Pod with what the Gateway API conformance echo server
 * answers, in this process. All Pods share one HTTP/1.1 and one HTTP/2 server; a Pod itself costs a few kilobytes.
 */
import type { Socket } from 'node:net';
import type { Logger } from '../../base/log.ts';
import { keyOf } from '../../kube/resources.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import type { Pod } from '../../kube/types/index.ts';
import type { BindPolicy } from '../../service/bind.ts';
import { boundless, type SocketShare } from '../../service/socket-room.ts';
import type { PodRuntime, PodState } from '../runtime.ts';
import { certificateOf } from './certificates.ts';
import { defaultEchoLimits, type EchoLimits } from './limits.ts';
import { podPorts } from './pod-ports.ts';
import { createPodProcess, type PodProcess, type PodSurroundings } from './pod-process.ts';
import { createEchoServers } from './servers.ts';
import { createServiceTargets } from './service-targets.ts';

export interface EchoRuntimeOptions {
  policy: BindPolicy;
  /**
   * Where Secrets with Pods' certificates and Services are found. Without it no Pod speaks TLS, and Pods that declare
   * no port listen on none that only a Service names.
   */
  store?: StoreReader;
  /** Listening sockets that may be open. Default: as many as Pods have ports. */
  room?: SocketShare;
  limits?: Partial<EchoLimits>;
  log?: Logger;
}

interface Running {
  pod: Pod;
  readonly process: PodProcess;
  state: PodState['type'] | 'starting';
}

/** Each Pod listens on its own address (the node's, with hostNetwork), once it has one. */
export function createEchoRuntime(options: EchoRuntimeOptions): PodRuntime {
  const { store, policy } = options;
  const limits: EchoLimits = { ...defaultEchoLimits, ...options.limits };
  const servers = createEchoServers(limits);
  const pods = new Map<string, Running>();
  const listeners = new Set<(key: string, state: PodState) => void>();
  const connections = new Set<Socket>();
  const changedNamespaces = new Set<string>();
  let refresh: NodeJS.Immediate | undefined;

  const around: PodSurroundings = {
    policy,
    limits,
    servers,
    udpPlaces: new Set(),
    room: options.room ?? boundless,
    admit(socket) {
      if (connections.size >= limits.connections) return false;
      connections.add(socket);
      socket.once('close', () => connections.delete(socket));
      return true;
    },
    certificate: (pod, container) => (store ? certificateOf(pod, container, store) : undefined),
    trouble: (pod, error) => options.log?.warn({ pod: keyOf(pod), error: error.message }, 'echo Pod'),
  };
  const targets = store && createServiceTargets(store, noteServices);
  const retrying = setInterval(() => {
    for (const running of pods.values()) if (running.state === 'failing') running.process.retry();
  }, limits.retryMs).unref();

  function emit(key: string, state: PodState): void {
    for (const listener of listeners) listener(key, state);
  }

  /** Services may name ports of Pods that declare none; looked at once per macrotask. */
  function noteServices(namespace: string): void {
    changedNamespaces.add(namespace);
    refresh ??= setImmediate(() => {
      refresh = undefined;
      for (const running of pods.values())
        if (changedNamespaces.has(running.pod.metadata.namespace ?? '')) apply(running);
      changedNamespaces.clear();
    });
  }

  function start(key: string, pod: Pod): Running {
    const process = createPodProcess(pod, around, (state) => {
      running.state = state.type;
      if (state.type === 'failing') options.log?.warn({ pod: key, reason: state.message }, 'echo Pod');
      emit(key, state);
    });
    const running: Running = { pod, process, state: 'starting' };
    pods.set(key, running);
    return running;
  }

  function apply({ pod, process }: Running): void {
    const address = addressOf(pod);
    if (address === undefined) return;
    process.update(
      pod,
      address,
      podPorts(pod, () => targets?.portsOf(pod) ?? [], limits.portsPerPod),
    );
  }

  return {
    ensure(pod) {
      const key = keyOf(pod);
      const known = pods.get(key);
      if (known && sameForUs(known.pod, pod)) return;
      const running = known ?? start(key, pod);
      running.pod = pod;
      apply(running);
    },
    remove(key) {
      const running = pods.get(key);
      if (!running) return;
      pods.delete(key);
      running.process.close();
      process.nextTick(emit, key, { type: 'stopped' } satisfies PodState);
    },
    onState: (listener) => void listeners.add(listener),
    logs: (key, container) => pods.get(key)?.process.logs(container),
    async close() {
      clearInterval(retrying);
      if (refresh) clearImmediate(refresh);
      targets?.stop();
      listeners.clear();
      servers.close();
      for (const running of pods.values()) running.process.close();
      pods.clear();
      await Promise.all([...connections].map(closed));
    },
  };
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

/** The Pod's IPv4 address, or the node's for hostNetwork; undefined until it has one. */
function addressOf(pod: Pod): string | undefined {
  const { podIP, podIPs = [], hostIP } = pod.status ?? {};
  const candidates = [podIP, ...podIPs.map(({ ip }) => ip), ...(pod.spec.hostNetwork ? [hostIP] : [])];
  return candidates.find((address) => address?.includes('.'));
}

/** Whether nothing changed that a runtime looks at; most changes of a Pod are of its status. */
function sameForUs(a: Pod, b: Pod): boolean {
  return (
    a.spec === b.spec &&
    a.metadata.labels === b.metadata.labels &&
    a.metadata.annotations === b.metadata.annotations &&
    addressOf(a) === addressOf(b)
  );
}
