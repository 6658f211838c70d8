/**
 * Expressions of a Corefile: the language of the `view` and `template` plugins (expr-lang v1, the parts that make sense
 * for queries). Read once when the Corefile loads, with its types checked; evaluated for each query within bounds of
 * work and size, without a way out to the process.
 */
import { err, ok, type Result } from '../../base/result.ts';
import { compile, type Frame, type Surroundings } from './compile.ts';
import { absentFunctions, builtinFunctions } from './functions.ts';
import { loopFunctions } from './loops.ts';
import { parseExpression } from './parse.ts';
import type { Type } from './types.ts';
import { ExpressionFailure, limits, type Value } from './value.ts';

export type { HostFunction, Surroundings } from './compile.ts';
export type { Type } from './types.ts';
export type { Value } from './value.ts';

/** An expression for a kind of context `C` (a query). */
export interface Expression<C> {
  readonly source: string;
  /** What it will give, as far as that is certain. */
  readonly type: Type;
  /** Its value; the error says why it has none. Never throws but for mistakes in host functions. */
  evaluate(context: C, variables?: ReadonlyMap<string, Value>): Result<Value, string>;
}

const noVariables: ReadonlyMap<string, Value> = new Map();

function caught<T>(work: () => T, say: (failure: ExpressionFailure) => string): Result<T, string> {
  try {
    return ok(work());
  } catch (error) {
    if (error instanceof ExpressionFailure) return err(say(error));
    throw error;
  }
}

/** `unknown name nmae at column 3`. */
function withPlace({ message, at }: ExpressionFailure, source: string): string {
  if (at === undefined) return message;
  const line = source.slice(0, at).split('\n').length;
  const column = at - source.lastIndexOf('\n', at - 1);
  return `${message} at ${line > 1 ? `line ${line}, ` : ''}column ${column}`;
}

/** Reads an expression; the error names the mistake and its column. */
export function compileExpression<C>(source: string, surroundings: Surroundings<C>): Result<Expression<C>, string> {
  return caught(
    () => {
      const { type, run } = compile(parseExpression(source), surroundings);
      const evaluate = (context: C, variables = noVariables) => {
        const frame: Frame<C> = {
          ...{ context, variables, lets: [], item: null, index: 0, accumulator: null, left: limits.work },
        };
        return caught(
          () => run(frame),
          ({ message }) => message,
        );
      };
      return { source, type, evaluate };
    },
    (failure) => withPlace(failure, source),
  );
}

const keywords = new Set([
  'true',
  'false',
  'nil',
  'let',
  'if',
  'else',
  'not',
  'in',
  'or',
  'and',
  'matches',
  'contains',
]);

/** Whether a name means something to expressions already, so that no variable can have it. */
export function isReserved<C>(name: string, { functions }: Surroundings<C>): boolean {
  const known = [keywords, functions, builtinFunctions, loopFunctions, absentFunctions];
  return known.some((names) => names.has(name));
}
