import type { Directive, Line } from '../../corefile/types.ts';
import { readBlock, refuse } from '../../corefile/values.ts';
import { recordClass, typeNumber } from '../../wire/numbers.ts';
import type { Setup } from '../setup.ts';
import { readEdns0Rule } from './edns0.ts';
import { readNameRule } from './name.ts';
import { readCnameRule, readRcodeRule, readTtlRule } from './response-rules.ts';
import { createRewrite, type OrderedRule } from './rewrite.ts';
import { changed, type Rule } from './rule.ts';

type Reader = (line: Line, words: readonly string[]) => Rule;

/** `type FROM TO` and `class FROM TO`. */
function readNumberRule(field: 'type' | 'class', numberOf: (word: string) => number | undefined): Reader {
  return (line, words) => {
    if (words.length !== 2) refuse(line, `${field} rules must have exactly two arguments`);
    const [from, to] = words.map((word) => numberOf(word) ?? refuse(line, `invalid ${field} "${word}"`)) as [
      number,
      number,
    ];
    return ({ query }) => {
      const next = query[field] === from ? changed(query, { [field]: to }) : undefined;
      return next && { query: next, changes: [] };
    };
  };
}

const classNumber = (word: string): number | undefined => {
  const upper = word.toUpperCase();
  return Object.hasOwn(recordClass, upper) ? recordClass[upper as keyof typeof recordClass] : undefined;
};

const readers: Readonly<Record<string, Reader>> = {
  name: readNameRule,
  type: readNumberRule('type', typeNumber),
  class: readNumberRule('class', classNumber),
  edns0: readEdns0Rule,
  ttl: readTtlRule,
  cname: readCnameRule,
  rcode: readRcodeRule,
  answer: (line) => refuse(line, 'response rewrites must begin with a name rule'),
};

/** The block form gives the rule in the first line and its response rules in the others. */
function wordsOf(directive: Directive): string[] {
  const words = [...directive.args];
  const more: string[] = [];
  readBlock(directive, {
    name: (line) => more.push('name', ...line.args),
    answer: (line) => more.push('answer', ...line.args),
    type: (line) => more.push('type', ...line.args),
    class: (line) => more.push('class', ...line.args),
    edns0: (line) => more.push('edns0', ...line.args),
    ttl: (line) => more.push('ttl', ...line.args),
    cname: (line) => more.push('cname', ...line.args),
    rcode: (line) => more.push('rcode', ...line.args),
  });
  return [...words, ...more];
}

function readRule(directive: Directive): OrderedRule {
  const [first = '', ...rest] = wordsOf(directive);
  const mode = first.toLowerCase();
  const moded = mode === 'continue' || mode === 'stop';
  const [field = '', ...words] = moded ? rest : [first, ...rest];
  const name = field.toLowerCase();
  const read = Object.hasOwn(readers, name) ? readers[name] : undefined;
  if (!read) return refuse(directive, `invalid rewrite rule type "${field}"`);
  return { apply: read(directive, words), goesOn: mode === 'continue' };
}

/** `rewrite [continue|stop] FIELD ...`, any number of times. */
export const setupRewrite: Setup = (directives) => createRewrite(directives.map(readRule));
