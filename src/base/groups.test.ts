import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createGroups } from './groups.ts';

const name = fc.constantFrom('a', 'b', 'c');
const step = fc.record({ does: fc.constantFrom('add', 'remove'), group: name, key: name, member: fc.nat() });

it('is a map of maps, whatever comes and goes', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const groups = createGroups<number>();
      const model = new Map<string, Map<string, number>>();
      for (const { does, group, key, member } of steps) {
        const known = model.get(group) ?? new Map<string, number>();
        model.set(group, known);
        if (does === 'add') {
          known.set(key, member);
          groups.add(group, key, member);
        } else {
          known.delete(key);
          groups.remove(group, key);
        }
        expect(groups.members(group)).toEqual([...known.values()]);
        expect(groups.size(group)).toBe(known.size);
      }
    }),
  );
});
