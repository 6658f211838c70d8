import { describe, expect, it } from 'vitest';
import { createRetryBudget } from './retry-budget.ts';

describe('a budget of retries', () => {
  it('permits a share of the requests', () => {
    const budget = createRetryBudget({ retryBudgetPercent: 20, minRetriesPerSecond: 0 });
    for (let i = 0; i < 100; i++) budget.request(i);
    const permitted = Array.from({ length: 50 }, () => budget.mayRetry(100)).filter(Boolean);
    expect(permitted).toHaveLength(20);
  });

  it('permits a few whatever the share', () => {
    const budget = createRetryBudget({ retryBudgetPercent: 0, minRetriesPerSecond: 1 });
    budget.request(0);
    expect(Array.from({ length: 20 }, () => budget.mayRetry(1)).filter(Boolean)).toHaveLength(10);
  });

  it('forgets as time goes by, not all at once', () => {
    const budget = createRetryBudget({ retryBudgetPercent: 10, minRetriesPerSecond: 0 });
    for (let i = 0; i < 100; i++) budget.request(0);
    for (let i = 0; i < 10; i++) expect(budget.mayRetry(0)).toBe(true);
    expect(budget.mayRetry(9_999)).toBe(false);
    for (let i = 0; i < 100; i++) budget.request(15_000);
    // Half of the interval before still counts: 150 requests, 5 retries.
    expect(Array.from({ length: 50 }, () => budget.mayRetry(15_000)).filter(Boolean)).toHaveLength(10);
    expect(budget.mayRetry(60_000)).toBe(false);
  });
});
