import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HashSource } from '../../../routing/plan/backend-policy.ts';
import type { Pool } from '../pool.ts';
import { poolAt, pools } from '../testing.ts';
import { createBalance } from './balance.ts';
import { cookieOf, createKeyReader } from './key.ts';
import { createRing, hashText } from './ring.ts';

const keys = Array.from({ length: 500 }, (_, i) => hashText(`user-${i}`));

function hashOver(targets: readonly Pool[]) {
  const balance = createBalance({ balance: { type: 'hash', by: [{ by: 'address' }] } })!;
  balance.update(targets);
  return balance;
}

/** Where each key goes. */
function owners(targets: readonly Pool[]): (string | undefined)[] {
  const balance = hashOver(targets);
  return keys.map((key) => balance.pick(undefined, key)?.key);
}

const someEndpoints = fc
  .uniqueArray(fc.ipV4(), { minLength: 1, maxLength: 12 })
  .map((addresses) => addresses.map(poolAt));

describe('a hash', () => {
  it('does not depend on the order of endpoints', () => {
    fc.assert(
      fc.property(someEndpoints, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (targets, dice) => {
        const shuffled = targets
          .map((pool) => ({ pool, at: dice.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ pool }) => pool);
        expect(owners(shuffled)).toEqual(owners(targets));
      }),
      { numRuns: 40 },
    );
  });

  it('moves only the keys of an endpoint that goes', () => {
    fc.assert(
      fc.property(someEndpoints, fc.nat(), (targets, place) => {
        const gone = targets[place % targets.length]!;
        const rest = targets.filter((pool) => pool !== gone);
        const [before, after] = [owners(targets), owners(rest)];
        keys.forEach((_, i) => {
          if (before[i] !== gone.key) expect(after[i]).toBe(before[i]);
          else expect(after[i]).not.toBe(gone.key);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('moves keys only to an endpoint that comes, about its share of them', () => {
    const before = owners(pools(9));
    const after = owners([...pools(9), ...pools(1, 100)]);
    const moved = keys.filter((_, i) => before[i] !== after[i]);
    expect(keys.every((_, i) => before[i] === after[i] || after[i] === '10.0.0.100:80')).toBe(true);
    expect(moved.length / keys.length).toBeGreaterThan(0.05);
    expect(moved.length / keys.length).toBeLessThan(0.16);
  });

  it('is fair within a third', () => {
    const names = Array.from({ length: 20 }, (_, i) => `10.1.${i}.7:8080`);
    const { owners: points, ...ring } = createRing(names);
    const arcs = names.map(() => 0);
    points.forEach((owner, i) => {
      const before = i === 0 ? ring.points[points.length - 1]! - 2 ** 32 : ring.points[i - 1]!;
      arcs[owner]! += (ring.points[i]! - before) / 2 ** 32;
    });
    expect(arcs.reduce((sum, arc) => sum + arc, 0)).toBeCloseTo(1, 6);
    for (const arc of arcs) expect(Math.abs(arc * 20 - 1)).toBeLessThan(0.34);
  });

  it('goes on to another endpoint where one was tried, the same for every request of the key', () => {
    const targets = pools(4);
    const balance = hashOver(targets);
    for (const key of keys.slice(0, 50)) {
      const first = balance.pick(undefined, key)!;
      const second = balance.pick([first], key)!;
      expect(second).not.toBe(first);
      expect(balance.pick([first], key)).toBe(second);
    }
    expect(balance.pick(targets, keys[0])).toBeUndefined();
  });

  it('keeps many endpoints within bounds', () => {
    const names = Array.from({ length: 5_000 }, (_, i) => `10.${i >> 8}.${i & 255}.1:80`);
    const { points, owners: owned } = createRing(names);
    expect(points.length).toBeLessThanOrEqual(131_072);
    expect(new Set(owned).size).toBe(5_000);
  });

  it('takes turns for requests without a key', () => {
    const targets = pools(3);
    const balance = hashOver(targets);
    const chosen = Array.from({ length: 6 }, () => balance.pick(undefined, undefined));
    expect(chosen).toEqual([...targets, ...targets]);
  });
});

describe('the key of a request', () => {
  const read = (by: readonly HashSource[], headers: Record<string, string>, address = '192.0.2.1') =>
    createKeyReader({ balance: { type: 'hash', by } })!({
      headers: (name) => headers[name],
      address: () => address,
      text: ({ constant }) => constant,
    });

  it('is what the policy names first', () => {
    const by: HashSource[] = [{ by: 'cookie', name: 'sid' }, { by: 'header', name: 'x-user' }, { by: 'address' }];
    expect(read(by, { cookie: 'a=b; sid=7', 'x-user': 'ann' })).toBe(hashText('7'));
    expect(read(by, { cookie: 'a=b', 'x-user': 'ann' })).toBe(hashText('ann'));
    expect(read(by, {})).toBe(hashText('192.0.2.1'));
    expect(read([{ by: 'header', name: 'x-user' }], { 'x-user': '' })).toBeUndefined();
    expect(read([{ by: 'template', template: ['a', 'b'] }], {})).toBe(hashText('ab'));
    expect(read([{ by: 'template', template: [] }, { by: 'address' }], {})).toBe(hashText('192.0.2.1'));
  });

  it('is not asked for by other policies', () => {
    expect(createKeyReader(undefined)).toBeUndefined();
    expect(createKeyReader({ balance: { type: 'random' } })).toBeUndefined();
  });

  it.each([
    ['sid=1', '1'],
    ['a=b;sid=1;c=d', '1'],
    ['a=b,  sid = 1 ', '1'],
    ['xsid=2; sid=1; sid=3', '1'],
    ['sid', undefined],
    ['=1', undefined],
    ['', undefined],
  ])('in the cookies %j is %j', (line, expected) => {
    expect(cookieOf(line, 'sid')).toBe(expected);
  });
});
