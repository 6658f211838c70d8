/**
 * Turns the change feed into work by key: each key is worked on once however often it changed, and never inside the
 * write that changed it. Work is synchronous, so a set of reconcilers can be run until nothing is left to do
 * (`settle`), which is how `explain -f` sees a cluster without starting one.
 */
import type { ResourceName } from '../resources.ts';
import type { Change, StoreReader } from './store.ts';

export interface Reconciler {
  /** Marks a key as in need of work. */
  enqueue(key: string): void;
  /** Works on all that is waiting; returns how many keys it worked on. */
  drain(): number;
  /** From now on drains by itself, in the macrotask after a change. */
  start(): void;
  stop(): void;
}

export interface ReconcilerOptions {
  store: StoreReader;
  /** For each watched resource: the keys to work on when an object of it changes. */
  watch: Record<ResourceName, (change: Change) => Iterable<string>>;
  reconcile(key: string): void;
  /**
   * Changes that `reconcile` makes itself call for no more work, for controllers that leave nothing for a second look.
   * Default false.
   */
  ignoreOwnWrites?: boolean;
  /** What to do with an exception out of `reconcile`; the other keys go on. */
  onError(error: unknown, key: string): void;
}

/** Subscribes at once; keys of objects that are already in the store are enqueued. */
export function createReconciler(options: ReconcilerOptions): Reconciler {
  const waiting = new Set<string>();
  let running = false;
  let working = false;
  let scheduled: NodeJS.Immediate | undefined;

  function schedule(): void {
    if (!running || scheduled) return;
    scheduled = setImmediate(() => {
      scheduled = undefined;
      reconciler.drain();
      if (waiting.size > 0) schedule();
    });
  }

  function note(change: Change): void {
    const keysOf = options.watch[change.resource];
    if (!keysOf || (working && options.ignoreOwnWrites)) return;
    for (const key of keysOf(change)) waiting.add(key);
    if (waiting.size > 0) schedule();
  }

  const unsubscribe = options.store.subscribe(note);

  const reconciler: Reconciler = {
    enqueue(key) {
      waiting.add(key);
      schedule();
    },
    drain() {
      const keys = [...waiting];
      waiting.clear();
      working = true;
      for (const key of keys) {
        try {
          options.reconcile(key);
        } catch (error) {
          options.onError(error, key);
        }
      }
      working = false;
      return keys.length;
    },
    start() {
      running = true;
      if (waiting.size > 0) schedule();
    },
    stop() {
      running = false;
      unsubscribe();
      if (scheduled) clearImmediate(scheduled);
    },
  };

  for (const resource of Object.keys(options.watch)) {
    for (const object of options.store.list(resource))
      note({ type: 'ADDED', resource, object, revision: options.store.revision });
  }
  return reconciler;
}

/**
 * Drains all reconcilers until none has work. Throws after `maxRounds` rounds: two controllers that undo each other's
 * work are a bug, and an endless loop would hide it.
 */
export function settle(reconcilers: readonly Reconciler[], maxRounds = 1000): void {
  for (let round = 0; round < maxRounds; round++) {
    let worked = 0;
    for (const reconciler of reconcilers) worked += reconciler.drain();
    if (worked === 0) return;
  }
  throw new Error(`controllers did not settle within ${maxRounds} rounds`);
}
