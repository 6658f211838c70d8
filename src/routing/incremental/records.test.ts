import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeRecord, createSelection, knownChanges, type Members, recordChanges } from './records.ts';

interface Member {
  readonly n: number;
}

const names = ['a', 'b', 'c', 'd', '__proto__', 'constructor'];
const change = fc.tuple(fc.constantFrom(...names), fc.option(fc.nat(3), { nil: undefined }));
const rounds = fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 40 });
const members = [0, 1, 2, 3].map((n): Member => ({ n }));

/** Small ones are copied, large ones layered. */
const sizes = [0, 1_200];
const begin = (size: number): Members<Member> =>
  Object.fromEntries(Array.from({ length: size }, (_, i) => [`name-${i}`, members[0]!]));

function expectSame(record: Members<Member>, model: ReadonlyMap<string, Member>): void {
  expect(new Map(Object.entries(record))).toEqual(model);
  for (const name of names) {
    expect(Object.hasOwn(record, name)).toBe(model.has(name));
    if (model.has(name)) expect(record[name]).toBe(model.get(name));
  }
}

describe('records that follow each other', () => {
  it.each(sizes)('read like records made anew (%i members)', (size) => {
    fc.assert(
      fc.property(rounds, (all) => {
        let record = begin(size);
        const model = new Map(Object.entries(record));
        const select = createSelection<Member, number>(({ n }) => (n > 1 ? n : undefined));
        for (const round of all) {
          const before = record;
          const old = new Map(model);
          const told = new Map(round.map(([name, n]) => [name, n === undefined ? undefined : members[n]!]));
          record = changeRecord(before, told);
          for (const [name, member] of told) {
            if (member) model.set(name, member);
            else model.delete(name);
          }
          const changes = knownChanges(before, record)!;
          expect(changes.every(({ key, now }) => model.get(key) === now && old.get(key) !== now)).toBe(true);
          expect(Object.keys(before)).toHaveLength(old.size);
          const chosen = [...model.values()].flatMap(({ n }) => (n > 1 ? n : []));
          expect(select(record).toSorted()).toEqual(chosen.toSorted());
        }
        expectSame(record, model);
        expect(JSON.stringify(record)).toHaveLength(JSON.stringify(Object.fromEntries(model)).length);
      }),
      { numRuns: size > 0 ? 10 : 100 },
    );
  });

  it('stay the same when nothing differs, and are compared when nothing is known of them', () => {
    const record = begin(3);
    expect(
      changeRecord(record, [
        ['name-0', members[0]],
        ['missing', undefined],
      ]),
    ).toBe(record);
    const other = { ...record, 'name-1': members[1]!, more: members[2]! };
    expect(knownChanges(record, other)).toBeUndefined();
    expect(recordChanges(record, other).map(({ key }) => key)).toEqual(['name-1', 'more']);
  });

  it('cannot be changed, and are made anew after many changes', () => {
    let record: Members<Member> = begin(1_200);
    for (let i = 0; i < 600; i++) {
      record = changeRecord(record, [[`name-${i}`, i % 2 === 0 ? undefined : members[1]]]);
      if (i === 10) expect(() => Object.assign(record, { 'name-1': members[2] })).toThrow(TypeError);
    }
    expect(Object.keys(record)).toHaveLength(900);
    expect(record['name-599']).toBe(members[1]);
    expect(record['name-598']).toBeUndefined();
  });
});
