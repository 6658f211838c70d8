import type { Line } from '../../corefile/types.ts';
import { durationOrSeconds, expectArgs, integer, readBlock, refuse, single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';

const least = 1000;
const most = 24 * 3_600_000;

function timeout(line: Line): number {
  const value = durationOrSeconds(line, expectArgs(line, 1)[0]);
  if (value < least || value > most) refuse(line, `timeouts: ${line.name} must be between 1s and 24h: ${line.args[0]}`);
  return value;
}

/** `timeouts { read DURATION; write DURATION; idle DURATION; maxtcpqueries N }`. */
export const setupTimeouts: Setup = (directives, context) => {
  const directive = single(directives);
  expectArgs(directive, 0);
  if (!directive.block?.length) refuse(directive, 'timeouts: block with no options');
  const { limits } = context.settings;
  readBlock(directive, {
    read: (line) => (limits.readTimeoutMs = timeout(line)),
    write: (line) => (limits.writeTimeoutMs = timeout(line)),
    idle: (line) => (limits.idleTimeoutMs = timeout(line)),
    maxtcpqueries(line) {
      const count = integer(line, expectArgs(line, 1)[0], -1);
      if (count === 0) refuse(line, 'timeouts: maxtcpqueries must be -1 (unlimited) or a positive number');
      limits.maxQueriesPerConnection = count < 0 ? Infinity : count;
    },
  });
  return undefined;
};
