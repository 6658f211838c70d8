import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createKeyedWork } from './keyed-work.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('createKeyedWork', () => {
  function setUp(bring: (key: string) => Promise<void> | undefined = () => undefined) {
    let may = true;
    const brought: string[] = [];
    const errors: string[] = [];
    const work = createKeyedWork({
      bring(key) {
        brought.push(key);
        return bring(key);
      },
      mayWrite: () => may,
      retryMs: [100, 400],
      onError: (key, message) => errors.push(`${key} ${message}`),
    });
    const allow = (now: boolean) => {
      may = now;
    };
    return { work, brought, errors, allow };
  }

  it('keeps nothing while it may not write: whoever may looks at everything anew', async () => {
    const { work, brought, allow } = setUp();
    allow(false);
    for (let n = 0; n < 1000; n++) work.add(`key-${n}`);
    work.schedule();
    await vi.advanceTimersByTimeAsync(1);
    allow(true);
    work.work();
    expect(brought).toEqual([]);
    work.add('now');
    work.work();
    expect(brought).toEqual(['now']);
  });

  it('has one write of a key under way, and one more look when the key was added meanwhile', async () => {
    const ends: (() => void)[] = [];
    const { work, brought } = setUp(() => new Promise<void>((resolve) => ends.push(resolve)));
    work.add('a');
    work.work();
    work.add('a');
    work.add('a');
    work.work();
    expect(brought).toEqual(['a']);
    ends[0]!();
    await vi.advanceTimersByTimeAsync(1);
    expect(brought).toEqual(['a', 'a']);
    ends[1]!();
    await vi.advanceTimersByTimeAsync(1);
    expect(brought).toHaveLength(2);
  });

  it('tries again what fails, ever more slowly, until it is stopped', async () => {
    const { work, brought, errors } = setUp(() => Promise.reject(new Error('refused')));
    work.add('a');
    work.work();
    // After 100, 200, 400 and 400 ms.
    const started = Date.now();
    for (const [at, times] of [
      [90, 1],
      [120, 2],
      [290, 2],
      [330, 3],
      [690, 3],
      [740, 4],
      [1150, 5],
    ] as const) {
      await vi.advanceTimersByTimeAsync(started + at - Date.now());
      expect(`${brought.length} after ${at} ms`).toBe(`${times} after ${at} ms`);
    }
    expect(errors.at(-1)).toBe('a refused');
    work.stop();
    await vi.advanceTimersByTimeAsync(5000);
    expect(brought).toHaveLength(5);
  });
});
