/**
 * Room for the requests of one backend: how many may be under way, over how many connections, and how many may wait
 * for that. Counts of one process.
 */
import type { BackendLimits } from '../../routing/plan/backend-policy.ts';
import type { Pool } from './pool.ts';

/** A request that waits, the longest waiting first. */
export interface Waiter {
  /** Coarse time until which it waits. */
  readonly until: number;
  /** Tries to go on; false when there is still no room. */
  resume(): boolean;
  /** It has waited for too long. */
  expire(): void;
}

export interface Room {
  /** undefined: no limits, and nobody waits. */
  limits: BackendLimits | undefined;
  /** undefined: that of the data plane. */
  connectTimeoutMs: number | undefined;
  /** Requests let in and not over. */
  active: number;
  readonly pools: ReadonlyMap<string, Pool>;
  /** One that is empty and shared by all, until somebody waits here. */
  waiting: Set<Waiter>;
  /** Those who wait will be looked at before long. */
  waking: boolean;
}

/** Nobody is ever put into it. */
const nobody = new Set<Waiter>();

export function createRoom(pools: ReadonlyMap<string, Pool> = new Map()): Room {
  return { limits: undefined, connectTimeoutMs: undefined, active: 0, pools, waiting: nobody, waking: false };
}

export function hasRoomForRequest({ limits, active }: Room): boolean {
  return limits?.maxRequests === undefined || active < limits.maxRequests;
}

export function hasRoomForConnection({ limits, pools }: Room): boolean {
  if (limits?.maxConnections === undefined) return true;
  let open = 0;
  for (const pool of pools.values()) open += pool.open;
  return open < limits.maxConnections;
}

/** False when too many wait already. */
export function waitFor(room: Room, waiter: Waiter): boolean {
  if (room.waiting.size >= (room.limits?.maxPending ?? 0)) return false;
  if (room.waiting === nobody) room.waiting = new Set();
  room.waiting.add(waiter);
  return true;
}

/** To be called when something has become free. Requests go on in the next step, not inside of this one. */
export function wake(room: Room): void {
  if (room.waking || room.waiting.size === 0) return;
  room.waking = true;
  setImmediate(resumeWaiting, room);
}

function resumeWaiting(room: Room): void {
  room.waking = false;
  for (const waiter of room.waiting) {
    // Still first in the queue while it tries, so that nobody goes before it.
    if (!waiter.resume()) return;
    room.waiting.delete(waiter);
  }
}

/** To be called at every tick. */
export function expireWaiting(room: Room, now: number): void {
  for (const waiter of room.waiting) {
    if (waiter.until > now) break;
    room.waiting.delete(waiter);
    waiter.expire();
  }
  wake(room);
}
