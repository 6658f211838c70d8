import { describe, expect, it, vi } from 'vitest';
import type { References } from './references.ts';
import { createSweep } from './sweep.ts';

function setUp() {
  const references = { isFull: true, markAnew: vi.fn(), forgetOthers: vi.fn() };
  const refresh = vi.fn();
  return { references, refresh, sweep: createSweep(references as unknown as References, refresh) };
}

describe('createSweep', () => {
  it('forgets when everything was translated anew, and not with a plan that was on its way before', () => {
    const { references, refresh, sweep } = setUp();
    sweep.begin();
    sweep.begin();
    expect([references.markAnew.mock.calls.length, refresh.mock.calls.length]).toEqual([1, 1]);
    // The data plane acknowledges the plan from before.
    sweep.end();
    expect(references.forgetOthers).not.toHaveBeenCalled();
    sweep.translated();
    sweep.end();
    sweep.end();
    expect(references.forgetOthers).toHaveBeenCalledTimes(1);
    // Not again at once.
    sweep.begin();
    expect(references.markAnew).toHaveBeenCalledTimes(1);
  });

  it('has nothing to do while there is room', () => {
    const { references, refresh, sweep } = setUp();
    references.isFull = false;
    sweep.begin();
    sweep.translated();
    sweep.end();
    expect([refresh, references.forgetOthers].map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
  });
});
