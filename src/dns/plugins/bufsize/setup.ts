import { expectArgs, integer, noBlock, single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';
import { createBufsize } from './bufsize.ts';

/** `bufsize [SIZE]`: 512 to 4096, default 1232. */
export const setupBufsize: Setup = (directives, context) => {
  const directive = single(directives);
  noBlock(directive);
  const [text = '1232'] = expectArgs(directive, 0, 1);
  const size = integer(directive, text, 512, 4096);
  context.settings.maxUdpSize = size;
  return createBufsize(size);
};
