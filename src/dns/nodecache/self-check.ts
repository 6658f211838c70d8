/** Asks our own server, over the network as a Pod would, whether it answers. */
import { canonicalIp } from '../../base/ip.ts';
import { exchangeTcp, exchangeUdp } from '../plugins/forward/exchange.ts';
import type { DnsDoor } from '../server/listeners.ts';
import { encodeQuery } from '../wire/ask.ts';
import { recordClass, recordType } from '../wire/numbers.ts';
import { parseQuery, type Query } from '../wire/query.ts';

export interface SelfCheckOptions {
  readonly addresses: readonly string[];
  readonly port: number;
  /** For one answer, milliseconds. Default 1,000. */
  readonly timeoutMs?: number;
}

export interface SelfCheckResult {
  /** How many addresses answered over both protocols. */
  readonly good: number;
  /** What is wrong with the others, one text for each. */
  readonly faults: readonly string[];
}

const exchanges = [
  { protocol: 'UDP', exchange: exchangeUdp },
  { protocol: 'TCP', exchange: exchangeTcp },
];

/** A server's name for itself (RFC 4892): answered or refused at once, without an upstream and without the cache. */
function question(): Query {
  const parsed = parseQuery(encodeQuery('id.server.', recordType.TXT, { class: recordClass.CH }));
  if (!parsed.ok) throw new Error('the question of the self check is no query');
  return parsed.query;
}

/** The answer's rcode does not matter: a server that refuses is one that answers. */
export async function selfCheck({ addresses, port, timeoutMs = 1000 }: SelfCheckOptions): Promise<SelfCheckResult> {
  async function faultOf(address: string): Promise<string | undefined> {
    const faults = await Promise.all(
      exchanges.map(async ({ protocol, exchange }) => {
        const answer = await exchange(question(), { address, port }, { timeoutMs });
        return answer.ok ? undefined : `${address} port ${port} over ${protocol}: ${answer.error}`;
      }),
    );
    return faults.find((fault) => fault !== undefined);
  }
  const all = await Promise.all(addresses.map(faultOf));
  const faults = all.filter((fault) => fault !== undefined);
  return { good: addresses.length - faults.length, faults };
}

/** What to ask where a server listens on every address. */
const everywhere: Readonly<Record<string, string>> = { '': '127.0.0.1', '0.0.0.0': '127.0.0.1', '::': '::1' };

export interface ServerCheckOptions {
  readonly port: number;
  /** Those that must answer. Default: those that the server is bound to. */
  readonly addresses?: readonly string[];
}

/**
 * Checks a server by its doors. With an address among those wanted that it does not serve, none counts as good: another
 * server may answer there now, and nobody would once packets are led here.
 */
export async function checkServer(
  doors: readonly DnsDoor[],
  { port, addresses }: ServerCheckOptions,
): Promise<SelfCheckResult> {
  const own = doors.filter((door) => door.transport === 'dns' && door.port === port);
  const bound = new Set(own.map(({ address }) => canonicalIp(address) ?? address));
  const open = [...bound].some((address) => address in everywhere);
  const wanted = addresses ?? [...bound].map((address) => everywhere[address] ?? address);
  const unserved = wanted.filter((address) => addresses && !open && !bound.has(address));
  if (wanted.length === 0) return { good: 0, faults: [`the Corefile serves nothing on port ${port}`] };
  if (unserved.length > 0)
    return { good: 0, faults: unserved.map((address) => `the Corefile does not serve ${address} port ${port}`) };
  return selfCheck({ addresses: wanted, port });
}
