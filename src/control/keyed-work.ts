/**
 * Objects to bring to what is wanted, by key: one write of each under way at a time, what fails tried again ever more
 * slowly, and nothing while this process may not write: whoever comes to adds everything anew.
 */

export interface KeyedWorkOptions {
  /** Writes what is needed; undefined when that is done, or was nothing. Throws or rejects when it is refused. */
  bring(key: string): Promise<void> | undefined;
  /** Asked before each round. What is due when it is false is forgotten, or a replica that never leads would hoard it. */
  mayWrite(): boolean;
  /** First and longest wait before what failed is tried again, in milliseconds. Default 500 and 60,000. */
  readonly retryMs?: readonly [number, number];
  onError(key: string, message: string): void;
}

export interface KeyedWork {
  /** The key is looked at in the next round. */
  add(key: string): void;
  /** A round in the next macrotask. */
  schedule(): void;
  /** A round now. */
  work(): void;
  /** True during a round: changes that are heard now are those of writes made at once. */
  readonly isWorking: boolean;
  stop(): void;
}

export function createKeyedWork(options: KeyedWorkOptions): KeyedWork {
  const [firstRetry, lastRetry] = options.retryMs ?? [500, 60_000];
  const due = new Set<string>();
  const underway = new Set<string>();
  /** How long to wait for the next attempt, of those that failed. */
  const waits = new Map<string, number>();
  const timers = new Map<string, NodeJS.Timeout>();
  let scheduled: NodeJS.Immediate | undefined;
  let isWorking = false;
  let isStopped = false;

  function schedule(): void {
    if (isStopped) return;
    scheduled ??= setImmediate(() => {
      scheduled = undefined;
      work();
    });
  }

  function work(): void {
    if (!options.mayWrite()) {
      due.clear();
      waits.clear();
      return;
    }
    isWorking = true;
    try {
      for (const key of due) {
        if (underway.has(key)) continue;
        due.delete(key);
        attempt(key);
      }
    } finally {
      isWorking = false;
    }
  }

  function attempt(key: string): void {
    try {
      const written = options.bring(key);
      if (written) follow(key, written);
      else waits.delete(key);
    } catch (error) {
      fail(key, error);
    }
  }

  function follow(key: string, written: Promise<void>): void {
    underway.add(key);
    const settled = written.then(
      () => void waits.delete(key),
      (error: unknown) => fail(key, error),
    );
    void settled.then(() => {
      underway.delete(key);
      if (due.has(key)) schedule();
    });
  }

  function fail(key: string, error: unknown): void {
    if (isStopped) return;
    const wait = waits.get(key) ?? firstRetry;
    waits.set(key, Math.min(wait * 2, lastRetry));
    options.onError(key, error instanceof Error ? error.message : String(error));
    if (timers.has(key)) return;
    const again = () => {
      timers.delete(key);
      due.add(key);
      schedule();
    };
    timers.set(key, setTimeout(again, wait).unref());
  }

  return {
    add: (key) => void due.add(key),
    schedule,
    work,
    get isWorking() {
      return isWorking;
    },
    stop() {
      isStopped = true;
      if (scheduled) clearImmediate(scheduled);
      for (const timer of timers.values()) clearTimeout(timer);
      due.clear();
    },
  };
}
