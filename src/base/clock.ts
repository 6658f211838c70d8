/** Time as a dependency, so that translators stay pure and tests choose the hour. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Kubernetes' `metav1.Time`: RFC 3339 in UTC with whole seconds. */
export function toKubeTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
