/**
 * The packet rules of a local address, whoever holds them: DNS over UDP and TCP, and the health page, past connection
 * tracking in both directions, and past a firewall that takes tracked connections only. The twelve of node-cache
 * (kubernetes-sigs/node-local-dns, cmd/node-cache/app/cache_app.go), with its comments, so that those that it left
 * behind are known again.
 */
import type { Result } from '../../base/result.ts';
import type { LocalIp } from './settings.ts';

export type Table = 'raw' | 'filter';
export type Chain = 'PREROUTING' | 'INPUT' | 'OUTPUT';
export type Target = 'NOTRACK' | 'ACCEPT';

export interface PacketRule {
  readonly table: Table;
  readonly chain: Chain;
  readonly protocol: 'tcp' | 'udp';
  /** Whether address and port are those that the packet goes to, or comes from. */
  readonly side: 'destination' | 'source';
  readonly address: LocalIp;
  readonly port: number;
  readonly target: Target;
}

export interface RuleError {
  /** `iptables_lock`: another program holds the lock, later may do. */
  readonly type: 'iptables' | 'iptables_lock';
  readonly text: string;
}

export interface RuleBackend {
  readonly name: 'iptables' | 'nftables';
  /** Makes every rule be there exactly once. The value: how many were missing, or there more than once. */
  ensure(): Promise<Result<number, RuleError>>;
  /** Removes those that `leadsHere`, and leaves the others. */
  divert(): Promise<Result<number, RuleError>>;
  /** Removes every one, however often it is there. The value: how many there were. */
  remove(): Promise<Result<number, RuleError>>;
}

export interface RulePorts {
  readonly dnsPort: number;
  readonly healthPort: number;
}

export const comments: Readonly<Record<Target, string>> = {
  NOTRACK: 'NodeLocal DNS Cache: skip conntrack',
  ACCEPT: 'NodeLocal DNS Cache: allow DNS traffic',
};

/** One rule for any address; DNS goes over both protocols, the health page is HTTP. */
export interface RulePlace extends Pick<PacketRule, 'table' | 'chain' | 'side' | 'target'> {
  readonly door: 'dns' | 'health';
}

/** DNS in from Pods, out to them, from programs of the node itself; then kubelet's probes of the health page. */
export const rulePlaces: readonly RulePlace[] = [
  { door: 'dns', table: 'raw', chain: 'PREROUTING', side: 'destination', target: 'NOTRACK' },
  { door: 'dns', table: 'filter', chain: 'INPUT', side: 'destination', target: 'ACCEPT' },
  { door: 'dns', table: 'raw', chain: 'OUTPUT', side: 'source', target: 'NOTRACK' },
  { door: 'dns', table: 'filter', chain: 'OUTPUT', side: 'source', target: 'ACCEPT' },
  { door: 'dns', table: 'raw', chain: 'OUTPUT', side: 'destination', target: 'NOTRACK' },
  { door: 'health', table: 'raw', chain: 'OUTPUT', side: 'destination', target: 'NOTRACK' },
  { door: 'health', table: 'raw', chain: 'OUTPUT', side: 'source', target: 'NOTRACK' },
];

/**
 * Whether a rule makes queries come here instead of to the Service. Without these new queries go past us, while our
 * answers under way still leave untracked. Tracked ones would be worse than lost: the entry that an answer makes has
 * the client's next query as its reply, which therefore would not be translated to the Service.
 */
export function leadsHere({ side, target }: Pick<PacketRule, 'side' | 'target'>): boolean {
  return side === 'destination' && target === 'NOTRACK';
}

const protocolsOf = { dns: ['tcp', 'udp'], health: ['tcp'] } as const;

/** Twelve rules for each address. */
export function rulesOf(addresses: readonly LocalIp[], { dnsPort, healthPort }: RulePorts): PacketRule[] {
  const ports = { dns: dnsPort, health: healthPort };
  return addresses.flatMap((address) =>
    rulePlaces.flatMap(({ door, ...place }) =>
      protocolsOf[door].map((protocol): PacketRule => ({ ...place, protocol, address, port: ports[door] })),
    ),
  );
}
