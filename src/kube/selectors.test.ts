import { describe, expect, it } from 'vitest';
import { matchesLabelSelector, matchesServiceSelector } from './selectors.ts';

describe('matchesServiceSelector', () => {
  it.each([
    [{ app: 'a' }, { app: 'a', extra: 'x' }, true],
    [{ app: 'a', tier: 'b' }, { app: 'a' }, false],
    [{}, { app: 'a' }, false],
    [undefined, { app: 'a' }, false],
    [{ app: 'a' }, undefined, false],
  ])('%j selects %j: %j', (selector, labels, expected) => {
    expect(matchesServiceSelector(selector, labels)).toBe(expected);
  });
});

describe('matchesLabelSelector', () => {
  it.each([
    [{}, {}, true],
    [undefined, {}, false],
    [{ matchLabels: { a: '1' } }, { a: '1' }, true],
    [{ matchExpressions: [{ key: 'a', operator: 'In' as const, values: ['1', '2'] }] }, { a: '2' }, true],
    [{ matchExpressions: [{ key: 'a', operator: 'In' as const, values: ['1'] }] }, {}, false],
    [{ matchExpressions: [{ key: 'a', operator: 'NotIn' as const, values: ['1'] }] }, {}, true],
    [{ matchExpressions: [{ key: 'a', operator: 'NotIn' as const, values: ['1'] }] }, { a: '1' }, false],
    [{ matchExpressions: [{ key: 'a', operator: 'Exists' as const }] }, { a: '' }, true],
    [{ matchExpressions: [{ key: 'a', operator: 'DoesNotExist' as const }] }, { a: '' }, false],
    [{ matchLabels: { a: '1' }, matchExpressions: [{ key: 'b', operator: 'Exists' as const }] }, { a: '1' }, false],
  ])('%j selects %j: %j', (selector, labels, expected) => {
    expect(matchesLabelSelector(selector, labels)).toBe(expected);
  });
});
