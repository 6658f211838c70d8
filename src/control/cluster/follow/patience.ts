/**
 * How long answers are waited for: while others come, those that are still to come are on their way, and are waited for
 * longer.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Timing } from '../../../kube/client/timing.ts';

export interface PatienceOptions {
  readonly timing: Timing;
  /** How long to wait for one while no other comes, in milliseconds. */
  readonly waitMs: number;
  /** How long to wait for one at most, as a multiple of that. Default 10. */
  readonly mostWaits?: number;
}

export interface Patience {
  /** Resolves with the answer, or when it is time to go on without it. */
  wait(answer: Promise<unknown>): Promise<unknown>;
  /** Waits no more. */
  stop(): void;
}

interface Waiting {
  begun: number | undefined;
  giveUp(): void;
}

export function createPatience({ timing, waitMs, mostWaits = 10 }: PatienceOptions): Patience {
  const waiting = new Set<Waiting>();
  let lastAnswer = Number.NEGATIVE_INFINITY;
  let isLooking = false;
  let isStopped = false;
  let sleeping: AbortController | undefined;

  /** One look at all of them; gives the milliseconds until the next one is due. */
  function look(): number {
    const now = timing.monotonic();
    let first = Number.POSITIVE_INFINITY;
    for (const each of waiting) {
      each.begun ??= now;
      const due = Math.min(Math.max(each.begun, lastAnswer) + waitMs, each.begun + mostWaits * waitMs);
      if (due <= now || isStopped) each.giveUp();
      else first = Math.min(first, due);
    }
    return first - now;
  }

  async function keepLooking(): Promise<void> {
    isLooking = true;
    while (waiting.size > 0) {
      // Whoever asks may be busy for longer than that, and the answer waits with everybody else.
      await nextTurn();
      const pause = look();
      if (waiting.size === 0) break;
      sleeping = new AbortController();
      await timing.sleep(pause, sleeping.signal);
    }
    isLooking = false;
  }

  function wake(): void {
    sleeping?.abort();
    sleeping = undefined;
  }

  return {
    wait(answer) {
      return new Promise((resolve) => {
        const each: Waiting = {
          begun: undefined,
          giveUp() {
            waiting.delete(each);
            resolve(undefined);
          },
        };
        waiting.add(each);
        void answer.then((value) => {
          lastAnswer = timing.monotonic();
          waiting.delete(each);
          if (waiting.size === 0) wake();
          resolve(value);
        });
        if (isLooking) wake();
        else void keepLooking();
      });
    },
    stop() {
      isStopped = true;
      wake();
    },
  };
}
