import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDuration } from './duration.ts';

describe('durations (GEP-2257)', () => {
  it.each([
    ['0s', 0],
    ['0h', 0],
    ['10s', 10_000],
    ['1h30m', 5_400_000],
    ['500ms', 500],
    ['1m30s500ms', 90_500],
    ['10s30m1h', 5_410_000],
    ['99999h', 359_996_400_000],
  ])('%s', (text, milliseconds) => expect(parseDuration(text)).toBe(milliseconds));

  it.each(['', '1', '1d', '1.5s', '-1s', '100000s', '1h1m1s1ms1ms', ' 1s', '1s ', '1S', '1µs'])('refuse %j', (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  );

  it('add their parts', () => {
    const part = fc.tuple(
      fc.integer({ min: 0, max: 99_999 }),
      fc.constantFrom(['h', 3_600_000], ['m', 60_000], ['s', 1000], ['ms', 1]),
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        const text = parts.map(([count, [unit]]) => `${count}${unit}`).join('');
        const sum = parts.reduce((total, [count, [, factor]]) => total + count * (factor as number), 0);
        expect(parseDuration(text)).toBe(sum);
      }),
    );
  });
});
