/** How much of something a client may have, at once and per second. */
export interface Budget {
  readonly most: number;
  readonly perSecond: number;
  left: number;
  /** When it was filled last; `performance.now()`. */
  filledAt: number;
}

export function createBudget(most: number, perSecond: number): Budget {
  return { most, perSecond, left: most, filledAt: performance.now() };
}

/** False when nothing is left. The clock is only looked at then. */
export function spend(budget: Budget): boolean {
  if (budget.left < 1) refill(budget);
  budget.left--;
  return budget.left >= 0;
}

function refill(budget: Budget): void {
  const now = performance.now();
  earn(budget, ((now - budget.filledAt) / 1_000) * budget.perSecond);
  budget.filledAt = now;
}

export function earn(budget: Budget, amount: number): void {
  budget.left = Math.min(budget.most, budget.left + amount);
}
