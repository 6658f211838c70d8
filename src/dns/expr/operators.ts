/** What operators take, what they make, and how. Types as expr-lang's checker has them. */
import {
  any,
  arrayOf,
  bool,
  comparable,
  type Demand,
  float,
  int,
  isNumber,
  satisfies,
  string,
  type Type,
} from './types.ts';
import {
  bounded,
  ExpressionFailure,
  equal,
  isArray,
  isMap,
  kindOf,
  limits,
  spend,
  spendOn,
  type Value,
  type Work,
} from './value.ts';

export interface Operator {
  /** The type of the result; undefined when the operands do not fit. */
  type(left: Type, right: Type): Type | undefined;
  run(left: Value, right: Value, work: Work): Value;
}

/** Both operands of one kind, or not known yet. */
function both(demand: Demand, result: Type): Operator['type'] {
  return (left, right) => (satisfies(left, demand) && satisfies(right, demand) ? result : undefined);
}

function mismatch(operator: string, left: Value, right: Value): never {
  throw new ExpressionFailure(`invalid operation: ${operator} (mismatched types ${kindOf(left)} and ${kindOf(right)})`);
}

function arithmetic(operator: string, type: Operator['type'], calculate: (a: number, b: number) => number): Operator {
  return {
    type,
    run(left, right) {
      if (typeof left !== 'number' || typeof right !== 'number') return mismatch(operator, left, right);
      return bounded(calculate(left, right));
    },
  };
}

/** Integers stay integers. */
function promoted(left: Type, right: Type): Type | undefined {
  if (!satisfies(left, 'number') || !satisfies(right, 'number')) return undefined;
  if (left.kind === 'any' || right.kind === 'any') return any;
  return left.kind === 'int' && right.kind === 'int' ? int : float;
}

function comparison(operator: string, holds: (a: number | string, b: number | string) => boolean): Operator {
  return {
    type: (left, right) => both('number', bool)(left, right) ?? both('string', bool)(left, right),
    run(left, right, work) {
      if (typeof left === 'number' && typeof right === 'number') return holds(left, right);
      if (typeof left !== 'string' || typeof right !== 'string') return mismatch(operator, left, right);
      spendOn(work, left);
      return holds(left, right);
    },
  };
}

function onText(operator: string, holds: (text: string, part: string) => boolean): Operator {
  return {
    type: both('string', bool),
    run(left, right, work) {
      if (typeof left !== 'string' || typeof right !== 'string') return mismatch(operator, left, right);
      spendOn(work, left);
      return holds(left, right);
    },
  };
}

const plus: Operator = {
  type: (left, right) =>
    left.kind === 'any' && right.kind === 'any' ? any : (promoted(left, right) ?? both('string', string)(left, right)),
  run(left, right, work) {
    if (typeof left === 'number' && typeof right === 'number') return bounded(left + right);
    if (typeof left !== 'string' || typeof right !== 'string') return mismatch('+', left, right);
    spendOn(work, left);
    return bounded(left + right);
  },
};

const remainder = arithmetic('%', both('int', int), (a, b) => {
  if (!Number.isInteger(a) || !Number.isInteger(b)) throw new ExpressionFailure('% needs integers');
  if (b === 0) throw new ExpressionFailure('integer divide by zero');
  return a % b;
});

const range: Operator = {
  type: both('int', arrayOf(int)),
  run(left, right, work) {
    if (!Number.isInteger(left) || !Number.isInteger(right)) return mismatch('..', left, right);
    const [first, last] = [left as number, right as number];
    const length = Math.max(0, last - first + 1);
    if (length > limits.elements) throw new ExpressionFailure('an array is too long');
    spend(work, length);
    return Array.from({ length }, (_, i) => first + i);
  },
};

const isIn: Operator = {
  type(left, right) {
    if (right.kind === 'array') return comparable(left, right.of) ? bool : undefined;
    if (right.kind === 'map') return satisfies(left, 'string') ? bool : undefined;
    return right.kind === 'any' ? bool : undefined;
  },
  run(left, right, work) {
    if (right === null) return false;
    spendOn(work, right);
    if (isArray(right)) return right.some((item) => equal(work, item, left));
    if (isMap(right)) return typeof left === 'string' && right.has(left);
    return mismatch('in', left, right);
  },
};

const isEqual: Operator = {
  type: (left, right) => (comparable(left, right) ? bool : undefined),
  run: (left, right, work) => equal(work, left, right),
};

function coalesced(left: Type, right: Type): Type {
  if (left.kind === 'nil') return right;
  return right.kind === 'nil' || left.kind === right.kind ? left : any;
}

const power = arithmetic('**', both('number', float), (a, b) => a ** b);

/** All binary operators but those that need not evaluate their right side, and `matches`. */
export const binaryOperators: Readonly<Record<string, Operator>> = {
  '+': plus,
  '-': arithmetic('-', promoted, (a, b) => a - b),
  '*': arithmetic('*', promoted, (a, b) => a * b),
  '/': arithmetic('/', both('number', float), (a, b) => a / b),
  '%': remainder,
  '**': power,
  '^': power,
  '==': isEqual,
  '!=': { type: isEqual.type, run: (left, right, work) => !equal(work, left, right) },
  '<': comparison('<', (a, b) => a < b),
  '<=': comparison('<=', (a, b) => a <= b),
  '>': comparison('>', (a, b) => a > b),
  '>=': comparison('>=', (a, b) => a >= b),
  '..': range,
  in: isIn,
  contains: onText('contains', (text, part) => text.includes(part)),
  startsWith: onText('startsWith', (text, part) => text.startsWith(part)),
  endsWith: onText('endsWith', (text, part) => text.endsWith(part)),
};

/** `and`, `or` and `??` evaluate their right side only when the left one does not decide. */
export const lazyOperators: Readonly<Record<string, { type: Operator['type']; decides(left: Value): boolean }>> = {
  and: { type: both('bool', bool), decides: (left) => !truth('and', left) },
  or: { type: both('bool', bool), decides: (left) => truth('or', left) },
  '??': { type: coalesced, decides: (left) => left !== null },
};

export function truth(operator: string, value: Value): boolean {
  if (typeof value !== 'boolean')
    throw new ExpressionFailure(`invalid operation: ${operator} (${kindOf(value)} is no bool)`);
  return value;
}

export interface UnaryOperator {
  type(operand: Type): Type | undefined;
  run(operand: Value): Value;
}

function signed(operator: string, change: (value: number) => number): UnaryOperator {
  return {
    type: (operand) => (isNumber(operand) ? operand : operand.kind === 'any' ? any : undefined),
    run(operand) {
      if (typeof operand === 'number') return change(operand);
      throw new ExpressionFailure(`invalid operation: ${operator} (mismatched type ${kindOf(operand)})`);
    },
  };
}

const negation: UnaryOperator = {
  type: (operand) => (satisfies(operand, 'bool') ? bool : undefined),
  run: (operand) => !truth('not', operand),
};

export const unaryOperators: Readonly<Record<string, UnaryOperator>> = {
  not: negation,
  '!': negation,
  '-': signed('-', (value) => -value),
  '+': signed('+', (value) => value),
};
