/**
 * Lines to a file descriptor without ever waiting for it: they gather in memory up to a bound and are written in the
 * background, one write at a time. Lines beyond the bound are dropped and counted.
 */
import { close, write } from 'node:fs';

export interface WriterOptions {
  readonly fd: number;
  /** Bytes that may wait. Default 4 MiB. */
  readonly maxBufferedBytes?: number;
  /** Milliseconds that a line waits for others at most. Default 200. */
  readonly flushMs?: number;
  /** Called for the first of a row of failures, which go on until a write succeeds. */
  onError?(error: Error): void;
}

export interface Writer {
  /** One line with its line feed, ASCII. False when it was dropped. */
  write(line: string): boolean;
  /** Lines that were dropped or could not be written. */
  dropped(): number;
  /** Writes what is there for at most `timeoutMs`, then closes the descriptor unless it is stdout or stderr. */
  close(timeoutMs?: number): Promise<void>;
}

/** A batch is written at once when it is this large. */
const BATCH_BYTES = 65_536;
/** A pipe or terminal that is full is tried again after so many milliseconds. */
const FULL_RETRY_MS = 20;

export function createWriter(options: WriterOptions): Writer {
  const { fd, maxBufferedBytes = 4_194_304, flushMs = 200 } = options;
  let gathered = '';
  let lines = 0;
  /** Being written. */
  let batch: Buffer | undefined;
  let batchLines = 0;
  let at = 0;
  let dropped = 0;
  let failing = false;
  let closing = false;
  /** Closing has taken too long: what is left is not tried again. */
  let abandoned = false;
  let timer: NodeJS.Timeout | undefined;
  let whenDone: (() => void) | undefined;

  function begin(): void {
    clearTimeout(timer);
    timer = undefined;
    if (batch) return;
    if (gathered === '') {
      whenDone?.();
      return;
    }
    batch = Buffer.from(gathered, 'latin1');
    batchLines = lines;
    gathered = '';
    lines = 0;
    at = 0;
    go();
  }

  function go(): void {
    if (abandoned) return;
    write(fd, batch!, at, batch!.length - at, null, (error, written) => {
      if (abandoned) return;
      if (error?.code === 'EAGAIN') setTimeout(go, FULL_RETRY_MS);
      else if (error) fail(error);
      else advance(written);
    });
  }

  function advance(written: number): void {
    failing = false;
    at += written;
    if (at < batch!.length) go();
    else next();
  }

  function fail(error: Error): void {
    dropped += batchLines;
    if (!failing) options.onError?.(error);
    failing = true;
    next();
  }

  function next(): void {
    batch = undefined;
    if (gathered.length >= BATCH_BYTES || whenDone) begin();
    else if (gathered !== '') wait();
  }

  function wait(): void {
    timer ??= setTimeout(begin, flushMs);
  }

  return {
    write(line) {
      if (closing || gathered.length + (batch?.length ?? 0) + line.length > maxBufferedBytes) {
        dropped++;
        return false;
      }
      gathered += line;
      lines++;
      if (batch) return true;
      if (gathered.length >= BATCH_BYTES) begin();
      else wait();
      return true;
    },
    dropped: () => dropped,
    async close(timeoutMs = 1000) {
      closing = true;
      let limit: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        whenDone = resolve;
        limit = setTimeout(resolve, timeoutMs);
        begin();
      });
      clearTimeout(limit);
      abandoned = true;
      // A write that hangs keeps its descriptor: closing it under it could hit another file.
      if (fd > 2 && !batch) await new Promise<void>((resolve) => close(fd, () => resolve()));
    },
  };
}
