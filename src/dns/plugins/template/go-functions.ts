/** Functions of templates: those of Go's text/template that make sense for records, and CoreDNS' `parseInt`. */

/** What ends the compiling or rendering of a template; never leaves the plugin. */
export class TemplateFailure extends Error {}

export function truthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

export function valueText(value: unknown): string {
  if (value === undefined || value === null) return '<no value>';
  return Array.isArray(value) ? `[${value.map(valueText).join(' ')}]` : String(value);
}

const text = (value: unknown): string => (value === undefined ? '' : valueText(value));

function compare(a: unknown, b: unknown): number {
  if (typeof a !== typeof b) throw new TemplateFailure('incompatible types for comparison');
  return (a as string) < (b as string) ? -1 : (a as string) > (b as string) ? 1 : 0;
}

function item(value: unknown, key: unknown): unknown {
  if (Array.isArray(value) || typeof value === 'string') {
    const at = Number(key);
    if (!Number.isInteger(at) || at < 0 || at >= value.length)
      throw new TemplateFailure(`index out of range: ${text(key)}`);
    return value[at];
  }
  const name = String(key);
  if (typeof value !== 'object' || value === null) throw new TemplateFailure("can't index this value");
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : '';
}

/** Longest width or precision of a format. */
const maxWidth = 255;

/** `%d`, `%02x`, `%s`, `%v`, `%q` and their kin. */
function format(pattern: unknown, values: readonly unknown[]): string {
  let at = 0;
  return text(pattern).replace(
    /%([-+0 #]*)(\d*)(?:\.(\d+))?([a-zA-Z%])/g,
    (_, flags: string, width: string, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%';
      if (at >= values.length) return `%!${verb}(MISSING)`;
      const value = values[at++];
      const size = Math.min(Number(width), maxWidth);
      const done = formatOne(verb, value, precision === undefined ? undefined : Math.min(Number(precision), maxWidth));
      if (flags.includes('-')) return done.padEnd(size);
      return done.padStart(size, flags.includes('0') ? '0' : ' ');
    },
  );
}

function formatOne(verb: string, value: unknown, precision: number | undefined): string {
  const radix = { d: 10, x: 16, X: 16, o: 8, b: 2 }[verb];
  if (radix !== undefined && typeof value === 'number') {
    const digits = Math.trunc(value).toString(radix);
    return verb === 'X' ? digits.toUpperCase() : digits;
  }
  if (verb === 'x' && typeof value === 'string') return Buffer.from(value, 'utf8').toString('hex');
  if (verb === 'f' && typeof value === 'number') return value.toFixed(precision ?? 6);
  if (verb === 'q') return JSON.stringify(text(value));
  if (verb !== 's' && verb !== 'v') throw new TemplateFailure(`unsupported format %${verb} for this value`);
  return precision === undefined ? text(value) : text(value).slice(0, precision);
}

/** `parseInt TEXT BASE BITS`, unsigned. */
function parseUint(source: unknown, base: unknown, bits: unknown): number {
  const digits = text(source);
  const radix = Number(base);
  const value = Number.parseInt(digits, radix);
  if (Number.isNaN(value) || value.toString(radix) !== digits.toLowerCase().replace(/^0+(?=.)/, ''))
    throw new TemplateFailure(`parseInt: parsing ${JSON.stringify(digits)}: invalid syntax`);
  if (value >= 2 ** Number(bits || 64))
    throw new TemplateFailure(`parseInt: parsing ${JSON.stringify(digits)}: value out of range`);
  return value;
}

const functions: Readonly<Record<string, (...args: unknown[]) => unknown>> = {
  index: (value, ...keys) => keys.reduce(item, value),
  slice: (value, from = 0, to) =>
    (value as string | unknown[]).slice(Number(from), to === undefined ? undefined : Number(to)),
  len: (value) =>
    typeof value === 'string' || Array.isArray(value) ? value.length : Object.keys(value as object).length,
  print: (...values) => values.map(text).join(''),
  printf: (pattern, ...values) => format(pattern, values),
  parseInt: parseUint,
  not: (value) => !truthy(value),
  and: (...values) => values.find((value) => !truthy(value)) ?? values.at(-1),
  or: (...values) => values.find(truthy) ?? values.at(-1),
  eq: (first, ...others) => others.some((other) => compare(first, other) === 0),
  ne: (a, b) => compare(a, b) !== 0,
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
};

export const hasFunction = (name: string): boolean => Object.hasOwn(functions, name);

export function callFunction(name: string, args: readonly unknown[]): unknown {
  try {
    return functions[name]!(...args);
  } catch (error) {
    if (error instanceof TemplateFailure) throw error;
    throw new TemplateFailure(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
