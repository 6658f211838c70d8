/**
 * Counts in a status (attachedRoutes, attachedListenerSets) change with every route of a burst. A status that differs
 * from the stored one in counts alone is written at most every half second, so that a thousand routes do not make a
 * thousand versions of their Gateway that everybody watches; any other difference is written at once.
 */
import { equalJson } from '../kube/objects.ts';
import { keyOf } from '../kube/resources.ts';
import type { StoreReader } from '../kube/store/store.ts';
import type { Unstructured } from '../kube/types/index.ts';
import type { DeliveryReport, StatusUpdate } from '../routing/translate.ts';

export interface CountPace {
  /** True: it is not to be written now, and `onDue` will be called in time. */
  defers(update: StatusUpdate, report: DeliveryReport): boolean;
  /** Ids of what was put off, which it forgets. */
  take(): ReadonlySet<string>;
  stop(): void;
}

export interface CountPaceOptions {
  store: StoreReader;
  /** Least time between two versions of an object that differ in counts alone, in milliseconds. Default 500. */
  everyMs?: number;
  /** Something that was put off is due. */
  onDue(): void;
}

const paced: ReadonlySet<string> = new Set([
  'gateways.gateway.networking.k8s.io',
  'listenersets.gateway.networking.k8s.io',
]);

const counts: ReadonlySet<string> = new Set(['attachedRoutes', 'attachedListenerSets']);

export function createCountPace({ store, everyMs = 500, onDue }: CountPaceOptions): CountPace {
  /** When a status changed last, by the object's id; those older than `everyMs` are of no use. */
  const changed = new Map<string, number>();
  const deferred = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  const unsubscribe = store.subscribe(({ type, resource, object, previous }) => {
    if (!paced.has(resource)) return;
    const id = `${resource} ${keyOf(object)}`;
    if (type === 'DELETED') changed.delete(id);
    else if ((object as Unstructured).status !== (previous as Unstructured | undefined)?.status)
      changed.set(id, performance.now());
  });

  function arm(ms: number): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      onDue();
    }, ms);
  }

  return {
    defers({ resource, ref, build }, report) {
      if (!paced.has(resource)) return false;
      const id = `${resource} ${keyOf({ metadata: ref })}`;
      const wait = (changed.get(id) ?? Number.NEGATIVE_INFINITY) + everyMs - performance.now();
      if (wait <= 0) return false;
      const stored = store.get<Unstructured>(resource, keyOf({ metadata: ref }));
      if (!stored || !differsInCountsAlone(stored.status, build(stored, report))) return false;
      deferred.add(id);
      arm(wait);
      return true;
    },
    take() {
      const due = new Set(deferred);
      deferred.clear();
      return due;
    },
    stop() {
      clearTimeout(timer);
      unsubscribe();
    },
  };
}

function differsInCountsAlone(before: unknown, now: unknown): boolean {
  return !equalJson(before, now) && equalJson(withoutCounts(before), withoutCounts(now));
}

function withoutCounts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutCounts);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, part]) => (counts.has(key) ? [] : [[key, withoutCounts(part)]])),
  );
}
