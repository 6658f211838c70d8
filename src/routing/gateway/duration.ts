/** Durations of the Gateway API (GEP-2257). */

const shape = /^([0-9]{1,5}(h|m|s|ms)){1,4}$/;
const part = /([0-9]+)(ms|h|m|s)/g;
const milliseconds: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** How a value that is none becomes one. */
export const durationHint = 'Write a duration such as 500ms, 10s or 1m30s.';

/** Milliseconds of `1h30m`, `500ms`…; undefined when the text is no such duration. */
export function parseDuration(text: string): number | undefined {
  if (!shape.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(part)) total += Number(count) * milliseconds[unit!]!;
  return total;
}
