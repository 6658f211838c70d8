/** Time as a dependency, so that translators stay pure and tests choose the hour. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

let lastSecond = Number.NaN;
let lastText = '';

/** Kubernetes' `metav1.Time`: RFC 3339 in UTC with whole seconds. Thousands of objects are written in one second. */
export function toKubeTime(milliseconds: number): string {
  const second = Math.floor(milliseconds / 1000);
  if (second !== lastSecond) {
    lastText = `${new Date(second * 1000).toISOString().slice(0, 19)}Z`;
    lastSecond = second;
  }
  return lastText;
}
