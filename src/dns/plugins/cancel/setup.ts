import { duration, expectArgs, noBlock, single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';
import { createCancel } from './cancel.ts';

/** `cancel [TIMEOUT]`: default 5001ms. */
export const setupCancel: Setup = (directives) => {
  const directive = single(directives);
  noBlock(directive);
  const [timeout] = expectArgs(directive, 0, 1);
  return createCancel(timeout === undefined ? 5001 : duration(directive, timeout, 1));
};
