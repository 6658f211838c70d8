import type { Pattern } from '../../corefile/pattern.ts';
import type { Directive, Line } from '../../corefile/types.ts';
import { expectArgs, integer, readBlock, refuse, regExp } from '../../corefile/values.ts';
import { compileExpression, type Expression, type HostFunction, isReserved, type Type } from '../../expr/expression.ts';
import { queryFunctions } from '../../expr/query-functions.ts';
import { string } from '../../expr/types.ts';
import { rcode, rcodeNumber, recordClass, recordType, typeNumber } from '../../wire/numbers.ts';
import type { Setup } from '../setup.ts';
import { createZoneMatcher, fallthroughOf, neverFallThrough, zonesOr } from '../zones.ts';
import { compileGoTemplate, type GoTemplate } from './go-template.ts';
import { createTemplate, type MatchSubject, type TemplateRule } from './template.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function templates(line: Line): GoTemplate[] {
  return expectArgs(line, 1, Infinity).map((text) => {
    const compiled = compileGoTemplate(text);
    return compiled.ok ? compiled.value : refuse(line, `could not compile template: ${compiled.error}`);
  });
}

/** Functions of conditions and variables: those about a query, and the groups of the pattern that matched. */
const functions: ReadonlyMap<string, HostFunction<MatchSubject>> = new Map<string, HostFunction<MatchSubject>>([
  ...queryFunctions,
  [
    'group',
    { takes: ['any'], gives: string, run: ({ group }, [name]) => group(typeof name === 'object' ? '' : String(name)) },
  ],
]);

function readExpression(line: Line, words: readonly string[], variables: ReadonlyMap<string, Type>) {
  const source = words.join(' ');
  const compiled = compileExpression(source, { functions, variables });
  return compiled.ok ? compiled.value : refuse(line, `could not compile expression "${source}": ${compiled.error}`);
}

function readTemplate(directive: Directive, blockZones: readonly string[]): TemplateRule {
  const [className, typeText, ...words] = expectArgs(directive, 2, Infinity) as [string, string, ...string[]];
  const queryClass = Object.hasOwn(recordClass, className.toUpperCase())
    ? recordClass[className.toUpperCase() as keyof typeof recordClass]
    : refuse(directive, `invalid query class ${className}`);
  const type = typeNumber(typeText) ?? refuse(directive, `invalid RR class ${typeText}`);
  const patterns: { text: string; pattern: Pattern }[] = [];
  const variables: TemplateRule['variables'][number][] = [];
  const conditions: Expression<MatchSubject>[] = [];
  const types = new Map<string, Type>();
  const rule: Writable<TemplateRule> = {
    inZone: createZoneMatcher(zonesOr(directive, words, blockZones)),
    ...(queryClass !== recordClass.ANY && { class: queryClass }),
    ...(type !== recordType.ANY && { type }),
    ...{
      variables,
      conditions,
      patterns,
      answer: [],
      additional: [],
      authority: [],
      rcode: rcode.NOERROR,
      fallthrough: neverFallThrough,
    },
  };
  readBlock(directive, {
    match(line) {
      for (const text of expectArgs(line, 1, Infinity)) patterns.push({ text, pattern: regExp(line, text) });
    },
    answer(line) {
      rule.answer = [...rule.answer, ...templates(line)];
    },
    additional(line) {
      rule.additional = [...rule.additional, ...templates(line)];
    },
    authority(line) {
      rule.authority = [...rule.authority, ...templates(line)];
    },
    rcode(line) {
      const [name = ''] = expectArgs(line, 1);
      rule.rcode = rcodeNumber(name) ?? refuse(line, `unknown rcode ${name}`);
    },
    ederror(line) {
      const [code, reason = ''] = expectArgs(line, 1, 2);
      rule.extendedError = { code: integer(line, code, 0, 0xffff), reason };
    },
    fallthrough(line) {
      rule.fallthrough = fallthroughOf(line);
    },
    upstream: (line) => void expectArgs(line, 0, Infinity),
    var(line) {
      const [name = '', ...words] = expectArgs(line, 2, Infinity);
      if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) refuse(line, `invalid variable name "${name}"`);
      if (types.has(name) || isReserved(name, { functions, variables: types }))
        refuse(line, `variable name "${name}" is reserved`);
      const expression = readExpression(line, words, types);
      types.set(name, expression.type);
      variables.push({ name, expression });
    },
    expr(line) {
      conditions.push(readExpression(line, expectArgs(line, 1, Infinity), types));
    },
  });
  if (patterns.length === 0) patterns.push({ text: '.*', pattern: regExp(directive, '.*') });
  return rule;
}

/** `template CLASS TYPE [ZONES...] { ... }`, any number of times. */
export const setupTemplate: Setup = (directives, context) =>
  createTemplate(
    directives.map((directive) => readTemplate(directive, context.zones)),
    context.shared.metrics,
  );
