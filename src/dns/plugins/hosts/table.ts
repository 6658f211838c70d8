/** A hosts file (hosts(5)) as maps from names to addresses and back. */
import { canonicalAddress } from '../../wire/address.ts';
import { canonicalName, parseName } from '../../wire/name.ts';

export interface HostsTable {
  /** Canonical names to canonical addresses. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  readonly names: ReadonlyMap<string, readonly string[]>;
  readonly size: number;
}

function add(map: Map<string, string[]>, key: string, value: string): void {
  const values = map.get(key);
  if (!values) map.set(key, [value]);
  else if (!values.includes(value)) values.push(value);
}

/** Lines that are none are passed over, as resolvers do. */
export function parseHosts(text: string): HostsTable {
  const addresses = new Map<string, string[]>();
  const names = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [first = '', ...words] = line.replace(/#.*/, '').trim().split(/\s+/);
    const address = canonicalAddress(first.replace(/%.*$/, ''));
    if (!address) continue;
    for (const word of words) {
      if (!parseName(word)) continue;
      const name = canonicalName(word);
      add(addresses, name, address);
      add(names, address, name);
    }
  }
  return { addresses, names, size: addresses.size + names.size };
}

/** Both tables; the first one's values stand first. */
export function mergeHosts(a: HostsTable, b: HostsTable): HostsTable {
  const merge = (one: HostsTable['names'], other: HostsTable['names']) => {
    const merged = new Map(one);
    for (const [key, values] of other) merged.set(key, [...new Set([...(merged.get(key) ?? []), ...values])]);
    return merged;
  };
  const addresses = merge(a.addresses, b.addresses);
  const names = merge(a.names, b.names);
  return { addresses, names, size: addresses.size + names.size };
}
