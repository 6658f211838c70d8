/**
 * Writes statuses that differ from what is stored; one write per object per settle, none when nothing changed. An
 * update that follows from objects alone is looked at once, and again when its object was stored anew.
 */
import { equalJson, type ObjectApi } from '../kube/objects.ts';
import { keyOf } from '../kube/resources.ts';
import type { Unstructured } from '../kube/types/index.ts';
import { listDifference } from '../routing/incremental/sorted.ts';
import type { DeliveryReport, StatusUpdate } from '../routing/translate.ts';

export interface StatusWriter {
  /** Brings every status up to date with the report; returns how many objects were written. */
  write(updates: readonly StatusUpdate[], report: DeliveryReport): number;
  /** It hears no more of the store. */
  stop(): void;
}

export interface StatusWriterOptions {
  objects: ObjectApi;
  onError(message: string): void;
}

export function createStatusWriter({ objects, onError }: StatusWriterOptions): StatusWriter {
  let before: readonly StatusUpdate[] = [];
  /** Those in force, by their objects. */
  const wanted = new Map<string, StatusUpdate>();
  /** Those that depend on more than objects. */
  const unsettled = new Set<StatusUpdate>();
  /** Objects whose statuses are to be looked at: stored by others since the last time, or not written for an error. */
  const touched = new Set<string>();
  let writing = false;

  const unsubscribe = objects.store.subscribe(({ resource, object }) => {
    if (writing) return;
    const id = `${resource} ${keyOf(object)}`;
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

  /** Whether it was written. */
  function writeOne({ ref, resource, build }: StatusUpdate, report: DeliveryReport): boolean {
    const stored = objects.store.get<Unstructured>(resource, keyOf({ metadata: ref }));
    if (!stored) return false;
    const status = build(stored, report);
    if (equalJson(status, stored.status)) return false;
    const result = objects.update({ ...stored, status } as Unstructured, { subresource: 'status' });
    if (!result.ok) throw new Error(result.error.message);
    return true;
  }

  /** The same; what goes wrong with one object keeps no other from being written. */
  function tryOne(update: StatusUpdate, report: DeliveryReport): boolean {
    try {
      return writeOne(update, report);
    } catch (error) {
      touched.add(idOf(update));
      const { ref } = update;
      onError(
        `status of ${ref.kind} ${keyOf({ metadata: ref })}: ${error instanceof Error ? error.message : String(error)}`,
      );
      return false;
    }
  }

  return {
    write(updates, report) {
      let written = 0;
      const due = follow(updates);
      writing = true;
      try {
        for (const update of due) if (tryOne(update, report)) written++;
      } finally {
        writing = false;
      }
      return written;
    },
    stop: unsubscribe,
  };
}

function idOf({ resource, ref }: StatusUpdate): string {
  return `${resource} ${keyOf({ metadata: ref })}`;
}
