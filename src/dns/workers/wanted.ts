/** How many processes a Corefile wants. */
import { availableParallelism } from 'node:os';
import type { Corefile } from '../corefile/types.ts';

/** What one `multisocket` directive says: its number, else the processors there are. */
export function workersOf(args: readonly string[]): number {
  return args[0] === undefined ? availableParallelism() : Number(args[0]);
}

/** The largest number that a block asks for with `multisocket`; 1 without one. */
export function workersWanted({ blocks }: Corefile): number {
  const numbers = blocks.flatMap(({ directives }) =>
    directives.flatMap(({ name, args }) => (name === 'multisocket' ? [workersOf(args)] : [])),
  );
  return Math.max(1, ...numbers.filter((number) => Number.isInteger(number) && number <= 1024));
}
