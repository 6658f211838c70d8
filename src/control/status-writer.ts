/**
 * Finds the statuses to bring up to date: one look per object per settle, none when nothing can have changed. An
 * update that follows from objects alone is looked at once, and again when its object was stored anew.
 */
import { keyOf } from '../kube/resources.ts';
import type { StoreReader } from '../kube/store/store.ts';
import { listDifference } from '../routing/incremental/sorted.ts';
import type { DeliveryReport, StatusUpdate } from '../routing/translate.ts';
import { createCountPace } from './count-pace.ts';
import type { StatusSink } from './status-sink.ts';

export interface StatusWriter {
  /** Brings every status up to date with the report; returns how many objects were written at once. */
  write(updates: readonly StatusUpdate[], report: DeliveryReport): number;
  /** Writes what was put off (count-pace.ts) now. */
  flush(): void;
  /** The next `write` looks at every status. */
  lookAgain(): void;
  /** It hears no more of the store. */
  stop(): void;
}

export interface StatusWriterOptions {
  store: StoreReader;
  sink: StatusSink;
  /** See CountPaceOptions. */
  countsEveryMs?: number;
  onError(message: string): void;
}

export function createStatusWriter({ store, sink, countsEveryMs, onError }: StatusWriterOptions): StatusWriter {
  let before: readonly StatusUpdate[] = [];
  /** Those in force, by their objects. */
  const wanted = new Map<string, StatusUpdate>();
  /** Those that depend on more than objects. */
  const unsettled = new Set<StatusUpdate>();
  /** Objects whose statuses are to be looked at: stored by others since the last time, or not written for an error. */
  const touched = new Set<string>();

  let lastReport: DeliveryReport = { listener: () => undefined };
  const pace = createCountPace({ store, onDue: flush, ...(countsEveryMs !== undefined && { everyMs: countsEveryMs }) });

  const unsubscribe = store.subscribe((change) => {
    if (sink.disregards(change)) return;
    const id = `${change.resource} ${keyOf(change.object)}`;
    if (wanted.has(id)) touched.add(id);
  });

  /** Takes note of updates that came and went; returns those to look at. */
  function follow(updates: readonly StatusUpdate[]): ReadonlySet<StatusUpdate> {
    const { came, went } = listDifference(before, updates);
    before = updates;
    for (const update of went) {
      unsettled.delete(update);
      if (wanted.get(idOf(update)) === update) wanted.delete(idOf(update));
    }
    for (const update of came) {
      wanted.set(idOf(update), update);
      if (!update.settled) unsettled.add(update);
    }
    const due = new Set(came);
    for (const update of unsettled) due.add(update);
    for (const id of touched) if (wanted.has(id)) due.add(wanted.get(id)!);
    touched.clear();
    return due;
  }

  /** Whether it was written; what goes wrong with one object keeps no other from being written. */
  function tryOne(update: StatusUpdate, report: DeliveryReport, mayWait: boolean): boolean {
    try {
      if (mayWait && pace.defers(update, report)) return false;
      return sink.write(update, report);
    } catch (error) {
      touched.add(idOf(update));
      const { ref } = update;
      onError(
        `status of ${ref.kind} ${keyOf({ metadata: ref })}: ${error instanceof Error ? error.message : String(error)}`,
      );
      return false;
    }
  }

  function flush(): void {
    for (const id of pace.take()) if (wanted.has(id)) tryOne(wanted.get(id)!, lastReport, false);
  }

  return {
    write(updates, report) {
      lastReport = report;
      let written = 0;
      for (const update of follow(updates)) if (tryOne(update, report, true)) written++;
      return written;
    },
    flush,
    lookAgain() {
      for (const id of wanted.keys()) touched.add(id);
    },
    stop() {
      unsubscribe();
      pace.stop();
    },
  };
}

function idOf({ resource, ref }: StatusUpdate): string {
  return `${resource} ${keyOf({ metadata: ref })}`;
}
