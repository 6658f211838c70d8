import { describe, expect, it } from 'vitest';
import { createRetryBudget, defaultBudget, type RetryBudgetLimits } from './retry-budget.ts';

const ofLimits = (limits: RetryBudgetLimits) => createRetryBudget(defaultBudget(limits));

describe('a budget of retries', () => {
  it('permits a share of the requests', () => {
    const budget = ofLimits({ retryBudgetPercent: 20, minRetriesPerSecond: 0 });
    for (let i = 0; i < 100; i++) budget.request(i);
    const permitted = Array.from({ length: 50 }, () => budget.mayRetry(100)).filter(Boolean);
    expect(permitted).toHaveLength(20);
  });

  it('permits a few whatever the share', () => {
    const budget = ofLimits({ retryBudgetPercent: 0, minRetriesPerSecond: 1 });
    budget.request(0);
    expect(Array.from({ length: 20 }, () => budget.mayRetry(1)).filter(Boolean)).toHaveLength(10);
  });

  it('forgets as time goes by, not all at once', () => {
    const budget = ofLimits({ retryBudgetPercent: 10, minRetriesPerSecond: 0 });
    for (let i = 0; i < 100; i++) budget.request(0);
    for (let i = 0; i < 10; i++) expect(budget.mayRetry(0)).toBe(true);
    expect(budget.mayRetry(9_999)).toBe(false);
    for (let i = 0; i < 100; i++) budget.request(15_000);
    // Half of the interval before still counts: 150 requests, 5 retries.
    expect(Array.from({ length: 50 }, () => budget.mayRetry(15_000)).filter(Boolean)).toHaveLength(10);
    expect(budget.mayRetry(60_000)).toBe(false);
  });

  it('counts the least over a time of its own', () => {
    const budget = createRetryBudget({ percent: 10, intervalMs: 60_000, least: { count: 2, perMs: 1_000 } });
    const permitted = (now: number) => Array.from({ length: 9 }, () => budget.mayRetry(now)).filter(Boolean).length;
    expect(permitted(0)).toBe(2);
    expect(permitted(5_000)).toBe(2);
    for (let i = 0; i < 100; i++) budget.request(5_001);
    // A tenth of the requests, less the four before; the least is used up.
    expect(permitted(5_002)).toBe(6);
  });
});
