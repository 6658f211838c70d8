import { expectArgs, noBlock, single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';

/** `debug`: lines of the level debug are logged too. */
export const setupDebug: Setup = (directives, context) => {
  const directive = single(directives);
  expectArgs(directive, 0);
  noBlock(directive);
  context.settings.debug = true;
  return undefined;
};
