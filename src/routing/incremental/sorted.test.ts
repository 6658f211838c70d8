/** Lists of the same objects, compared. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { listDifference } from './sorted.ts';

const items = Array.from({ length: 40 }, (_, id) => ({ id }));
const subset = fc.subarray(items);
const anyOrder = fc.shuffledSubarray(items);

it.each([
  ['one order', subset],
  ['any order', anyOrder],
])('are told apart by what one of them has and the other has not (%s)', (_, lists) => {
  fc.assert(
    fc.property(lists, lists, (before, now) => {
      const { came, went } = listDifference(before, now);
      expect(came).toEqual(now.filter((item) => !before.includes(item)));
      expect(new Set(went)).toEqual(new Set(before.filter((item) => !now.includes(item))));
    }),
    { numRuns: 2_000 },
  );
});

it('cost little where few of many items differ, far from each other', () => {
  const before = Array.from({ length: 200_000 }, (_, id) => ({ id }));
  const now = before.map((item, i) => (i % 50_000 === 7 ? { ...item } : item));
  const took = (run: () => unknown) => {
    const since = performance.now();
    run();
    return performance.now() - since;
  };
  const bySets = Math.min(...[1, 2, 3].map(() => took(() => new Set(before))));
  const least = Math.min(...[1, 2, 3, 4, 5].map(() => took(() => listDifference(before, now))));
  expect(listDifference(before, now).came).toHaveLength(4);
  expect(least).toBeLessThan(bySets);
});
