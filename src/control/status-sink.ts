/** Where statuses go: to objects of this process, or to those of a Kubernetes API elsewhere (cluster/status-queue.ts). */
import { equalJson, type ObjectApi } from '../kube/objects.ts';
import { keyOf } from '../kube/resources.ts';
import type { Change } from '../kube/store/store.ts';
import type { Unstructured } from '../kube/types/index.ts';
import type { DeliveryReport, StatusUpdate } from '../routing/translate.ts';

export interface StatusSink {
  /**
   * Brings the status of one object up to date, at once or later; nothing is written when it is already. The report is
   * asked when the status is built. Returns whether it was written at once; throws when it was tried and failed.
   */
  write(update: StatusUpdate, report: DeliveryReport): boolean;
  /** Whether a change that is one of status only calls for nothing: it is our own write, or not ours to put right. */
  disregards(change: Change): boolean;
}

/** Writes at once. */
export function createLocalStatusSink(objects: ObjectApi): StatusSink {
  let isWriting = false;

  function update(object: Unstructured): void {
    isWriting = true;
    try {
      const result = objects.update(object, { subresource: 'status' });
      if (!result.ok) throw new Error(result.error.message);
    } finally {
      isWriting = false;
    }
  }

  return {
    write({ ref, resource, build }, report) {
      const stored = objects.store.get<Unstructured>(resource, keyOf({ metadata: ref }));
      if (!stored) return false;
      const status = build(stored, report);
      if (equalJson(status, stored.status)) return false;
      update({ ...stored, status } as Unstructured);
      return true;
    },
    // Changes are told before the write returns.
    disregards: () => isWriting,
  };
}
