import { expectArgs, integer, readBlock, refuse, single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';

/** `https { max_connections N }`: connections of the https:// listeners of the block; 0 is without bound. */
export const setupHttps: Setup = (directives, context) => {
  const directive = single(directives);
  expectArgs(directive, 0);
  const { limits } = context.settings;
  readBlock(directive, {
    max_connections(line) {
      const count = integer(line, expectArgs(line, 1)[0], 0);
      if (limits.maxHttpsConnections !== undefined) refuse(line, 'https: max_connections is already defined');
      limits.maxHttpsConnections = count === 0 ? Infinity : count;
    },
  });
  return undefined;
};
