import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesServiceSelector } from '../../kube/selectors.ts';
import { createSelectorIndex } from './selector-index.ts';

const labels = fc.dictionary(fc.constantFrom('app', 'tier', 'part-of'), fc.constantFrom('a', 'b', 'c'));

describe('a selector index', () => {
  it('finds what asking every selector finds', () => {
    const selector = labels.filter((pairs) => Object.keys(pairs).length > 0);
    fc.assert(
      fc.property(fc.array(selector, { maxLength: 20 }), labels, (selectors, wanted) => {
        const index = createSelectorIndex();
        // Filed twice, as a Service that changes is.
        for (const [i] of selectors.entries()) index.set(String(i), { app: 'other' });
        for (const [i, pairs] of selectors.entries()) index.set(String(i), pairs);
        const naive = selectors.flatMap((pairs, i) => (matchesServiceSelector(pairs, wanted) ? [String(i)] : []));
        const found = index.candidates(wanted).filter((key) => matchesServiceSelector(selectors[Number(key)], wanted));
        expect(found.sort()).toEqual(naive.sort());
      }),
    );
  });

  it('meets few selectors when they share a label', () => {
    const index = createSelectorIndex();
    for (let i = 0; i < 1000; i++) index.set(`s${i}`, { 'part-of': 'shop', app: `app-${i}` });
    expect(index.candidates({ 'part-of': 'shop', app: 'app-7' }).length).toBeLessThan(5);
  });

  it('meets all labels with a selector that demands no pair, until it is deleted', () => {
    const index = createSelectorIndex();
    index.set('all', undefined);
    expect(index.candidates({ app: 'x' })).toEqual(['all']);
    index.delete('all');
    expect(index.candidates({ app: 'x' })).toEqual([]);
  });
});
