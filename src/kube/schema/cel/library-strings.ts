/** Strings and regular expressions: cel-go's extended strings library and Kubernetes' regex library. */
import type { Environment } from '@marcbachmann/cel-js';
import { compilePattern, type Pattern } from '../patterns.ts';

export function registerStrings(environment: Environment): void {
  environment
    .registerFunction('string.matchesPattern(string): bool', (text: string, source: string) =>
      patternOf(source).test(text),
    )
    .registerFunction('string.find(string): string', (text: string, source: string) => find(text, source, 1n)[0] ?? '')
    .registerFunction('string.findAll(string): list<string>', (text: string, source: string) => find(text, source, -1n))
    .registerFunction('string.findAll(string, int): list<string>', find)
    .registerFunction('string.charAt(int): string', charAt)
    .registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) =>
      text.replaceAll(from, () => to),
    )
    .registerFunction('string.replace(string, string, int): string', replace)
    .registerFunction('string.reverse(): string', (text: string) => [...text].reverse().join(''))
    .registerFunction('string.format(list): string', format);
}

function patternOf(source: string): Pattern {
  const pattern = compilePattern(source);
  if (pattern instanceof Error) throw new Error(`invalid regular expression: ${pattern.message}`);
  return pattern;
}

/** The first `limit` matches, or all below zero. */
function find(text: string, source: string, limit: bigint): string[] {
  const matcher = patternOf(source).compiled.matcher(text);
  const found: string[] = [];
  while ((limit < 0n || found.length < limit) && matcher.find()) found.push(matcher.group() ?? '');
  return found;
}

function charAt(text: string, index: bigint): string {
  const characters = [...text];
  if (index < 0n || index > characters.length) throw new Error(`index out of range: ${index}`);
  return characters[Number(index)] ?? '';
}

function replace(text: string, from: string, to: string, limit: bigint): string {
  if (limit < 0n) return text.replaceAll(from, () => to);
  const parts = text.split(from);
  const cut = Math.min(Number(limit), parts.length - 1);
  return (
    parts.slice(0, cut + 1).join(to) +
    parts
      .slice(cut + 1)
      .map((part) => from + part)
      .join('')
  );
}

const verbs: Record<string, (value: unknown, precision: number | undefined) => string> = {
  s: (value) => show(value),
  d: (value) => String(value),
  f: (value, precision) => Number(value).toFixed(precision ?? 6),
  e: (value, precision) => Number(value).toExponential(precision ?? 6),
  x: (value) => Number(value).toString(16),
  X: (value) => Number(value).toString(16).toUpperCase(),
  o: (value) => Number(value).toString(8),
  b: (value) => Number(value).toString(2),
};

function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (value instanceof Map) return `{${[...value].map(([key, item]) => `${show(key)}: ${show(item)}`).join(', ')}}`;
  if (value instanceof Date) return value.toISOString();
  return String(value);
}

/** `"%s has %d".format([a, b])`. */
function format(template: string, values: readonly unknown[]): string {
  let next = 0;
  return template.replace(
    /%(?:%|(?:\.(\d{1,3}))?([sdfexXob])|)/g,
    (found, precision: string | undefined, verb?: string) => {
      if (found === '%%') return '%';
      const write = verb === undefined ? undefined : verbs[verb];
      if (!write) throw new Error(`could not parse formatting clause in ${JSON.stringify(template)}`);
      if (next >= values.length) throw new Error(`index ${next} out of range`);
      return write(values[next++], precision === undefined ? undefined : Math.min(Number(precision), 100));
    },
  );
}
