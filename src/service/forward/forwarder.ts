/**
 * Makes the addresses of Services work on loopback: TCP connections and UDP datagrams to ClusterIPs, LoadBalancer
 * addresses, external IPs and NodePorts are carried to endpoints in userspace. Sockets follow the Services; a change
 * of one Service touches neither the sockets nor the connections of another.
 */
import type { Socket } from 'node:net';
import { type Diagnostic, diagnostic, formatRef } from '../../base/diagnostics/index.ts';
import type { Logger } from '../../base/log.ts';
import { keyOf, refOf } from '../../kube/resources.ts';
import { createReconciler } from '../../kube/store/reconciler.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import type { Service } from '../../kube/types/index.ts';
import type { Binding, BindPolicy, L4Protocol } from '../bind.ts';
import type { Endpoint } from '../endpoints.ts';
import { boundless, type SocketShare } from '../socket-room.ts';
import { watchEndpoints } from '../watch-endpoints.ts';
import { type Claim, createClaimBook } from './claims.ts';
import { createDoors } from './doors.ts';
import { defaultForwardLimits, type ForwardLimits } from './limits.ts';
import { createTarget, type Target, targetId } from './target.ts';
import { createUdpFlows } from './udp.ts';
import { socketKey, type Unserved, type WantedSocket, wantedSockets } from './wanted.ts';

export interface ServiceForwarderOptions {
  store: StoreReader;
  policy: BindPolicy;
  /** Addresses of the node, for NodePorts; 127.0.0.1 comes on top. */
  nodeAddresses: readonly string[];
  /** Addresses that somebody else serves (the DNS and API doors): left alone, without a finding. */
  reserved?: (address: string, port: number, protocol: L4Protocol) => boolean;
  /** Sockets that may be open. Default: as many as Services want. */
  room?: SocketShare;
  limits?: Partial<ForwardLimits>;
  log?: Logger;
}

export interface ForwardedSocket {
  readonly address: string;
  readonly port: number;
  readonly protocol: L4Protocol;
  readonly role: WantedSocket['role'];
  /** `namespace/name`. */
  readonly service: string;
  /** Where it really listens. */
  readonly bound: Binding;
  readonly state: 'opening' | 'open' | 'failed';
  readonly error?: string;
}

export interface ServiceForwarder {
  /** Resolves when each socket of the Services in the store is open or has failed; from then on follows the store. */
  start(): Promise<void>;
  /** Closes all sockets and cuts all connections. */
  stop(): void;
  sockets(): ForwardedSocket[];
  /** What is wrong now: sockets that could not be opened, contested addresses, limits reached. */
  diagnostics(): Diagnostic[];
  /** Connections and UDP clients carried now, and those turned away since the start. */
  load(): { connections: number; udpFlows: number; refusedConnections: number; evictedUdpFlows: number };
}

/** Nothing is opened before `start`. */
export function createServiceForwarder(options: ServiceForwarderOptions): ServiceForwarder {
  const { store, policy } = options;
  const limits: ForwardLimits = { ...defaultForwardLimits, ...options.limits };
  const targets = new Map<string, Target>();
  /** Ids of the targets of each Service. */
  const targetsOf = new Map<string, Set<string>>();
  const unservedOf = new Map<string, { service: Service; unserved: readonly Unserved[] }>();
  const connections = new Set<Socket>();
  let refusedConnections = 0;
  let evictedUdpFlows = 0;
  let retrying: NodeJS.Timeout | undefined;

  function place(endpoint: Endpoint, protocol: L4Protocol): Binding | undefined {
    const there = policy.map(endpoint.address, endpoint.port, protocol);
    // Virtual addresses are no valid endpoints (API documentation of EndpointSlice); dialling our own sockets
    // could go round for ever.
    return there.port === 0 || doors.owns(protocol, there) ? undefined : there;
  }

  function admit(socket: Socket): boolean {
    if (connections.size >= limits.connections) {
      refusedConnections++;
      return false;
    }
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
    return true;
  }

  const flows = createUdpFlows({
    limits,
    place: (endpoint) => place(endpoint, 'UDP'),
    onEviction: () => void evictedUdpFlows++,
  });
  const doors = createDoors({
    policy,
    tcp: { limits, place: (endpoint) => place(endpoint, 'TCP') },
    udp: flows,
    room: options.room ?? boundless,
    admit,
    trouble: (door, error) => options.log?.warn({ socket: door.key, error: error.message }, 'Service socket'),
  });
  const book = createClaimBook(doors.assign);

  const endpoints = watchEndpoints(store, {
    onChange(changed) {
      for (const [id, set] of changed) {
        const target = targets.get(id);
        if (!target) continue;
        target.setEndpoints(set ?? []);
        flows.dropUnusable(target);
      }
    },
  });

  /** The target of a port that the Service keeps is kept too, with its turn and its affinity. */
  function targetFor(key: string, service: Service, wanted: WantedSocket): Target {
    const id = targetId(key, wanted.servicePort);
    const known = targets.get(id);
    if (known) return known;
    const target = createTarget(id, key, { affinityClients: limits.affinityClients, now: Date.now });
    targets.set(id, target);
    endpoints.add({
      id,
      namespace: service.metadata.namespace ?? '',
      service: service.metadata.name,
      port: wanted.servicePort.port,
      protocol: wanted.protocol,
    });
    // The socket may open before the next macrotask; its first client should find the endpoints.
    endpoints.flush();
    return target;
  }

  function dropTargets(key: string, keep: ReadonlySet<string>): void {
    for (const id of targetsOf.get(key) ?? []) {
      if (keep.has(id)) continue;
      targets.delete(id);
      endpoints.forget(id);
    }
    if (keep.size > 0) targetsOf.set(key, new Set(keep));
    else targetsOf.delete(key);
  }

  function reconcile(key: string): void {
    const service = store.get<Service>('services', key);
    const { sockets, unserved } = service
      ? wantedSockets(service, options.nodeAddresses)
      : { sockets: [], unserved: [] };
    if (service && unserved.length > 0) unservedOf.set(key, { service, unserved });
    else unservedOf.delete(key);

    const claims: Claim[] = [];
    for (const wanted of service ? sockets : []) {
      if (options.reserved?.(wanted.address, wanted.port, wanted.protocol)) continue;
      const target = targetFor(key, service!, wanted);
      target.configure(service!.spec);
      claims.push({ service: key, ref: refOf(service!), wanted, target });
    }
    book.replace(key, claims);
    dropTargets(key, new Set(claims.map((claim) => claim.target.id)));
  }

  const reconciler = createReconciler({
    store,
    watch: { services: (change) => [keyOf(change.object)] },
    reconcile,
    onError: (error, key) => options.log?.error({ service: key, error: String(error) }, 'forwarding of a Service'),
  });

  return {
    async start() {
      reconciler.drain();
      await doors.settled();
      reconciler.start();
      retrying ??= setInterval(doors.retry, limits.retryMs).unref();
    },
    stop() {
      reconciler.stop();
      endpoints.stop();
      clearInterval(retrying);
      retrying = undefined;
      doors.close();
      flows.close();
      for (const socket of connections) socket.destroy();
    },
    sockets: () =>
      [...doors.all()].map(({ claim, bound, state, error }) => ({
        address: claim.wanted.address,
        port: claim.wanted.port,
        protocol: claim.wanted.protocol,
        role: claim.wanted.role,
        service: claim.service,
        bound,
        state,
        ...(error !== undefined && { error }),
      })),
    diagnostics: () => [
      ...doors.diagnostics(),
      ...book.contested().map(contestFinding),
      ...[...unservedOf.values()].flatMap(unservedFindings),
      ...limitFindings(refusedConnections, evictedUdpFlows, limits),
    ],
    load: () => ({ connections: connections.size, udpFlows: flows.size(), refusedConnections, evictedUdpFlows }),
  };
}

function contestFinding({ loser, owner }: { loser: Claim; owner: Claim }): Diagnostic {
  return diagnostic('FW5103', {
    message: `${socketKey(loser.wanted)} already belongs to ${formatRef(owner.ref)}`,
    object: loser.ref,
    fieldPath: loser.wanted.fieldPath,
  });
}

function unservedFindings({ service, unserved }: { service: Service; unserved: readonly Unserved[] }): Diagnostic[] {
  return unserved.map(({ fieldPath, message }) => diagnostic('FW5104', { message, object: refOf(service), fieldPath }));
}

function limitFindings(refused: number, evicted: number, limits: ForwardLimits): Diagnostic[] {
  const findings: Diagnostic[] = [];
  if (refused > 0) {
    const message = `${refused} connections were refused: ${limits.connections} were open`;
    findings.push(diagnostic('FW5105', { message }));
  }
  if (evicted > 0) {
    const message = `${evicted} UDP clients were forgotten early: ${limits.udpFlows} were remembered`;
    findings.push(diagnostic('FW5105', { message }));
  }
  return findings;
}
