/** Distribution by weight: smooth weighted round robin, exact over every cycle and without bursts. */

/** Returns the index of the next share; -1 when no share has a weight. */
export type Splitter = () => number;

/** Steps made in advance at most, so that a new plan does not begin every route with its heaviest backend. */
const MAX_PHASE = 1_024;

/**
 * `weights` are whole numbers from 0 on. Over any run of as many picks as the (reduced) weights sum to, each share gets
 * exactly its weight. The cycle begins at a random place: plans that change often then still split as they should.
 */
export function createSplitter(weights: readonly number[], random: () => number = Math.random): Splitter {
  const divisor = weights.reduce(greatestCommonDivisor, 0);
  if (divisor === 0) return () => -1;
  const shares = weights.map((weight) => weight / divisor);
  if (shares.filter((share) => share > 0).length === 1) {
    const only = shares.findIndex((share) => share > 0);
    return only === 0 ? first : () => only;
  }
  const total = shares.reduce((sum, share) => sum + share, 0);
  const current = new Float64Array(shares.length);
  const next: Splitter = () => {
    let best = -1;
    for (let i = 0; i < shares.length; i++) {
      if (shares[i] === 0) continue;
      current[i]! += shares[i]!;
      if (best < 0 || current[i]! > current[best]!) best = i;
    }
    current[best]! -= total;
    return best;
  };
  for (let steps = Math.floor(random() * Math.min(total, MAX_PHASE)); steps > 0; steps--) next();
  return next;
}

/** One for all routes with a single backend: it is never far from the processor. */
const first: Splitter = () => 0;

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
