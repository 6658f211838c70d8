/** Bounds on what one client asks of its server: requests a second, with a burst after a rest, and requests under way. */
import type { Timing } from './timing.ts';

export interface LimiterOptions {
  /** Requests a second. 0: no bound. Default 0. */
  readonly qps?: number;
  /** Requests at once after a rest; at least 1 counts. Default: as many as in a second. */
  readonly burst?: number;
  /** Requests whose answer is awaited; a watch counts until it is open. 0: no bound. Default 0. */
  readonly maxInFlight?: number;
}

export interface Limiter {
  /**
   * Resolves when the request may be sent, with what to call when its answer is there; with undefined when the signal
   * fires before. First come, first served.
   */
  acquire(signal?: AbortSignal): Promise<(() => void) | undefined>;
}

/** A token bucket: gives the milliseconds to wait for the token that it has handed out. */
function createBucket(qps: number, burst: number, timing: Timing): () => number {
  const capacity = Math.max(1, Math.floor(burst));
  let tokens = capacity;
  let filled = timing.monotonic();
  return () => {
    const now = timing.monotonic();
    tokens = Math.min(capacity, tokens + ((now - filled) * qps) / 1000);
    filled = now;
    tokens--;
    // Below zero are those that others wait for already.
    return tokens >= 0 ? 0 : (-tokens * 1000) / qps;
  };
}

interface Waiting {
  readonly enter: () => void;
}

/** At most `places` within; others wait in the order in which they came. */
function createGate(places: number) {
  let within = 0;
  const queue = new Set<Waiting>();

  function leave(): void {
    within--;
    const [next] = queue;
    if (!next) return;
    queue.delete(next);
    next.enter();
  }

  function leaveOnce(): () => void {
    let left = false;
    return () => {
      if (!left) leave();
      left = true;
    };
  }

  return {
    enter(signal?: AbortSignal): Promise<(() => void) | undefined> {
      if (within < places) {
        within++;
        return Promise.resolve(leaveOnce());
      }
      return new Promise((resolve) => {
        const giveUp = () => {
          queue.delete(waiting);
          resolve(undefined);
        };
        const waiting: Waiting = {
          enter() {
            signal?.removeEventListener('abort', giveUp);
            within++;
            resolve(leaveOnce());
          },
        };
        queue.add(waiting);
        signal?.addEventListener('abort', giveUp);
      });
    },
  };
}

const free = () => undefined;

export function createLimiter(options: LimiterOptions, timing: Timing): Limiter {
  const { qps = 0, maxInFlight = 0 } = options;
  const take = qps > 0 ? createBucket(qps, options.burst || qps, timing) : undefined;
  const gate = maxInFlight > 0 ? createGate(Math.max(1, Math.floor(maxInFlight))) : undefined;
  return {
    async acquire(signal) {
      const pause = take?.() ?? 0;
      if (pause > 0) await timing.sleep(pause, signal);
      if (signal?.aborted) return undefined;
      return gate ? gate.enter(signal) : free;
    },
  };
}
