/** Items by key, bounded: when full, the oldest that was not used lately goes (second chance). */

interface Slot<T> {
  readonly item: T;
  used: boolean;
}

export interface CacheStore<T> {
  get(key: string): T | undefined;
  /** True when another item had to go. */
  put(key: string, item: T): boolean;
  drop(key: string): void;
  readonly size: number;
}

export function createCacheStore<T>(capacity: number): CacheStore<T> {
  const slots = new Map<string, Slot<T>>();

  /** Each slot is passed over at most once before one goes, since passing takes its mark. */
  function evict(): void {
    for (const [key, slot] of slots) {
      slots.delete(key);
      if (!slot.used) return;
      slot.used = false;
      slots.set(key, slot);
    }
  }

  return {
    get(key) {
      const slot = slots.get(key);
      if (!slot) return undefined;
      slot.used = true;
      return slot.item;
    },
    put(key, item) {
      const full = !slots.delete(key) && slots.size >= capacity;
      if (full) evict();
      slots.set(key, { item, used: false });
      return full;
    },
    drop: (key) => void slots.delete(key),
    get size() {
      return slots.size;
    },
  };
}
