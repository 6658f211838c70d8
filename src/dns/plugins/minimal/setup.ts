import { expectArgs, noBlock, single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';
import { createMinimal } from './minimal.ts';

/** `minimal`. */
export const setupMinimal: Setup = (directives) => {
  const directive = single(directives);
  expectArgs(directive, 0);
  noBlock(directive);
  return createMinimal();
};
