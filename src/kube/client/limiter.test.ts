import { describe, expect, it } from 'vitest';
import { createLimiter } from './limiter.ts';
import type { Timing } from './timing.ts';

/** A clock that sleeping moves. */
function sleeper(): Timing & { slept: number[] } {
  let now = 0;
  const slept: number[] = [];
  return {
    ...{ slept, now: () => now, monotonic: () => now, random: () => 0.5 },
    sleep: async (milliseconds) => {
      slept.push(milliseconds);
      now += milliseconds;
    },
  };
}

describe('the limits on our own requests', () => {
  it('let a burst through, then so many a second', async () => {
    const timing = sleeper();
    const limiter = createLimiter({ qps: 5, burst: 3 }, timing);
    for (let i = 0; i < 5; i++) await limiter.acquire();
    expect(timing.slept).toEqual([200, 200]);
    await timing.sleep(10_000);
    for (let i = 0; i < 4; i++) await limiter.acquire();
    expect(timing.slept).toEqual([200, 200, 10_000, 200]);
  });

  it('make those who ask at once wait one after the other', async () => {
    const timing: Timing & { slept: number[] } = sleeper();
    const { slept } = timing;
    const limiter = createLimiter({ qps: 10, burst: 1 }, { ...timing, sleep: async (ms) => void slept.push(ms) });
    await Promise.all([limiter.acquire(), limiter.acquire(), limiter.acquire()]);
    expect(slept).toEqual([100, 200]);
  });

  it('hold back what is more than may be under way, in order', async () => {
    const limiter = createLimiter({ maxInFlight: 2 }, sleeper());
    const entered: number[] = [];
    const enter = async (number: number) => {
      const release = await limiter.acquire();
      entered.push(number);
      return release!;
    };
    const [first] = await Promise.all([enter(1), enter(2)]);
    const third = enter(3);
    const fourth = enter(4);
    await Promise.resolve();
    expect(entered).toEqual([1, 2]);
    first();
    first();
    (await third)();
    await fourth;
    expect(entered).toEqual([1, 2, 3, 4]);
  });

  it('forget who gives up while waiting', async () => {
    const limiter = createLimiter({ maxInFlight: 1 }, sleeper());
    const release = await limiter.acquire();
    const gone = new AbortController();
    const waiting = limiter.acquire(gone.signal);
    gone.abort();
    expect(await waiting).toBeUndefined();
    release!();
    expect(await limiter.acquire()).toBeTypeOf('function');
    expect(await limiter.acquire(gone.signal)).toBeUndefined();
  });

  it('are none by default', async () => {
    const timing = sleeper();
    const limiter = createLimiter({}, timing);
    await Promise.all(Array.from({ length: 100 }, () => limiter.acquire()));
    expect(timing.slept).toEqual([]);
  });
});
