/** What a server has counted since it started. */
import { rcodeName, recordType, typeName } from '../wire/numbers.ts';

export interface DnsMetrics {
  /** Queries read, by transport (`udp`, `tcp`, `local`). */
  readonly queries: Readonly<Record<string, number>>;
  /** Queries by type; types without a name here are `other`, so that clients cannot make up rows. */
  readonly types: Readonly<Record<string, number>>;
  /** Responses by rcode. */
  readonly rcodes: Readonly<Record<string, number>>;
  /** Packets that are no queries and got no answer. */
  readonly dropped: number;
  /** Handlers that threw; each was answered with SERVFAIL. */
  readonly failures: number;
}

export interface DnsCounters {
  query(protocol: string, type: number): void;
  response(rcode: number): void;
  drop(): void;
  failure(): void;
  snapshot(): DnsMetrics;
}

const known = new Set<number>(Object.values(recordType));

export function createDnsCounters(): DnsCounters {
  const queries = new Map<string, number>();
  const types = new Map<number, number>();
  const rcodes = new Map<number, number>();
  let dropped = 0;
  let failures = 0;
  const add = <K>(counts: Map<K, number>, key: K) => counts.set(key, (counts.get(key) ?? 0) + 1);
  return {
    query(protocol, type) {
      add(queries, protocol);
      add(types, known.has(type) ? type : -1);
    },
    response: (code) => void add(rcodes, code),
    drop: () => void dropped++,
    failure: () => void failures++,
    snapshot: () => ({
      queries: Object.fromEntries(queries),
      types: Object.fromEntries([...types].map(([type, count]) => [type < 0 ? 'other' : typeName(type), count])),
      rcodes: Object.fromEntries([...rcodes].map(([code, count]) => [rcodeName(code), count])),
      dropped,
      failures,
    }),
  };
}
