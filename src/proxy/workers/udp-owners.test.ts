import { describe, expect, it } from 'vitest';
import { createUdpOwners } from './udp-owners.ts';

describe('owners of UDP listeners', () => {
  it('are spread over the workers, and one each', () => {
    const owners = createUdpOwners();
    expect(owners.assign(['a', 'b', 'c', 'd'], [1, 2])).toEqual(new Set([1, 2]));
    expect(owners.of(1)).toHaveLength(2);
    expect([...owners.of(1), ...owners.of(2)].sort()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('stay while they live, whoever comes', () => {
    const owners = createUdpOwners();
    owners.assign(['a', 'b'], [1]);
    expect(owners.assign(['a', 'b'], [1, 2])).toEqual(new Set());
    expect(owners.assign(['a', 'b', 'c'], [1, 2])).toEqual(new Set([2]));
    expect(owners.of(2)).toEqual(['c']);
  });

  it('are others when they end, and none when there is nobody', () => {
    const owners = createUdpOwners();
    owners.assign(['a', 'b', 'c'], [1, 2]);
    expect(owners.of(1)).toEqual(['a', 'c']);
    expect(owners.assign(['a', 'b', 'c'], [2, 3]).has(3)).toBe(true);
    expect([owners.of(1), owners.of(2), owners.of(3)]).toEqual([[], ['b', 'c'], ['a']]);
    owners.assign(['a', 'b', 'c'], []);
    expect([1, 2, 3].flatMap((worker) => owners.of(worker))).toEqual([]);
    expect(owners.assign(['a'], [4])).toEqual(new Set([4]));
  });
});
