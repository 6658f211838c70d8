import { describe, expect, it } from 'vitest';
import { mergeConditions, no, unknown, yes } from './conditions.ts';

const writing = { generation: 5, now: '2026-02-01T00:00:00Z' };
const then = '2026-01-01T00:00:00Z';
const accepted = {
  type: 'Accepted',
  status: 'True' as const,
  reason: 'Accepted',
  message: 'old',
  lastTransitionTime: then,
};

describe('conditions', () => {
  it('keep their time while their status is the same', () => {
    const [same] = mergeConditions([accepted], [yes('Accepted', 'new', 'ListenersNotValid')], ['Accepted'], writing);
    expect(same).toEqual({
      type: 'Accepted',
      status: 'True',
      reason: 'ListenersNotValid',
      message: 'new',
      observedGeneration: 5,
      lastTransitionTime: then,
    });
    const [changed] = mergeConditions([accepted], [no('Accepted', 'Invalid', 'x')], ['Accepted'], writing);
    expect(changed?.lastTransitionTime).toBe(writing.now);
  });

  it('stay in their order beside those of others, new ones at the end', () => {
    const foreign = { ...accepted, type: 'example.com/Seen' };
    const stored = [foreign, accepted];
    const merged = mergeConditions(
      stored,
      [unknown('Programmed', 'Pending', ''), yes('Accepted', '')],
      ['Accepted'],
      writing,
    );
    expect(merged.map(({ type }) => type)).toEqual(['example.com/Seen', 'Accepted', 'Programmed']);
    expect(merged[0]).toBe(foreign);
  });

  it('go when they hold no more and are ours', () => {
    const stored = [
      { ...accepted, type: 'PartiallyInvalid' },
      { ...accepted, type: 'Ready' },
    ];
    expect(mergeConditions(stored, [], ['PartiallyInvalid'], writing).map(({ type }) => type)).toEqual(['Ready']);
  });

  it('are left alone when written for a newer generation', () => {
    const newer = { ...accepted, observedGeneration: 6 };
    expect(mergeConditions([newer], [no('Accepted', 'Invalid', 'x')], ['Accepted'], writing)).toEqual([newer]);
    expect(mergeConditions([newer], [], ['Accepted'], writing)).toEqual([newer]);
  });

  it('have messages that the schema takes', () => {
    const [long] = mergeConditions([], [yes('Accepted', 'x'.repeat(40_000))], [], writing);
    expect(long?.message).toHaveLength(32_768);
  });
});
