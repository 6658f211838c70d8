/** Values of expressions and what they have in common: text, equality, limits. */

/** `null` is expr's nil. Integers and fractions are both numbers; the static types tell them apart. */
export type Value = null | boolean | number | string | readonly Value[] | ReadonlyMap<string, Value>;

/** What ends the compiling or evaluating of an expression; never leaves `src/dns/expr`. */
export class ExpressionFailure extends Error {
  /** Offset in the source where that is known, characters. */
  readonly at: number | undefined;

  constructor(message: string, at?: number) {
    super(message);
    this.at = at;
  }
}

/** Bounds of one expression; fixed, since an expression comes from the Corefile but works on what clients send. */
export const limits = {
  /** Characters of source. */
  source: 10_000,
  /** Nodes of the syntax tree. */
  nodes: 1000,
  /** Brackets, operators and calls within each other. */
  depth: 100,
  /** Work of one evaluation: nodes visited in loops, elements and characters handled. */
  work: 100_000,
  /** Elements of an array that is made, characters of a string that is made. */
  elements: 10_000,
  text: 65_536,
} as const;

/** Counts the work of one evaluation and ends it when there is too much. */
export interface Work {
  left: number;
}

export function spend(work: Work, amount: number): void {
  work.left -= amount;
  if (work.left < 0) throw new ExpressionFailure('the expression takes too much work');
}

/** Cost of handling a text or an array once. */
export function spendOn(work: Work, value: Value): void {
  if (typeof value === 'string') spend(work, 1 + (value.length >> 4));
  else if (Array.isArray(value)) spend(work, 1 + value.length);
  else if (value instanceof Map) spend(work, 1 + value.size);
}

export const isArray = (value: Value): value is readonly Value[] => Array.isArray(value);
export const isMap = (value: Value): value is ReadonlyMap<string, Value> => value instanceof Map;

/** Name of a value's type, for messages. */
export function kindOf(value: Value): string {
  if (value === null) return 'nil';
  if (isArray(value)) return 'array';
  if (isMap(value)) return 'map';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  return 'string';
}

export function equal(work: Work, a: Value, b: Value): boolean {
  if (a === b) return true;
  if (isArray(a) && isArray(b)) {
    spendOn(work, a);
    return a.length === b.length && a.every((item, i) => equal(work, item, b[i]!));
  }
  if (!isMap(a) || !isMap(b)) return false;
  spendOn(work, a);
  return a.size === b.size && [...a].every(([key, item]) => b.has(key) && equal(work, item, b.get(key)!));
}

/** The text of a value, as Go's `%v` has it. */
export function textOf(work: Work, value: Value): string {
  spendOn(work, value);
  if (value === null) return '<nil>';
  if (isArray(value)) return `[${value.map((item) => textOf(work, item)).join(' ')}]`;
  if (isMap(value)) {
    const keys = [...value.keys()].sort();
    return `map[${keys.map((key) => `${key}:${textOf(work, value.get(key)!)}`).join(' ')}]`;
  }
  return String(value);
}

/** The value if it may be kept: texts and arrays that are made are bounded. */
export function bounded<T extends Value>(value: T): T {
  if (typeof value === 'string' && value.length > limits.text) throw new ExpressionFailure('a string is too long');
  if (Array.isArray(value) && value.length > limits.elements) throw new ExpressionFailure('an array is too long');
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
    throw new ExpressionFailure('an integer is too large');
  return value;
}
