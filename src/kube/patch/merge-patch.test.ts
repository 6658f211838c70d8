/** A merge patch between two values, applied to the first, gives the second. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { equalJson } from '../objects.ts';
import type { Json } from './json.ts';
import { mergePatch, mergePatchBetween } from './merge-patch.ts';

/** Without null in objects, which a merge patch cannot set. */
const { value } = fc.letrec<{ value: Json; object: Json }>((tie) => ({
  object: fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), tie('value'), {
    maxKeys: 4,
  }) as fc.Arbitrary<Json>,
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<Json>(0, 1, '', 'x', true),
    fc.array(fc.constantFrom<Json>(1, 'y', { z: 1 }), { maxLength: 3 }),
    tie('object'),
  ),
}));

it('leads from one to the other, and there is none between equal values', () => {
  fc.assert(
    fc.property(value, value, (from, to) => {
      const patch = mergePatchBetween(from, to);
      expect(patch === undefined).toBe(equalJson(from, to));
      if (patch !== undefined) expect(equalJson(mergePatch(from, patch), to)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

it('names what differs, takes out with null, and replaces lists whole', () => {
  const from = { conditions: [{ type: 'A' }], addresses: [1], kept: { x: 1, gone: 2 } };
  const to = { conditions: [{ type: 'A' }], addresses: [1, 2], kept: { x: 1 } };
  expect(mergePatchBetween(from, to)).toEqual({ addresses: [1, 2], kept: { gone: null } });
  expect(mergePatchBetween(undefined, to)).toBe(to);
});
