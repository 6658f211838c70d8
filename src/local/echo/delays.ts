/** Answers that wait: bounded in number, and none is left when the runtime closes. */

export interface Delays {
  /** Runs the work after so many ms; at once for 0. False when too many wait already. */
  after(milliseconds: number, work: () => void): boolean;
  close(): void;
}

export function createDelays(limit: number): Delays {
  const timers = new Set<NodeJS.Timeout>();
  return {
    after(milliseconds, work) {
      if (milliseconds <= 0) {
        work();
        return true;
      }
      if (timers.size >= limit) return false;
      const timer = setTimeout(() => {
        timers.delete(timer);
        work();
      }, milliseconds);
      timers.add(timer);
      return true;
    },
    close() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
