import type { Line } from '../../corefile/types.ts';
import { duration, expectArgs, integer, readBlock, single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';
import { createErratic } from './erratic.ts';

/** `erratic { drop [AMOUNT]; truncate [AMOUNT]; delay [AMOUNT [DURATION]]; large }`. */
export const setupErratic: Setup = (directives) => {
  const directive = single(directives);
  expectArgs(directive, 0);
  const options = { drop: 0, truncate: 0, delay: 0, delayMs: 100, large: false };
  const amount = (line: Line, most: number) => integer(line, expectArgs(line, 0, most)[0] ?? '2', 0);
  readBlock(directive, {
    drop: (line) => (options.drop = amount(line, 1)),
    truncate: (line) => (options.truncate = amount(line, 1)),
    delay(line) {
      options.delay = amount(line, 2);
      if (line.args[1] !== undefined) options.delayMs = duration(line, line.args[1]);
    },
    large(line) {
      expectArgs(line, 0);
      options.large = true;
    },
  });
  // With nothing else to do wrong it drops every second query.
  const named = directive.block?.some(({ name }) => name === 'drop');
  if (!named && options.delay === 0 && options.truncate === 0) options.drop = 2;
  return createErratic(options);
};
