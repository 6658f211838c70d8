/** A hosts file (hosts(5)) as maps from names to addresses and back, with names like `*.example.org` besides. */
import { canonicalAddress } from '../../wire/address.ts';
import { canonicalName, parseName } from '../../wire/name.ts';

export interface HostsTable {
  /** Canonical names to canonical addresses. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  readonly names: ReadonlyMap<string, readonly string[]>;
  /** Addresses of all names one label below a name without addresses of its own (`*.` in the file). */
  readonly wildcards: ReadonlyMap<string, readonly string[]>;
  /** Addresses of names and names of addresses. */
  readonly size: number;
}

const valuesIn = (...maps: ReadonlyMap<string, readonly string[]>[]): number =>
  maps.reduce((sum, map) => [...map.values()].reduce((count, values) => count + values.length, sum), 0);

function add(map: Map<string, string[]>, key: string, value: string): void {
  const values = map.get(key);
  if (!values) map.set(key, [value]);
  else if (!values.includes(value)) values.push(value);
}

/** Lines that are none are passed over, as resolvers do; so are names for which `serves` is false. */
export function parseHosts(text: string, serves: (name: string) => boolean): HostsTable {
  const addresses = new Map<string, string[]>();
  const names = new Map<string, string[]>();
  const wildcards = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [first = '', ...words] = line.replace(/#.*/, '').trim().split(/\s+/);
    const address = canonicalAddress(first.replace(/%.*$/, ''));
    if (!address) continue;
    for (const word of words) {
      if (!parseName(word)) continue;
      const name = canonicalName(word);
      if (!serves(name)) continue;
      if (name.startsWith('*.')) {
        add(wildcards, name.slice(2), address);
        continue;
      }
      add(addresses, name, address);
      add(names, address, name);
    }
  }
  return { addresses, names, wildcards, size: valuesIn(addresses, names, wildcards) };
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
  const wildcards = merge(a.wildcards, b.wildcards);
  return { addresses, names, wildcards, size: valuesIn(addresses, names, wildcards) };
}

/** Addresses of a canonical name: its own, else those of the wildcard one label above (RFC 4592, for one label only). */
export function addressesOf(table: HostsTable, name: string): readonly string[] | undefined {
  const own = table.addresses.get(name);
  if (own || table.wildcards.size === 0) return own;
  const dot = name.indexOf('.');
  return dot > 0 && dot < name.length - 1 ? table.wildcards.get(name.slice(dot + 1)) : undefined;
}
