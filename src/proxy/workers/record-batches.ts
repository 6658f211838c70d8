/**
 * Records of requests on their way to the process that writes them: many in one message, never waited for, bounded.
 * One writer for all workers keeps lines whole wherever they are written.
 */

export interface RecordBatches<T> {
  add(record: T): void;
  /** Sends what is there. */
  flush(): void;
}

/** Hands a batch over and calls back when it is on its way. */
type Send<T> = (records: readonly T[], sent: () => void) => void;

const BATCH_RECORDS = 128;
const FLUSH_MS = 100;
/** Records that wait for the channel; heads are bounded, so that these are a few MiB as a rule. */
const MAX_WAITING = 16_384;

/** `dropped` is called for each record that finds too many waiting. */
export function createRecordBatches<T>(send: Send<T>, dropped: () => void): RecordBatches<T> {
  let batch: T[] = [];
  let underWay = 0;
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (batch.length === 0) return;
    const records = batch;
    batch = [];
    underWay += records.length;
    send(records, () => {
      underWay -= records.length;
    });
  }

  return {
    add(record) {
      if (underWay + batch.length >= MAX_WAITING) return dropped();
      batch.push(record);
      if (batch.length >= BATCH_RECORDS) flush();
      else timer ??= setTimeout(flush, FLUSH_MS);
    },
    flush,
  };
}
