/** Output that nobody reads any more: the command at the other end of a pipe (`head`) is gone. */
import type { EventEmitter } from 'node:events';

/** As a shell shows a process that SIGPIPE has ended, which Node itself ignores. */
export const brokenPipeCode = 141;

export interface UnreadOptions {
  /** stdout and stderr. */
  readonly streams: readonly EventEmitter[];
  /** Whether somebody stops in good order at `stop`. */
  readonly hasStop: () => boolean;
  readonly stop: () => void;
  readonly exit: (code: number) => void;
}

/** Ends the process without a word, as other tools do; what serves stops in good order first. */
export function endWhenUnread({ streams, hasStop, stop, exit }: UnreadOptions): void {
  let isEnding = false;
  const onError = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (isEnding) return;
    isEnding = true;
    if (hasStop()) stop();
    else exit(brokenPipeCode);
  };
  for (const stream of streams) stream.on('error', onError);
}
