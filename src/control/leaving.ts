/**
 * Backends that no plan names any more. The data plane keeps their endpoints for a while: requests that began with an
 * older plan finish on it, and with workers that plan is in force until they have the next one.
 */
import type { BackendId } from '../routing/plan/plan.ts';

export interface Leaving {
  /** A plan without it is on its way. */
  add(id: BackendId): void;
  /** It is in the plan again. */
  remove(id: BackendId): void;
  stop(): void;
}

/** `forget` is called for each after `forgetMs`, unless it was removed before. */
export function createLeaving(forgetMs: number, forget: (id: BackendId) => void): Leaving {
  /** When they left; the first is the first to be forgotten. */
  const since = new Map<BackendId, number>();
  let timer: NodeJS.Timeout | undefined;

  function arm(): void {
    const [first] = since.values();
    if (first === undefined || timer) return;
    timer = setTimeout(forgetDue, Math.max(1, first + forgetMs - performance.now()));
    timer.unref();
  }

  function forgetDue(): void {
    timer = undefined;
    const now = performance.now();
    for (const [id, left] of since) {
      if (left + forgetMs > now) break;
      since.delete(id);
      forget(id);
    }
    arm();
  }

  return {
    add(id) {
      since.set(id, performance.now());
      arm();
    },
    remove: (id) => void since.delete(id),
    stop() {
      clearTimeout(timer);
      since.clear();
    },
  };
}
