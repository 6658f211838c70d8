/** The DNS of a local cluster: its own names, the public names of its front door, and everything else forwarded. */
import { readFileSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { type Diagnostic, diagnostic } from '../base/diagnostics/index.ts';
import { createLogger } from '../base/log.ts';
import type { StoreReader } from '../kube/store/store.ts';
import { createAcme } from './plugins/acme/acme.ts';
import { createForward } from './plugins/forward/forward.ts';
import { chooseUpstreams, resolvConfNameservers } from './plugins/forward/upstreams.ts';
import { createFrontDoor, type FrontDoorNames } from './plugins/frontdoor/frontdoor.ts';
import { createKubernetes } from './plugins/kubernetes/kubernetes.ts';
import { type Client, compileChain, type Plugin } from './plugins/plugin.ts';
import { createRecords, type PodMode } from './records/records.ts';
import { createSharedIndex } from './records/shared-index.ts';
import type { DnsMetrics } from './server/metrics.ts';
import { createResponder } from './server/responder.ts';
import { type BoundAddress, createDnsServer, type DnsLimits, type ListenAddress } from './server/server.ts';
import { type Trace, type TraceQuestion, traceQuery } from './trace/trace.ts';
import { createWhy } from './trace/why-kubernetes.ts';

export interface ClusterDnsOptions {
  store: StoreReader;
  /** `cluster.local`. */
  clusterDomain: string;
  listen: readonly ListenAddress[];
  /** Resolvers for all other names, as `address` or `address:port`. Default: the nameservers of `resolvConf`. */
  upstreams?: readonly string[];
  /** Default `/etc/resolv.conf`. */
  resolvConf?: string;
  /** Of cluster and front-door records, seconds. Default 5. */
  ttl?: number;
  /** `namespace/name` of the ConfigMap of open challenges of certificate authorities. Absent: none are answered. */
  challenges?: string;
  /** Default `insecure`, as kubeadm's Corefile has it. */
  podMode?: PodMode;
  limits?: DnsLimits;
  /** Largest response over UDP, bytes. Default 1,232. */
  maxUdpSize?: number;
  /** For one attempt at one upstream, ms. Default 2,000. */
  upstreamTimeoutMs?: number;
  clock?: Clock;
  /** Hears of exceptions while answering; their clients got SERVFAIL. Default: the log. */
  onError?(error: unknown): void;
}

export interface ClusterDns {
  /** Binds; every address is in the result, with the reason if it could not be bound. */
  start(): Promise<BoundAddress[]>;
  /** Public names (exact, or `*.` before a suffix) that have come or changed, and those that are gone: with no address. */
  changeFrontDoorNames(changes: FrontDoorNames): Diagnostic[];
  /** Asks without a socket: query in wire format to response in wire format. Works before `start` and without it. */
  answer(query: Uint8Array, client?: Client): Promise<Uint8Array | undefined>;
  /** What each plugin does for one question. */
  trace(question: TraceQuestion): Promise<Trace>;
  /** What is wrong: ExternalNames that lead nowhere, upstreams that cannot be used. */
  diagnostics(): Diagnostic[];
  metrics(): DnsMetrics;
  close(): Promise<void>;
}

const log = createLogger('dns');
const localClient: Client = { address: '127.0.0.1', port: 0, protocol: 'local' };

function namedUpstreams(options: ClusterDnsOptions): { named: readonly string[]; findings: Diagnostic[] } {
  if (options.upstreams) return { named: options.upstreams, findings: [] };
  const path = options.resolvConf ?? '/etc/resolv.conf';
  try {
    return { named: resolvConfNameservers(readFileSync(path, 'utf8')), findings: [] };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { named: [], findings: [diagnostic('FW4005', { message: `${path} cannot be read: ${reason}` })] };
  }
}

export function createClusterDns(options: ClusterDnsOptions): ClusterDns {
  const { store, clusterDomain, listen, ttl, clock } = options;
  const { named, findings } = namedUpstreams(options);
  const chosen = chooseUpstreams(named, listen);
  const upstreamFindings = [...findings, ...chosen.findings];
  if (chosen.upstreams.length === 0 && findings.length === 0)
    upstreamFindings.push(diagnostic('FW4005', { message: 'no upstream resolver is left to forward to' }));

  const addresses = [...new Set(listen.map(({ address }) => address))];
  const podMode = options.podMode ?? 'insecure';
  const shared = createSharedIndex({ store });
  const records = createRecords({
    ...{ store, clusterDomain, podMode, createIndex: shared.open },
    ownAddresses: () => addresses.filter((address) => address !== '0.0.0.0' && address !== '::'),
    ...(ttl !== undefined && { ttl }),
    ...(clock && { clock }),
  });
  const frontdoor = createFrontDoor(ttl === undefined ? {} : { ttl });
  const forward = createForward({
    upstreams: chosen.upstreams,
    ...(options.upstreamTimeoutMs !== undefined && { attemptTimeoutMs: options.upstreamTimeoutMs }),
  });
  const why = createWhy({
    ...{ zones: [records.zone], reverseZones: ['in-addr.arpa.', 'ip6.arpa.'], services: shared.index },
    ...{ store, everything: store, podMode, synced: () => true },
  });
  const { challenges: configMap } = options;
  const acme = configMap === undefined ? [] : [createAcme({ store, configMap, ttl: 1 })];
  const plugins: Plugin[] = [...acme, { ...createKubernetes({ records }), why }, frontdoor, forward];
  const chain = compileChain(plugins);
  const scope = { server: '', zone: '.', view: '', chain, plugins, observers: [], publishers: [] };
  const responder = createResponder({
    chain,
    recursionAvailable: chosen.upstreams.length > 0,
    onError: options.onError ?? ((error) => log.error({ error }, 'a query could not be answered')),
    ...(options.maxUdpSize !== undefined && { maxUdpSize: options.maxUdpSize }),
  });
  const server = createDnsServer({
    handler: responder.handle,
    listen,
    ...(options.limits && { limits: options.limits }),
  });

  return {
    start: () => server.start(),
    changeFrontDoorNames: (changes) => frontdoor.changeNames(changes),
    async answer(query, client = localClient) {
      const sent = await responder.handle(query, client);
      return sent instanceof Uint8Array ? sent : undefined;
    },
    trace: (question) => traceQuery([{ route: () => scope }], question),
    diagnostics: () => [...upstreamFindings, ...records.diagnostics()],
    metrics: () => responder.metrics(),
    async close() {
      await server.close();
      for (const plugin of plugins) plugin.close?.();
      shared.close();
    },
  };
}
