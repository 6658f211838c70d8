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
  return {
    write(updates, report) {
      let written = 0;
      for (const { ref, resource, build } of updates) {
        const key = ref.namespace ? `${ref.namespace}/${ref.name}` : ref.name;
        const stored = objects.store.get<Unstructured>(resource, key);
        if (!stored) continue;
        const status = build(stored, report);
        if (equalJson(status, stored.status)) continue;
        const result = objects.update({ ...stored, status } as Unstructured, { subresource: 'status' });
        if (result.ok) written++;
        else onError(`status of ${ref.kind} ${key}: ${result.error.message}`);
      }
      return written;
    },
  };
}
