/** Time and chance as one dependency, so that tests of waiting neither wait nor guess. */
import { type Clock, systemClock } from '../../base/clock.ts';

export interface Timing extends Clock {
  /** Milliseconds of a clock that nobody sets: what durations are measured with. */
  monotonic(): number;
  /** Resolves after some milliseconds, or at once when the signal fires; never rejects. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** In [0, 1). */
  random(): number;
}

function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, milliseconds);
    signal?.addEventListener('abort', finish);
  });
}

export const systemTiming: Timing = {
  now: systemClock.now,
  monotonic: () => performance.now(),
  sleep,
  random: Math.random,
};

export interface BackoffOptions {
  /** Longest first pause, in milliseconds. Default 200. */
  readonly baseMs?: number;
  /** Longest pause of all, in milliseconds. Default 30,000. */
  readonly maxMs?: number;
}

export interface Backoff {
  /** The next pause: doubles with each failure up to the cap; its second half is by chance. */
  next(): number;
  reset(): void;
}

export function createBackoff({ baseMs = 200, maxMs = 30_000 }: BackoffOptions, random: () => number): Backoff {
  let failures = 0;
  return {
    next() {
      const longest = Math.min(maxMs, baseMs * 2 ** Math.min(failures++, 30));
      return longest * (0.5 + random() / 2);
    },
    reset() {
      failures = 0;
    },
  };
}
