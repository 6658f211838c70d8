import { expectArgs, readBlock } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';
import { addressesToBind } from './bind.ts';

/** `bind ADDRESS|INTERFACE... { except ADDRESS|INTERFACE... }`. */
export const setupBind: Setup = (directives, context) => {
  const all = directives.flatMap((directive) => {
    const named = expectArgs(directive, 1, Infinity);
    const except: string[] = [];
    readBlock(directive, { except: (line) => except.push(...expectArgs(line, 1, Infinity)) });
    return addressesToBind(directive, named, except);
  });
  context.settings.bind = [...new Set(all)];
  return undefined;
};
