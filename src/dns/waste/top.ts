/**
 * The most frequent of endlessly many things in bounded memory: the space-saving algorithm (Metwally, Agrawal,
 * El Abbadi 2005). What was counted `total / capacity` times or more is always among the items.
 */

export interface Counted {
  /** Times counted since it is among the items: never more than it really came. */
  queries: number;
  /** How often it may have come before that at most. */
  error: number;
}

export interface Top<T extends Counted> {
  /** Counts once; an item that is new takes the place of the rarest when all are taken. */
  count(key: string): T;
  /** The most frequent first. */
  list(): T[];
  /** Most that a thing can have come without being among the items. */
  floor(): number;
  /** Set when an item had to go. */
  evicted: boolean;
}

const weight = ({ queries, error }: Counted): number => queries + error;

/** `make`: a new item, with nothing counted. */
export function createTop<T extends Counted>(capacity: number, make: (key: string) => T): Top<T> {
  const items = new Map<string, T>();

  function rarest(): { key: string; weight: number } {
    let key = '';
    let lowest = Infinity;
    for (const [candidate, item] of items) {
      if (weight(item) >= lowest) continue;
      lowest = weight(item);
      key = candidate;
    }
    return { key, weight: lowest };
  }

  function enter(key: string): T {
    const item = make(key);
    if (items.size >= capacity) {
      const place = rarest();
      items.delete(place.key);
      item.error = place.weight;
      top.evicted = true;
    }
    items.set(key, item);
    return item;
  }

  const top: Top<T> = {
    evicted: false,
    count(key) {
      const item = items.get(key) ?? enter(key);
      item.queries++;
      return item;
    },
    list: () => [...items.values()].sort((a, b) => weight(b) - weight(a)),
    floor: () => (items.size < capacity ? 0 : rarest().weight),
  };
  return top;
}
