/** What limits count, by zone and key. Belongs to the data plane and not to a plan, so that a new plan resets nothing. */
import { parseIp } from '../../base/ip.ts';
import type { LimitKey } from '../../routing/plan/plan.ts';
import { clientAddress } from '../exchange/client-address.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { RequestHead } from '../http1/request.ts';
import type { FilterLimits } from '../options.ts';

/** By key, the least recently admitted first. */
export type ZoneTable = Map<string, number>;

export interface Zones {
  /** When the bucket of a key will be empty, in milliseconds of `performance.now()`. */
  rate(zone: string): ZoneTable;
  /** Requests of a key under way. */
  underWay(zone: string): ZoneTable;
  readonly limits: FilterLimits;
  /** Forgets buckets that are empty. */
  expire(now: number): void;
}

/** Buckets looked at per zone and tick. */
const EXPIRE_AT_ONCE = 10_000;

export function createZones(limits: FilterLimits): Zones {
  const rates = new Map<string, ZoneTable>();
  const counts = new Map<string, ZoneTable>();
  return {
    limits,
    rate: (zone) => tableOf(rates, zone),
    underWay: (zone) => tableOf(counts, zone),
    expire(now) {
      for (const [zone, table] of rates) {
        forgetEmpty(table, now);
        if (table.size === 0) rates.delete(zone);
      }
      for (const [zone, table] of counts) if (table.size === 0) counts.delete(zone);
    },
  };
}

function tableOf(tables: Map<string, ZoneTable>, zone: string): ZoneTable {
  const known = tables.get(zone);
  if (known) return known;
  const table: ZoneTable = new Map();
  tables.set(zone, table);
  return table;
}

function forgetEmpty(table: ZoneTable, now: number): void {
  let looked = 0;
  for (const [key, emptyAt] of table) {
    if (emptyAt > now || looked++ >= EXPIRE_AT_ONCE) return;
    table.delete(key);
  }
}

/** Longer values of a header are cut: what a table holds stays bounded. */
const MAX_KEY = 128;

/** Whose request it is, as far as a limit cares. */
export function limitKeyOf(key: LimitKey, { client }: Exchange, head: RequestHead): string {
  if (key.by === 'zone') return '';
  const value = key.by === 'header' ? head.headers(key.name.toLowerCase()) : undefined;
  // A copy: a slice would keep the whole head in memory.
  if (value !== undefined) return `=${Buffer.from(value.slice(0, MAX_KEY), 'latin1').toString('latin1')}`;
  return network(clientAddress(client, head.headers('x-forwarded-for')));
}

/** An IPv6 client has at least a /64 to choose addresses from: it counts as one. */
function network(address: string): string {
  const parsed = address.includes(':') ? parseIp(address) : undefined;
  return parsed ? parsed.bytes.slice(0, 8).join('.') : Buffer.from(address, 'latin1').toString('latin1');
}
