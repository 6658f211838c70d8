/**
 * Numbers of a range lent to owners by name: addresses and node ports. An owner that asks for none in particular gets
 * the one its name hashes to, or the next free one after it, so that it gets the same one in every run.
 */
import { fnv1a } from '../../base/hash.ts';
import { formatIp, parseIp } from '../../base/ip.ts';

/** Items are what is lent: addresses in canonical text, or ports. An owner holds at most one item of a pool. */
export interface Pool<T> {
  /** Whether an item lies in the range. */
  has(item: T): boolean;
  ownerOf(item: T): string | undefined;
  itemOf(owner: string): T | undefined;
  /** Takes a certain item in place of the one held; false when it is out of range or somebody else's. */
  claim(owner: string, item: T): boolean;
  /** The item held, or a free one; undefined when all are taken. `seed` is hashed, the owner's name unless given. */
  allocate(owner: string, seed?: string): T | undefined;
  release(owner: string): void;
}

export interface Range<T> {
  /** Numbers that may be claimed: first to last. */
  readonly first: number;
  readonly last: number;
  /** Numbers below this one are given to those who ask for them only. Default: `first`. */
  readonly firstFree?: number;
  readonly format: (number: number) => T;
  readonly parse: (item: T) => number | undefined;
}

export function createPool<T>(range: Range<T>): Pool<T> {
  const firstFree = range.firstFree ?? range.first;
  const owners = new Map<number, string>();
  const held = new Map<string, number>();

  function numberOf(item: T): number | undefined {
    const number = range.parse(item);
    return number !== undefined && number >= range.first && number <= range.last ? number : undefined;
  }

  function release(owner: string): void {
    const number = held.get(owner);
    if (number === undefined) return;
    held.delete(owner);
    owners.delete(number);
  }

  function lend(owner: string, number: number): void {
    release(owner);
    owners.set(number, owner);
    held.set(owner, number);
  }

  return {
    has: (item) => numberOf(item) !== undefined,
    ownerOf(item) {
      const number = numberOf(item);
      return number === undefined ? undefined : owners.get(number);
    },
    itemOf(owner) {
      const number = held.get(owner);
      return number === undefined ? undefined : range.format(number);
    },
    claim(owner, item) {
      const number = numberOf(item);
      if (number === undefined) return false;
      const present = owners.get(number);
      if (present !== undefined && present !== owner) return false;
      lend(owner, number);
      return true;
    },
    allocate(owner, seed = owner) {
      const present = held.get(owner);
      if (present !== undefined) return range.format(present);
      const size = range.last - firstFree + 1;
      const start = fnv1a(seed) % size;
      for (let step = 0; step < size; step++) {
        const number = firstFree + ((start + step) % size);
        if (owners.has(number)) continue;
        lend(owner, number);
        return range.format(number);
      }
      return undefined;
    },
    release,
  };
}

/** The hosts of an IPv4 /16 given by its first two bytes (`127.96`); x.x.0.0/24 is only given to those who ask for it. */
export function createPool4(prefix: string): Pool<string> {
  return createPool<string>({
    first: 1,
    firstFree: 256,
    last: 65534,
    format: (number) => `${prefix}.${number >> 8}.${number & 255}`,
    parse(item) {
      const address = parseIp(item);
      if (address?.version !== 4 || !item.startsWith(`${prefix}.`)) return undefined;
      return address.bytes[2]! * 256 + address.bytes[3]!;
    },
  });
}

/** Canonical addresses of an IPv6 range, given by its first 96 bits, that end in a number of 1 to 65535. */
export function createNumbering6(prefix: string): (number: number) => string {
  const first = formatIp({ version: 6, bytes: [...parseIp(prefix)!.bytes.slice(0, 12), 0, 0, 0, 1] });
  const stem = first.slice(0, -1);
  return (number) => stem + number.toString(16);
}

/** As createPool4, for the last 16 bits of an IPv6 range. */
export function createPool6(prefix: string): Pool<string> {
  const format = createNumbering6(prefix);
  return createPool<string>({
    first: 1,
    firstFree: 256,
    last: 65534,
    format,
    parse(item) {
      const address = parseIp(item);
      if (address?.version !== 6) return undefined;
      const number = address.bytes[14]! * 256 + address.bytes[15]!;
      return format(number) === formatIp(address) ? number : undefined;
    },
  });
}
