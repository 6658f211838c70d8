/** Log lines as CoreDNS writes them: `[INFO] plugin/reload: ...`, one write for those of one tick. */
import type { LogLine } from '../plugins/setup.ts';

/** Lines that wait for their write; more are left out, with a line that says how many. */
const maxWaiting = 10_000;

export function createLineLog(write: (text: string) => void): LogLine {
  let waiting: string[] = [];
  let left = 0;
  let scheduled = false;

  function flush(): void {
    scheduled = false;
    if (left > 0) waiting.push(`[WARNING] ${left} log lines were left out`);
    const text = waiting.join('\n');
    waiting = [];
    left = 0;
    write(`${text}\n`);
  }

  return (level, text) => {
    if (waiting.length >= maxWaiting) left++;
    else waiting.push(`[${level.toUpperCase()}] ${text.replace(/[\r\n]+/g, ' ')}`);
    if (scheduled) return;
    scheduled = true;
    setImmediate(flush);
  };
}
