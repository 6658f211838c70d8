import type { Directive } from '../../corefile/types.ts';
import { expectArgs, readBlock, refuse } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';
import { zonesOfWords } from '../zones.ts';
import { compileFormat, namedFormats } from './format.ts';
import { createLog, type LogClass, type LogRule } from './log.ts';

const classes: readonly LogClass[] = ['all', 'success', 'denial', 'error'];

function readRules(directive: Directive): LogRule[] {
  const words = [...directive.args];
  const given = words.length > 1 && words.at(-1)!.includes('{') ? words.pop()! : '{common}';
  const format = given.replaceAll('{common}', namedFormats.common).replaceAll('{combined}', namedFormats.combined);
  const wanted = new Set<LogClass>();
  readBlock(directive, {
    class(line) {
      for (const word of expectArgs(line, 1, Infinity)) {
        const name = classes.find((known) => known === word);
        wanted.add(name ?? refuse(line, `invalid class: '${word}', expected ${classes.join(', ')}`));
      }
    },
  });
  if (wanted.size === 0) wanted.add('all');
  const zones = zonesOfWords(directive, words.length > 0 ? words : ['.']);
  return zones.map((zone) => ({ zone, format: compileFormat(format), classes: wanted }));
}

/** `log [NAMES...] [FORMAT] { class CLASSES... }`, any number of times; the first rule whose zone fits is used. */
export const setupLog: Setup = (directives, context) =>
  createLog(
    directives.flatMap((directive) => readRules(directive)),
    (text) => context.shared.log('info', text),
  );
