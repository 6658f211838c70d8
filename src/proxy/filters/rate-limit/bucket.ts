/** A leaky bucket in one number per key: the time at which it will be empty (the generic cell rate algorithm). */
import type { ZoneTable } from '../zones.ts';

export interface Rate {
  /** Milliseconds that one request takes to leak out. */
  readonly intervalMs: number;
  /** Requests that may wait in the bucket beyond the first. */
  readonly burst: number;
}

/** Takes a request in: 0, or the milliseconds after which there would be room for it. */
export function admit(
  table: ZoneTable,
  key: string,
  now: number,
  { intervalMs, burst }: Rate,
  maxKeys: number,
): number {
  const emptyAt = table.get(key) ?? now;
  // A hair's breadth, for what adding up fractions loses.
  const waitMs = emptyAt - now - burst * intervalMs - 1e-6;
  if (waitMs > 0) return waitMs;
  table.delete(key);
  if (table.size >= maxKeys) forgetOldest(table);
  table.set(key, Math.max(now, emptyAt) + intervalMs);
  return 0;
}

function forgetOldest(table: ZoneTable): void {
  for (const key of table.keys()) {
    table.delete(key);
    return;
  }
}
