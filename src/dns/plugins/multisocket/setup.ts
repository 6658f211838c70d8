import { expectArgs, integer, noBlock, single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';

/**
 * `multisocket [NUMBER]`: 1 to 1024 processes, default one for each processor. Here it is only checked: the processes
 * are started before a Corefile is set up in each of them (src/dns/workers/wanted.ts).
 */
export const setupMultisocket: Setup = (directives) => {
  const directive = single(directives);
  noBlock(directive);
  const [number] = expectArgs(directive, 0, 1);
  if (number !== undefined) integer(directive, number, 1, 1024);
  return { name: 'multisocket' };
};
