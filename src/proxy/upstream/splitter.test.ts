import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSplitter } from './splitter.ts';

function picks(weights: readonly number[], count: number, random?: () => number): number[] {
  const next = createSplitter(weights, random);
  const counts = weights.map(() => 0);
  for (let i = 0; i < count; i++) counts[next()]!++;
  return counts;
}

describe('a splitter', () => {
  it.each([
    [
      [90, 10],
      [9_000, 1_000],
    ],
    [
      [1, 1],
      [5_000, 5_000],
    ],
    [
      [70, 20, 10],
      [7_000, 2_000, 1_000],
    ],
    [
      [0, 5],
      [0, 10_000],
    ],
    [
      [999, 1],
      [9_990, 10],
    ],
  ])('gives %j exactly their shares of 10,000', (weights, expected) => {
    for (const place of [0, 0.3, 0.999]) expect(picks(weights, 10_000, () => place)).toEqual(expected);
  });

  it('has nothing to give without weights', () => {
    expect(createSplitter([])()).toBe(-1);
    expect(createSplitter([0, 0])()).toBe(-1);
  });

  it('spreads a share instead of giving it in a row', () => {
    const next = createSplitter([5, 1, 1], () => 0);
    expect(Array.from({ length: 7 }, next)).toEqual([0, 0, 1, 0, 2, 0, 0]);
  });

  it('never strays from its shares by more than the number of shares, wherever it begins', () => {
    const weights = fc
      .array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 6 })
      .filter((all) => all.some((weight) => weight > 0));
    fc.assert(
      fc.property(
        weights,
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.integer({ min: 1, max: 3 }),
        (all, place, cycles) => {
          const total = all.reduce((sum, weight) => sum + weight, 0);
          expect(picks(all, total * cycles, () => place)).toEqual(all.map((weight) => weight * cycles));
        },
      ),
    );
  });

  it('begins plans at different places, so that many plans split as one does', () => {
    let heavy = 0;
    for (let i = 0; i < 1_000; i++) if (createSplitter([9, 1], () => i / 1_000)() === 0) heavy++;
    expect(heavy).toBe(900);
  });
});
