/** Keys that are given some time before they are looked at again: one timer for however many there are. */

export interface Awaited {
  /** True while the key's time runs, which starts with the first question; false once it is over. */
  isAwaited(key: string): boolean;
  forget(key: string): void;
  close(): void;
}

/**
 * A key has at least `delay` milliseconds and at most twice that. A process that was busy meanwhile does not cut the
 * time short: what has come in is handled between the two ticks. `onOver` hears of each key that was not forgotten.
 */
export function createAwaited(delay: number, onOver: (key: string) => void): Awaited {
  let fresh = new Set<string>();
  let older = new Set<string>();
  const over = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  function tick(): void {
    const due = older;
    older = fresh;
    fresh = new Set();
    timer = older.size > 0 ? setTimeout(tick, delay) : undefined;
    for (const key of due) {
      over.add(key);
      onOver(key);
    }
  }

  return {
    isAwaited(key) {
      if (over.has(key)) return false;
      if (older.has(key)) return true;
      fresh.add(key);
      timer ??= setTimeout(tick, delay);
      return true;
    },
    forget(key) {
      fresh.delete(key);
      older.delete(key);
      over.delete(key);
    },
    close() {
      clearTimeout(timer);
      timer = undefined;
      fresh.clear();
      older.clear();
    },
  };
}
