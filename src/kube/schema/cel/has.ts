/**
 * The `has` macro over any operand: `has(self[0].matches)` as cel-go takes it. The evaluator's own wants a plain chain
 * of names.
 */
import { Optional } from '@marcbachmann/cel-js';

/** What the macro touches of the evaluator's syntax tree and machinery. */
interface Tree {
  readonly op: string;
  readonly args: readonly [Tree, string];
}
interface Checker {
  check(tree: Tree, context: unknown): unknown;
  getType(name: string): unknown;
}
interface Evaluator {
  run(tree: Tree, context: unknown): unknown;
}
interface Macro {
  readonly operand: Tree;
  readonly field: string;
}

export function hasField({ args }: { args: readonly Tree[] }) {
  const [select] = args;
  if (select?.op !== '.' && select?.op !== '.?') throw new Error('has() needs a field selection as its argument');
  const [operand, field] = select.args;
  return {
    operand,
    field,
    async: false,
    typeCheck(checker: Checker, macro: Macro, context: unknown) {
      checker.check(macro.operand, context);
      return checker.getType('bool');
    },
    evaluate(evaluator: Evaluator, macro: Macro, context: unknown) {
      return isPresent(evaluator.run(macro.operand, context), macro.field);
    },
  };
}

function isPresent(value: unknown, field: string): boolean {
  if (value instanceof Optional) return value.hasValue() && isPresent(value.value(), field);
  if (value instanceof Map) return value.has(field);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.hasOwn(value, field);
  throw new Error(`no such key: ${field}`);
}
