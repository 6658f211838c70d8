/** Writes statuses that differ from what is stored; one write per object per settle, none when nothing changed. */
import { equalJson, type ObjectApi } from '../kube/objects.ts';
import type { Unstructured } from '../kube/types/index.ts';
import type { DeliveryReport, StatusUpdate } from '../routing/translate.ts';

export interface StatusWriter {
  /** Brings every status up to date with the report; returns how many objects were written. */
  write(updates: readonly StatusUpdate[], report: DeliveryReport): number;
}

export interface StatusWriterOptions {
  objects: ObjectApi;
  onError(message: string): void;
}

export function createStatusWriter({ objects, onError }: StatusWriterOptions): StatusWriter {
  /** Objects whose status is as an update wants it that depends on nothing else. */
  const done = new WeakMap<StatusUpdate, Place>();

  function placeOf(update: StatusUpdate): Place {
    const { namespace, name } = update.ref;
    const place = done.get(update) ?? { key: namespace ? `${namespace}/${name}` : name, object: undefined };
    if (update.settled) done.set(update, place);
    return place;
  }

  /** Whether it was written. */
  function writeOne(update: StatusUpdate, report: DeliveryReport): boolean {
    const { ref, resource, build } = update;
    const place = placeOf(update);
    const stored = objects.store.get<Unstructured>(resource, place.key);
    if (!stored || stored === place.object) return false;
    const status = build(stored, report);
    place.object = stored;
    if (equalJson(status, stored.status)) return false;
    const result = objects.update({ ...stored, status } as Unstructured, { subresource: 'status' });
    place.object = result.ok ? result.value.object : undefined;
    if (!result.ok) onError(`status of ${ref.kind} ${place.key}: ${result.error.message}`);
    return result.ok;
  }

  return {
    write(updates, report) {
      let written = 0;
      for (const update of updates) if (writeOne(update, report)) written++;
      return written;
    },
  };
}

interface Place {
  /** `namespace/name`, or `name` where there are no namespaces. */
  readonly key: string;
  object: Unstructured | undefined;
}
