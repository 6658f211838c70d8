import type { Line } from '../../corefile/types.ts';
import { duration, expectArgs, readBlock, refuse, regExp, single } from '../../corefile/values.ts';
import type { LogLevel, Setup } from '../setup.ts';
import { type Consolidation, createErrors } from './errors.ts';

const levels: readonly LogLevel[] = ['warning', 'error', 'info', 'debug'];

function readConsolidate(line: Line): Consolidation {
  const [period, pattern, ...words] = expectArgs(line, 2, 4) as [string, string, ...string[]];
  let level: LogLevel | undefined;
  let showFirst = false;
  for (const word of words) {
    const named = levels.find((known) => known === word);
    if (named && level) refuse(line, 'multiple log levels specified in consolidate');
    if (named && showFirst) refuse(line, 'log level must come before show_first in consolidate');
    if (!named && word !== 'show_first') refuse(line, `unknown option in consolidate: ${word}`);
    level = named ?? level;
    showFirst ||= !named;
  }
  return {
    periodMs: duration(line, period),
    pattern: regExp(line, pattern),
    text: pattern,
    level: level ?? 'error',
    showFirst,
  };
}

/** `errors [stdout] { stacktrace; consolidate DURATION REGEXP [LEVEL] [show_first] }`. */
export const setupErrors: Setup = (directives, context) => {
  const directive = single(directives);
  const [file] = expectArgs(directive, 0, 1);
  if (file !== undefined && file !== 'stdout') refuse(directive, `invalid log file: ${file}`);
  const consolidations: Consolidation[] = [];
  readBlock(directive, {
    stacktrace(line) {
      expectArgs(line, 0);
      context.settings.stacktrace = true;
    },
    consolidate: (line) => consolidations.push(readConsolidate(line)),
  });
  return createErrors(consolidations, context.log);
};
