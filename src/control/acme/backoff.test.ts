import { describe, expect, it } from 'vitest';
import { retryAfter, verdictOf } from './backoff.ts';
import { AcmeError } from './problem.ts';

const problem = (type: string, status: number, retryAfterMs?: number) =>
  new AcmeError({ type, detail: '', status, ...(retryAfterMs !== undefined && { retryAfterMs }) });
const minute = 60_000;
const waitOf = (error: unknown, failures: number) => retryAfter(error, failures, {}, () => 0).waitMs;

describe('after a failure', () => {
  it.each([
    [problem('unauthorized', 403), 'failed'],
    [problem('rejectedIdentifier', 400), 'failed'],
    [problem('dns', 0), 'failed'],
    [new AcmeError({ type: '', detail: '', status: 0, isFinal: true }), 'failed'],
    [problem('rateLimited', 429), 'limited'],
    [problem('', 429), 'limited'],
    [problem('', 0), 'passing'],
    [problem('', 503), 'passing'],
    [problem('serverInternal', 500), 'passing'],
    [problem('badNonce', 400), 'passing'],
    [new Error('the API does not answer'), 'passing'],
  ])('%j counts as %s', (error, verdict) => {
    expect(verdictOf(error)).toBe(verdict);
  });

  it('the wait doubles from five minutes to a day', () => {
    const failed = problem('unauthorized', 403);
    expect([1, 2, 3, 4].map((count) => waitOf(failed, count) / minute)).toEqual([5, 10, 20, 40]);
    expect(waitOf(failed, 50) / minute).toBe(1440);
    // Let's Encrypt counts five failures an hour.
    const times = [1, 2, 3, 4, 5].map((count) => waitOf(failed, count) / minute);
    expect(times.slice(0, 4).reduce((sum, each) => sum + each)).toBeGreaterThan(60);
  });

  it('the wait is what the server asks for', () => {
    expect(waitOf(problem('rateLimited', 429, 7 * minute), 1)).toBe(7 * minute);
    expect(waitOf(problem('rateLimited', 429), 1)).toBe(60 * minute);
    expect(waitOf(problem('unauthorized', 403, 30 * minute), 1)).toBe(30 * minute);
    expect(waitOf(problem('', 503, 2 * minute), 1)).toBe(2 * minute);
    expect(waitOf(problem('', 503), 1)).toBe(5000);
    expect(waitOf(problem('', 503), 20)).toBe(10 * minute);
  });

  it('the wait is not the same for all', () => {
    const waits = [0, 0.5, 0.99].map((chance) => retryAfter(new Error(), 1, {}, () => chance).waitMs);
    expect(new Set(waits).size).toBe(3);
  });
});
