import { describe, expect, it } from 'vitest';
import type { BalancePolicy } from '../../../routing/plan/backend-policy.ts';
import type { Pool } from '../pool.ts';
import { pools, pseudoRandom } from '../testing.ts';
import { type Balance, createBalance } from './balance.ts';

function balanceOf(type: Exclude<BalancePolicy['type'], 'hash'>, targets: readonly Pool[]): Balance {
  const balance = createBalance({ balance: { type }, slowStartMs: 1_000 }, pseudoRandom())!;
  balance.update(targets);
  return balance;
}

function counts(balance: Balance, targets: readonly Pool[], requests: number): number[] {
  const all = targets.map(() => 0);
  for (let i = 0; i < requests; i++) all[targets.indexOf(balance.pick(undefined, undefined)!)]!++;
  return all;
}

const types = ['round-robin', 'least-request', 'random'] as const;

describe('a policy', () => {
  it('that asks for plain round robin costs nothing', () => {
    expect(createBalance(undefined)).toBeUndefined();
    expect(createBalance({ balance: { type: 'round-robin' } })).toBeUndefined();
  });

  it.each(types)('%s never picks what was tried, and nothing when all were', (type) => {
    const targets = pools(3);
    const balance = balanceOf(type, targets);
    for (let i = 0; i < 100; i++) expect(balance.pick([targets[0]!, targets[2]!], undefined)).toBe(targets[1]);
    expect(balance.pick(targets, undefined)).toBeUndefined();
    balance.update([]);
    expect(balance.pick(undefined, undefined)).toBeUndefined();
  });

  it.each(types)('%s gives an endpoint that starts slowly its share', (type) => {
    const targets = pools(4);
    targets[3]!.weight = 0.25;
    const [first, , , slow] = counts(balanceOf(type, targets), targets, 13_000);
    expect(first! / 13_000).toBeCloseTo(4 / 13, 1);
    expect(slow! / 13_000).toBeGreaterThan(0.05);
    expect(slow! / 13_000).toBeLessThan(0.1);
  });

  it.each(types)('%s shares evenly while all start slowly', (type) => {
    const targets = pools(2);
    for (const pool of targets) pool.weight = 0.1;
    for (const count of counts(balanceOf(type, targets), targets, 4_000))
      expect(Math.abs(count - 2_000)).toBeLessThan(150);
  });
});

describe('round robin', () => {
  it('with weights is exact', () => {
    const targets = pools(3);
    targets[1]!.weight = 0.5;
    expect(counts(balanceOf('round-robin', targets), targets, 2_500)).toEqual([1_000, 500, 1_000]);
  });
});

describe('least request', () => {
  it('of two takes the one with fewer requests under way', () => {
    const targets = pools(2);
    targets[0]!.active = 1;
    const balance = balanceOf('least-request', targets);
    for (let i = 0; i < 100; i++) expect(balance.pick(undefined, undefined)).toBe(targets[1]);
  });

  it('never takes the busiest of several', () => {
    const targets = pools(5);
    targets[2]!.active = 9;
    expect(counts(balanceOf('least-request', targets), targets, 1_000)[2]).toBe(0);
  });

  it('keeps requests under way nearly even, though some endpoints are slower', () => {
    const targets = pools(10);
    const balance = balanceOf('least-request', targets);
    const random = pseudoRandom(7);
    for (let i = 0; i < 20_000; i++) {
      balance.pick(undefined, undefined)!.active++;
      // Half of the endpoints take three times as long to answer.
      for (const [at, pool] of targets.entries())
        if (pool.active > 0 && random() < (at < 5 ? 0.08 : 0.24)) pool.active--;
    }
    const under = targets.map(({ active }) => active);
    expect(Math.max(...under) - Math.min(...under)).toBeLessThan(10);
  });
});

describe('random', () => {
  it('gives everybody about the same', () => {
    const targets = pools(4);
    for (const count of counts(balanceOf('random', targets), targets, 8_000))
      expect(Math.abs(count - 2_000)).toBeLessThan(200);
  });
});
