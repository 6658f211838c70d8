import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ApiError } from '../../kube/client/api-error.ts';
import type { ApiReader } from './api-watch.ts';
import { createResume } from './resume.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const away: ApiError = { kind: 'unreachable', message: 'connect ECONNREFUSED' };
const forbidden: ApiError = { kind: 'status', code: 403, message: 'forbidden' };

function reader(error: ApiError | undefined) {
  const hurry = vi.fn();
  return { error, state: 'waiting', hurry } as unknown as Omit<ApiReader, 'error'> & {
    error: ApiError | undefined;
    hurry: typeof hurry;
  };
}

describe('createResume', () => {
  it('wakes the others when one finds the API answering, once', () => {
    const all = [reader(away), reader(away), reader(forbidden), reader(away)];
    const look = createResume({ readers: () => all });
    const woken = () => {
      vi.advanceTimersByTime(600);
      return all.map(({ hurry }) => hurry.mock.calls.length);
    };
    expect([look(), woken()]).toEqual([true, [0, 0, 0, 0]]);
    expect([look(), woken()]).toEqual([true, [0, 0, 0, 0]]);
    all[1]!.error = undefined;
    expect([look(), woken()]).toEqual([true, [1, 0, 0, 1]]);
    // One that goes on failing is not asked more often for it.
    expect([look(), woken()]).toEqual([true, [1, 0, 0, 1]]);
    all[0]!.error = undefined;
    all[3]!.error = undefined;
    expect([look(), woken()]).toEqual([false, [1, 0, 0, 1]]);
  });

  it('takes one that was stopped for no sign', () => {
    const [one, other] = [reader(away), reader(away)];
    let all: ApiReader[] = [one, other];
    const look = createResume({ readers: () => all });
    look();
    Object.assign(one, { state: 'stopped' });
    all = [other];
    look();
    vi.advanceTimersByTime(600);
    expect(other.hurry).not.toHaveBeenCalled();
  });
});
