/**
 * Who answers a Pod's queries: the cluster's DNS, asked in this process over the same records and plugins that
 * `fairway up` serves, and other nameservers over the network where that is wanted.
 */
import { frontDoorNames } from '../control/front-door-names.ts';
import { createClusterDns } from '../dns/cluster-dns.ts';
import { exchangeUdp } from '../dns/plugins/forward/exchange.ts';
import { parseUpstream, resolvConfNameservers } from '../dns/plugins/forward/upstreams.ts';
import type { Trace, TraceQuestion } from '../dns/trace/trace.ts';
import { parseQuery } from '../dns/wire/query.ts';
import { type Ask, askThrough } from './lookup/exchange.ts';
import type { World } from './world.ts';

export interface Asker {
  readonly ask: Ask;
  /** What the plugins of the cluster's DNS do for one question. */
  trace(question: TraceQuestion): Promise<Trace>;
  close(): Promise<void>;
}

export interface AskerOptions {
  /**
   * Send queries to nameservers outside the cluster. Without it they go unanswered: a question about manifests is
   * answered from manifests.
   */
  network: boolean;
  /** Milliseconds for one query over the network. Default 2,000. */
  timeoutMs?: number;
}

export function createAsker(world: World, { network, timeoutMs = 2000 }: AskerOptions): Asker {
  const cluster = new Set(world.dnsAddresses);
  const dns = createClusterDns({
    store: world.store,
    clusterDomain: world.clusterDomain,
    // Never started: the addresses only keep it from forwarding to itself.
    listen: world.dnsAddresses.map((address) => ({ address, port: 53 })),
    upstreams: network ? resolvConfNameservers(world.nodeResolvConf ?? '') : [],
    upstreamTimeoutMs: timeoutMs,
  });
  dns.changeFrontDoorNames(frontDoorNames(world.plan));

  async function answer(query: Uint8Array, server: string): Promise<Uint8Array | undefined> {
    if (cluster.has(server)) return dns.answer(query);
    const upstream = network ? parseUpstream(server) : undefined;
    const parsed = parseQuery(query);
    if (!upstream || !parsed.ok) return undefined;
    // No answer in time and an unreachable server are the same to a resolver.
    const reply = await exchangeUdp(parsed.query, upstream, { timeoutMs });
    return reply.ok ? reply.value : undefined;
  }

  return { ask: askThrough(answer), trace: (question) => dns.trace(question), close: () => dns.close() };
}
