import type { Line } from '../../corefile/types.ts';
import { expectArgs, readBlock, refuse, single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';
import { createHeader, type FlagName, type FlagRule, flagNames } from './header.ts';

function readRules(line: Line): FlagRule[] {
  const [action, ...flags] = expectArgs(line, 2, Infinity) as [string, ...string[]];
  if (action !== 'set' && action !== 'clear')
    refuse(line, `header: unknown rule action '${action}', expected set or clear`);
  return flags.map((word) => {
    const flag = flagNames.find((known) => known === word.toLowerCase()) as FlagName | undefined;
    return {
      flag: flag ?? refuse(line, `header: unknown flag '${word}', expected ${flagNames.join(', ')}`),
      value: action === 'set',
    };
  });
}

/** `header { query|response set|clear FLAGS... }`. */
export const setupHeader: Setup = (directives) => {
  const directive = single(directives);
  expectArgs(directive, 0);
  const rules = { query: [] as FlagRule[], response: [] as FlagRule[] };
  readBlock(directive, {
    query: (line) => rules.query.push(...readRules(line)),
    response: (line) => rules.response.push(...readRules(line)),
  });
  if (rules.query.length + rules.response.length === 0) refuse(directive, 'header: no rules');
  return createHeader(rules);
};
