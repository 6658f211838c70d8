/** Checks of single values: enum, texts, numbers. Wording follows go-openapi's errors as the API server shows them. */
import { equalJson } from '../../objects.ts';
import { invalid, notSupported, report, reportBlocking, tooLong, typeInvalid } from '../fields.ts';
import { compilePattern } from '../patterns.ts';
import type { Check } from './compile.ts';
import { formatCheck } from './formats.ts';
import type { Schema } from './types.ts';

/** The checks of one node, without those of its fields, items and compositions. */
export function compileScalarChecks(schema: Schema): Check[] {
  return [enumCheck(schema), textCheck(schema), numberCheck(schema)].filter((check) => check !== undefined);
}

function enumCheck({ enum: values }: Schema): Check | undefined {
  if (!values || values.length === 0) return undefined;
  const simple = new Set(values);
  return (value, path, faults) => {
    if (simple.has(value) || values.some((allowed) => equalJson(allowed, value))) return;
    reportBlocking(faults, notSupported(path, value, values));
  };
}

/** Length in characters (code points), as Go's `utf8.RuneCountInString`. */
function lengthOf(text: string): number {
  let pairs = 0;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0xd800 && text.charCodeAt(i) < 0xdc00) pairs++;
  return text.length - pairs;
}

function textCheck(schema: Schema): Check | undefined {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY } = schema;
  const matches = patternTest(schema.pattern);
  const isFormat = schema.format === undefined ? undefined : formatCheck(schema.format);
  if (!matches && !isFormat && minLength === 0 && maxLength === Number.POSITIVE_INFINITY) return undefined;
  return (value, path, faults) => {
    if (typeof value !== 'string') return;
    const length = lengthOf(value);
    if (length > maxLength) {
      reportBlocking(faults, tooLong(path, maxLength));
      return;
    }
    if (length < minLength)
      report(faults, invalid(path, value, `${path} in body should be at least ${minLength} chars long`));
    if (matches && !matches(value))
      report(faults, invalid(path, value, `${path} in body should match '${schema.pattern}'`));
    if (isFormat && !isFormat(value))
      reportBlocking(
        faults,
        typeInvalid(path, value, `${path} in body must be of type ${schema.format}: ${JSON.stringify(value)}`),
      );
  };
}

/** Compiled when first needed: most objects use few of a schema's patterns. A pattern that RE2 refuses matches nothing. */
function patternTest(source: string | undefined): ((text: string) => boolean) | undefined {
  if (source === undefined) return undefined;
  let test: ((text: string) => boolean) | undefined;
  return (text) => {
    if (!test) {
      const pattern = compilePattern(source);
      test = pattern instanceof Error ? () => false : pattern.test;
    }
    return test(text);
  };
}

const integerRanges: Record<string, readonly [number, number]> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  // The largest double below 2^63: what a JSON number can say at all.
  int64: [-(2 ** 63), 2 ** 63 - 1024],
};

function numberCheck(schema: Schema): Check | undefined {
  const tests: ((value: number) => string | undefined)[] = [];
  const { minimum, maximum, multipleOf, format } = schema;
  const range = format === undefined ? undefined : integerRanges[format];
  if (range)
    tests.push((value) =>
      value < range[0] || value > range[1] ? `must be of type integer with format ${format}` : undefined,
    );
  if (minimum !== undefined)
    tests.push(
      schema.exclusiveMinimum
        ? (value) => (value > minimum ? undefined : `should be greater than ${minimum}`)
        : (value) => (value >= minimum ? undefined : `should be greater than or equal to ${minimum}`),
    );
  if (maximum !== undefined)
    tests.push(
      schema.exclusiveMaximum
        ? (value) => (value < maximum ? undefined : `should be less than ${maximum}`)
        : (value) => (value <= maximum ? undefined : `should be less than or equal to ${maximum}`),
    );
  if (multipleOf !== undefined && multipleOf > 0)
    tests.push((value) => (isMultiple(value, multipleOf) ? undefined : `should be a multiple of ${multipleOf}`));
  if (tests.length === 0) return undefined;
  return (value, path, faults) => {
    if (typeof value !== 'number') return;
    for (const test of tests) {
      const fault = test(value);
      if (fault) report(faults, invalid(path, value, `${path} in body ${fault}`));
    }
  };
}

function isMultiple(value: number, of: number): boolean {
  return Number.isInteger(value / of);
}
