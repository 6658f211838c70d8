/** How many files, sockets among them, this process may have open at once. */
import { readFileSync } from 'node:fs';

/**
 * The soft limit (`ulimit -n`), which Node raises to the hard one when it starts. Infinity without a limit; undefined
 * where the system does not tell: /proc/self/limits is Linux's.
 */
export function openFileLimit(readLimits: () => string = readOwnLimits): number | undefined {
  try {
    const soft = /^Max open files\s+(\S+)/m.exec(readLimits())?.[1];
    if (soft === 'unlimited') return Number.POSITIVE_INFINITY;
    return soft === undefined || !/^\d+$/.test(soft) ? undefined : Number(soft);
  } catch {
    // No such file: another system.
    return undefined;
  }
}

function readOwnLimits(): string {
  return readFileSync('/proc/self/limits', 'latin1');
}
