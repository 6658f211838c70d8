/**
 * Findings of workers that all do the same: what each of them tells is told on once. A finding that ends and comes again
 * is told by each worker again, and on once more.
 */
import type { Diagnostic } from '../../base/diagnostics/index.ts';

export interface FindingsOnce {
  heard(worker: number, finding: Diagnostic): void;
  /** It has ended and tells nothing more. */
  left(worker: number): void;
}

/** Findings remembered; beyond, the oldest may be told again. */
const maxRemembered = 1_000;

interface Known {
  /** Times that it was told on. */
  told: number;
  readonly times: Map<number, number>;
}

export function createFindingsOnce(pass: (finding: Diagnostic) => void): FindingsOnce {
  const known = new Map<string, Known>();

  function remember(key: string): Known {
    const found = known.get(key);
    if (found) return found;
    if (known.size >= maxRemembered) known.delete(known.keys().next().value!);
    const made = { told: 0, times: new Map<number, number>() };
    known.set(key, made);
    return made;
  }

  return {
    heard(worker, finding) {
      const one = remember(`${finding.code} ${finding.message}`);
      // A worker that came later begins with what lasts.
      const times = (one.times.get(worker) ?? Math.max(0, one.told - 1)) + 1;
      one.times.set(worker, times);
      if (times <= one.told) return;
      one.told = times;
      pass(finding);
    },
    left(worker) {
      for (const { times } of known.values()) times.delete(worker);
    },
  };
}
