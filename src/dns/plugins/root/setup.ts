import { resolve } from 'node:path';
import { expectArgs, noBlock, single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';

/** `root PATH`: the folder of relative paths of the plugins in this block. */
export const setupRoot: Setup = (directives, context) => {
  const directive = single(directives);
  noBlock(directive);
  context.settings.root = resolve(context.settings.root, expectArgs(directive, 1)[0]!);
  return undefined;
};
