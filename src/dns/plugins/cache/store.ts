/** Items by key, bounded: when full, the oldest that was not used lately goes (second chance). */

export interface Storable {
  /** Set by each use, also by those that do not ask the store. */
  used: boolean;
}

export interface CacheStore<T extends Storable> {
  get(key: string): T | undefined;
  /** The item that had to go for it, if one had to. */
  put(key: string, item: T): T | undefined;
  drop(key: string): void;
  readonly size: number;
}

export function createCacheStore<T extends Storable>(capacity: number): CacheStore<T> {
  const items = new Map<string, T>();

  /** Each item is passed over at most once before one goes, since passing takes its mark. */
  function evict(): T | undefined {
    for (const [key, item] of items) {
      items.delete(key);
      if (!item.used) return item;
      item.used = false;
      items.set(key, item);
    }
    return undefined;
  }

  return {
    get(key) {
      const item = items.get(key);
      if (item) item.used = true;
      return item;
    },
    put(key, item) {
      const evicted = !items.delete(key) && items.size >= capacity ? evict() : undefined;
      items.set(key, item);
      return evicted;
    },
    drop: (key) => void items.delete(key),
    get size() {
      return items.size;
    },
  };
}
