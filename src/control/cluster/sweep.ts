/** When references are at their bound: finds those that nothing makes any more, by translating everything anew. */
import type { References } from './references.ts';

export interface Sweep {
  /** Begins one where that is due. */
  begin(): void;
  /** To be called when a translation has come to its end. */
  end(): void;
}

/** Least time between two, in milliseconds. */
const leastMs = 60_000;

/** `refresh` translates everything from scratch, some time after. */
export function createSweep(references: References, refresh: () => void): Sweep {
  let endedAt = Number.NEGATIVE_INFINITY;
  let isUnderWay = false;
  return {
    begin() {
      if (!references.isFull || isUnderWay || performance.now() - endedAt < leastMs) return;
      isUnderWay = true;
      references.markAnew();
      refresh();
    },
    end() {
      if (!isUnderWay) return;
      isUnderWay = false;
      endedAt = performance.now();
      references.forgetOthers();
    },
  };
}
