/** Flags of commands that carry traffic: in how many processes, and how long they are given to end. */
import type { Command } from 'commander';
import { wholeNumber } from './flags.ts';

/** Longest that a stop may be asked to wait, in seconds: an hour. */
const mostDrainSeconds = 3600;

/** `--drain-timeout`, with a default in seconds. */
export function addDrainFlag(command: Command, seconds: number): void {
  const read = wholeNumber(0, mostDrainSeconds, `a whole number of seconds from 0 to ${mostDrainSeconds}`);
  command.option('--drain-timeout <seconds>', 'time for requests in flight after a stop signal', read, seconds);
}

/** `--workers`, for every command that carries traffic. */
export function addWorkersFlag(command: Command): void {
  const read = wholeNumber(0, 64, 'worker processes are a number from 0 (none of its own) to 64');
  command.option(
    '--workers <n>',
    'carry traffic in processes of its own, n of them; 0: in the one process that there is',
    read,
    0,
  );
}
