import type { Pattern } from '../../corefile/pattern.ts';
import type { Directive, Line } from '../../corefile/types.ts';
import { expectArgs, integer, readBlock, refuse, regExp } from '../../corefile/values.ts';
import { rcode, rcodeNumber, recordClass, recordType, typeNumber } from '../../wire/numbers.ts';
import type { Setup } from '../setup.ts';
import { createZoneMatcher, fallthroughOf, neverFallThrough, zonesOr } from '../zones.ts';
import { compileGoTemplate, type GoTemplate } from './go-template.ts';
import { createTemplate, type TemplateRule } from './template.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function templates(line: Line): GoTemplate[] {
  return expectArgs(line, 1, Infinity).map((text) => {
    const compiled = compileGoTemplate(text);
    return compiled.ok ? compiled.value : refuse(line, `could not compile template: ${compiled.error}`);
  });
}

function notServed(line: Line): never {
  return refuse(line, `template: the option '${line.name}' is not supported by Fairway`);
}

function readTemplate(directive: Directive, blockZones: readonly string[]): TemplateRule {
  const [className, typeText, ...words] = expectArgs(directive, 2, Infinity) as [string, string, ...string[]];
  const queryClass = Object.hasOwn(recordClass, className.toUpperCase())
    ? recordClass[className.toUpperCase() as keyof typeof recordClass]
    : refuse(directive, `invalid query class ${className}`);
  const type = typeNumber(typeText) ?? refuse(directive, `invalid RR class ${typeText}`);
  const patterns: { text: string; pattern: Pattern }[] = [];
  const rule: Writable<TemplateRule> = {
    inZone: createZoneMatcher(zonesOr(directive, words, blockZones)),
    ...(queryClass !== recordClass.ANY && { class: queryClass }),
    ...(type !== recordType.ANY && { type }),
    ...{ patterns, answer: [], additional: [], authority: [], rcode: rcode.NOERROR, fallthrough: neverFallThrough },
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
    var: notServed,
    expr: notServed,
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
