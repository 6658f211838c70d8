/** When references are at their bound: finds those that nothing makes any more, by translating everything anew. */
import type { References } from './references.ts';

export interface Sweep {
  /** Begins one where that is due. */
  begin(): void;
  /** To be called after each translation: the first after `begin` is the one from scratch. */
  translated(): void;
  /** To be called when a translation is in force. */
  end(): void;
}

/** Least time between two, in milliseconds. */
const leastMs = 60_000;

/** `refresh` translates everything from scratch, some time after. */
export function createSweep(references: References, refresh: () => void): Sweep {
  let endedAt = Number.NEGATIVE_INFINITY;
  let isUnderWay = false;
  /** Else what comes into force is a plan that was on its way before, and nothing was asked for yet. */
  let isTranslated = false;
  return {
    begin() {
      if (!references.isFull || isUnderWay || performance.now() - endedAt < leastMs) return;
      isUnderWay = true;
      isTranslated = false;
      references.markAnew();
      refresh();
    },
    translated() {
      isTranslated = true;
    },
    end() {
      if (!isUnderWay || !isTranslated) return;
      isUnderWay = false;
      endedAt = performance.now();
      references.forgetOthers();
    },
  };
}
