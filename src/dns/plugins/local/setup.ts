import { expectArgs, readBlock, refuse, single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';
import { createLocal } from './local.ts';

/** `local { localhost_prefix on|off }`. */
export const setupLocal: Setup = (directives, context) => {
  const directive = single(directives);
  expectArgs(directive, 0);
  let prefix = true;
  readBlock(directive, {
    localhost_prefix(line) {
      const [word] = expectArgs(line, 1);
      if (word !== 'on' && word !== 'off') refuse(line, `localhost_prefix expects 'on' or 'off', got "${word}"`);
      prefix = word === 'on';
    },
  });
  return createLocal(prefix, context.shared.metrics);
};
