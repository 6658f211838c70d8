/** What a soak has found, and which generations it is about. */

/** Which plans may answer now. */
export interface Generations {
  /** The newest one known to be in force. */
  inForce: number;
  /** The newest one that may be. */
  sent: number;
}

export interface Report {
  count(what: string, more?: number): void;
  latency(ms: number): void;
  /** An error, a reset or a wrong answer. */
  wrong(what: string): void;
  readonly counts: ReadonlyMap<string, number>;
  /** The first ones, in words. */
  readonly problems: readonly string[];
  problemCount(): number;
  /** Milliseconds that a share of the requests took at most. */
  quantile(share: number): number;
}

const MAX_PROBLEMS = 20;
/** Latencies are counted in steps of this many milliseconds. */
const STEP_MS = 0.25;

export function createReport(): Report {
  const counts = new Map<string, number>();
  const problems: string[] = [];
  let problemCount = 0;
  const steps = new Uint32Array(40_000);
  let measured = 0;
  return {
    counts,
    problems,
    problemCount: () => problemCount,
    count(what, more = 1) {
      counts.set(what, (counts.get(what) ?? 0) + more);
    },
    latency(ms) {
      const step = Math.min(steps.length - 1, Math.floor(ms / STEP_MS));
      steps[step] = steps[step]! + 1;
      measured++;
    },
    wrong(what) {
      problemCount++;
      if (problems.length < MAX_PROBLEMS) problems.push(what);
    },
    quantile(share) {
      let left = Math.ceil(measured * share);
      for (let step = 0; step < steps.length; step++) {
        left -= steps[step]!;
        if (left <= 0) return (step + 1) * STEP_MS;
      }
      return steps.length * STEP_MS;
    },
  };
}
