import { expectArgs, noBlock, single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';
import { createAny } from './any.ts';

/** `any`. */
export const setupAny: Setup = (directives) => {
  const directive = single(directives);
  expectArgs(directive, 0);
  noBlock(directive);
  return createAny();
};
