import { describe, expect, it } from 'vitest';
import type { ProxyReport } from '../channel.ts';
import { createAgreement, mergeListeners } from './agreement.ts';

const bound = { a: { bound: true } };

function setUp(...awaited: number[]) {
  const reports: ProxyReport[] = [];
  const agreement = createAgreement((report) => reports.push(report));
  for (const worker of awaited) agreement.join(worker, true);
  return { agreement, reports, generations: () => reports.map(({ generation }) => generation) };
}

describe('what is in force', () => {
  it('is what all workers have acknowledged, generation by generation', () => {
    const { agreement, generations } = setUp(1, 2);
    agreement.sent(1, 'endpoints');
    agreement.sent(2, 'plan');
    agreement.acknowledged(1, 1, {});
    agreement.acknowledged(1, 2, bound);
    expect(generations()).toEqual([]);
    agreement.acknowledged(2, 2, bound);
    expect(generations()).toEqual([1, 2]);
    agreement.sent(3, 'endpoints');
    agreement.acknowledged(2, 3, bound);
    expect(generations()).toEqual([1, 2]);
    agreement.acknowledged(1, 3, bound);
    expect(generations()).toEqual([1, 2, 3]);
  });

  it('is not held up by a worker that ends, nor by one that comes in its place', () => {
    const { agreement, generations } = setUp(1, 2);
    agreement.sent(1, 'plan');
    agreement.acknowledged(1, 1, bound);
    agreement.left(2);
    expect(generations()).toEqual([1]);
    agreement.join(3, false);
    agreement.sent(2, 'plan');
    agreement.acknowledged(1, 2, bound);
    expect(generations()).toEqual([1, 2]);
    agreement.acknowledged(3, 2, bound);
    agreement.sent(3, 'plan');
    agreement.acknowledged(1, 3, bound);
    expect(generations()).toEqual([1, 2]);
    agreement.acknowledged(3, 3, bound);
    expect(generations()).toEqual([1, 2, 3]);
  });

  it('is nothing while nobody serves', () => {
    const { agreement, generations } = setUp(1);
    agreement.sent(1, 'plan');
    agreement.left(1);
    expect(generations()).toEqual([]);
    agreement.join(2, false);
    agreement.acknowledged(2, 1, bound);
    expect(generations()).toEqual([1]);
  });

  it('is corrected for the same plan when a worker that comes cannot bind, or nobody can serve', () => {
    const { agreement, reports } = setUp(1);
    agreement.sent(1, 'plan');
    agreement.acknowledged(1, 1, bound);
    agreement.join(2, false);
    agreement.acknowledged(2, 1, bound);
    expect(reports).toHaveLength(1);
    agreement.join(3, false);
    agreement.acknowledged(3, 1, { a: { bound: false, error: 'no' } });
    expect(reports.at(-1)).toEqual({ type: 'applied', generation: 1, listeners: { a: { bound: false, error: 'no' } } });
    for (const worker of [1, 2, 3]) agreement.left(worker);
    agreement.nobody(['a', 'b'], 'gone');
    const gone = { bound: false, error: 'gone' };
    expect(reports.at(-1)).toEqual({ type: 'applied', generation: 1, listeners: { a: gone, b: gone } });
    agreement.join(4, false);
    agreement.acknowledged(4, 1, bound);
    expect(reports.at(-1)?.listeners).toEqual(bound);
  });

  it('is told of each plan while nobody can serve, also when it says the same', () => {
    const { agreement, generations } = setUp(1);
    agreement.sent(1, 'plan');
    agreement.left(1);
    agreement.nobody(['a'], 'gone');
    agreement.nobody(['a'], 'gone');
    expect(generations()).toEqual([1]);
    agreement.sent(2, 'plan');
    agreement.nobody(['a'], 'gone');
    expect(generations()).toEqual([1, 2]);
  });

  it('is corrected for its plan also when that comes to light with endpoints', () => {
    const { agreement, reports } = setUp(1, 2);
    const no = { a: { bound: false, error: 'no' } };
    agreement.sent(1, 'plan');
    agreement.acknowledged(1, 1, no);
    agreement.acknowledged(2, 1, bound);
    agreement.sent(2, 'endpoints');
    agreement.acknowledged(2, 2, bound);
    agreement.left(1);
    // Those who follow a plan hear of what is bound with the number of the plan only.
    expect(reports.filter(({ generation }) => generation === 1).map(({ listeners }) => listeners)).toEqual([no, bound]);
    expect(reports.filter(({ generation }) => generation === 2)).toHaveLength(1);
  });

  it('says nothing of listeners before there is a plan', () => {
    const { agreement, reports } = setUp(1);
    agreement.nobody(['a'], 'gone');
    expect(reports).toEqual([]);
  });
});

describe('listeners of several workers', () => {
  it('are bound when they are in all that have them, and else say why', () => {
    const yes = { bound: true };
    const no = { bound: false, error: 'taken' };
    expect(mergeListeners([{ b: yes, a: yes }, { a: no }, { a: { bound: false, error: 'later' }, c: yes }])).toEqual({
      a: no,
      b: yes,
      c: yes,
    });
    expect(mergeListeners([])).toEqual({});
  });
});
