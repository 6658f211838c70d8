import { describe, expect, expectTypeOf, it } from 'vitest';
import { defaults } from '../options.ts';
import type { WorkerOptions } from './messages.ts';

type Functions<T> = { [K in keyof T]-?: NonNullable<T[K]> extends (...args: never[]) => unknown ? K : never }[keyof T];

describe('options of a worker', () => {
  it('survive JSON: what calls back is a message of its own', () => {
    expectTypeOf<Functions<WorkerOptions>>().toEqualTypeOf<never>();
    expect(JSON.parse(JSON.stringify(defaults))).toEqual(defaults);
  });
});
