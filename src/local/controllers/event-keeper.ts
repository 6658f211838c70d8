/**
 * Events are kept for an hour after they were written last (`kube-apiserver --event-ttl`), and no more than so many of
 * them: the oldest go first.
 */
import { eventResource } from '../../kube/events.ts';
import { keyOf } from '../../kube/resources.ts';
import type { Store } from '../../kube/store/store.ts';

export interface EventKeeperOptions {
  readonly store: Store;
  /** How long an Event is kept after its last change, in milliseconds. Default 3,600,000. */
  readonly ttlMs?: number;
  /** Events kept. Default 5,000. */
  readonly most?: number;
}

export interface EventKeeper {
  close(): void;
}

export function createEventKeeper({ store, ttlMs = 3_600_000, most = 5000 }: EventKeeperOptions): EventKeeper {
  /** When each was written last, by key; the first is the oldest. */
  const written = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let sweeping: NodeJS.Immediate | undefined;

  function note(key: string): void {
    written.delete(key);
    written.set(key, performance.now());
    if (written.size > most) sweeping ??= setImmediate(sweep);
    arm();
  }

  function arm(): void {
    const [oldest] = written.values();
    if (oldest === undefined || timer) return;
    timer = setTimeout(sweep, Math.max(1, oldest + ttlMs - performance.now()));
    timer.unref();
  }

  /** Not from within a write: subscribers only take note. */
  function sweep(): void {
    clearTimeout(timer);
    timer = undefined;
    clearImmediate(sweeping);
    sweeping = undefined;
    const now = performance.now();
    for (const [key, at] of [...written]) {
      if (written.size <= most && at + ttlMs > now) break;
      store.remove(eventResource, key);
      written.delete(key);
    }
    arm();
  }

  const unsubscribe = store.subscribe(({ type, resource, object }) => {
    if (resource !== eventResource) return;
    if (type === 'DELETED') written.delete(keyOf(object));
    else note(keyOf(object));
  });
  for (const object of store.list(eventResource)) note(keyOf(object));

  return {
    close() {
      unsubscribe();
      clearTimeout(timer);
      clearImmediate(sweeping);
    },
  };
}
