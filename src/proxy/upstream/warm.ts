/** Connections opened before requests need them. */
import type { Pool } from './pool.ts';
import { hasRoomForConnection } from './room.ts';

/** Begins a connection that becomes idle once it is there; `over` tells how that went. */
export type OpenIdle = (pool: Pool, over: (connected: boolean) => void) => void;

/** After a failure nothing is opened for so long, twice as long after each further one. */
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60_000;

/** Begins what is missing of `count` idle connections to an endpoint, as far as its backend has room for them. */
export function keepWarm(pool: Pool, count: number, now: number, open: OpenIdle): void {
  if (pool.draining || now < pool.warmAfter) return;
  for (let missing = count - pool.idle.length - pool.warming; missing > 0; missing--) {
    if (!hasRoomForConnection(pool.room)) return;
    pool.warming++;
    open(pool, (connected) => {
      pool.warming--;
      if (connected) pool.warmFailures = 0;
      else pause(pool, now);
    });
  }
}

function pause(pool: Pool, now: number): void {
  if (now < pool.warmAfter) return;
  pool.warmAfter = now + Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** pool.warmFailures);
  pool.warmFailures++;
}
