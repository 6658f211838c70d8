import { expectArgs, noBlock, single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';
import { createWhoami } from './whoami.ts';

/** `whoami`. */
export const setupWhoami: Setup = (directives) => {
  const directive = single(directives);
  expectArgs(directive, 0);
  noBlock(directive);
  return createWhoami();
};
