/** Where the data plane does not do what a row says, in no way that harms, and what it does. There is no such place. */
import type { Http2Case } from './case.ts';

export interface Deviation {
  /** Section and name of the cases. */
  readonly of: RegExp;
  /** What is complained about. */
  readonly got: RegExp;
  readonly why: string;
}

export const deviations: readonly Deviation[] = [];

export const deviationOf = ({ rfc, name }: Http2Case) => deviations.find(({ of }) => of.test(`${rfc} ${name}`));

/** What the data plane still has to guard: such tests are skipped, with the reason, until it does. */
export const pending: readonly Deviation[] = [];

export const pendingOf = (title: string, got: string) => pending.find((one) => one.of.test(title) && one.got.test(got));
