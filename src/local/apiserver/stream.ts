/** Writing a long answer without piling it up: the writer pauses when the reader is slow, and gives up when it stalls. */
import type { ServerResponse } from 'node:http';
import type { ApiLimits } from './limits.ts';

export interface PacedWriter {
  /** False when nobody reads any more. */
  readonly open: boolean;
  write(chunk: string | Buffer): void;
  /** More may be written now. */
  readonly ready: boolean;
  /** Resolves when more may be written, or at once when nobody reads any more. A stalled reader is cut off. */
  drained(): Promise<void>;
}

export function pacedWriter(response: ServerResponse, limits: ApiLimits): PacedWriter {
  const isOpen = () => !response.destroyed && !response.writableEnded;
  const isReady = () => response.writableLength < limits.responseBuffer;
  return {
    get open() {
      return isOpen();
    },
    get ready() {
      return isReady();
    },
    write(chunk) {
      if (isOpen()) response.write(chunk);
    },
    drained() {
      if (!isOpen() || isReady()) return Promise.resolve();
      return new Promise((resolve) => {
        const stall = setTimeout(() => response.destroy(), limits.stallTimeoutMs);
        const done = () => {
          clearTimeout(stall);
          response.off('drain', done);
          response.off('close', done);
          resolve();
        };
        response.on('drain', done);
        response.on('close', done);
      });
    },
  };
}
