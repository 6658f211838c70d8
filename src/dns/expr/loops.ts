/** The functions of expr-lang that evaluate a predicate for each element of an array. */

import { truth } from './operators.ts';
import { any, arrayOf, bool, int, type Type } from './types.ts';
import { bounded, ExpressionFailure, type Value } from './value.ts';

/** Evaluates the predicate for one element. */
export type Each = (item: Value, index: number, accumulator: Value) => Value;

export interface LoopFunction {
  /** The predicate may be left out. */
  readonly optional?: true;
  /** It must give a bool. */
  readonly decides?: true;
  /** Takes a start value. */
  readonly seeded?: true;
  gives(element: Type, body: Type): Type;
  run(items: readonly Value[], each: Each, seed: Value | undefined): Value;
}

const found = (value: Value | undefined): Value => value ?? null;

function deciding(
  gives: LoopFunction['gives'],
  run: (items: readonly Value[], holds: (item: Value, i: number) => boolean) => Value,
): LoopFunction {
  return {
    decides: true,
    gives,
    run: (items, each) => run(items, (item, i) => truth('predicate', each(item, i, null))),
  };
}

function sum(items: readonly Value[], each: Each): Value {
  let total = 0;
  items.forEach((item, i) => {
    const value = each(item, i, null);
    if (typeof value !== 'number') throw new ExpressionFailure('sum: not a number');
    total += value;
  });
  return bounded(total);
}

function reduce(items: readonly Value[], each: Each, seed: Value | undefined): Value {
  if (seed === undefined && items.length === 0)
    throw new ExpressionFailure('reduce of empty array with no initial value');
  let accumulator = seed === undefined ? items[0]! : seed;
  for (let i = seed === undefined ? 1 : 0; i < items.length; i++)
    accumulator = bounded(each(items[i]!, i, accumulator));
  return accumulator;
}

const all: Readonly<Record<string, LoopFunction>> = {
  all: deciding(
    () => bool,
    (items, holds) => items.every(holds),
  ),
  any: deciding(
    () => bool,
    (items, holds) => items.some(holds),
  ),
  none: deciding(
    () => bool,
    (items, holds) => !items.some(holds),
  ),
  one: deciding(
    () => bool,
    (items, holds) => items.filter(holds).length === 1,
  ),
  filter: deciding(
    (element) => arrayOf(element),
    (items, holds) => items.filter(holds),
  ),
  count: {
    ...deciding(
      () => int,
      (items, holds) => items.filter(holds).length,
    ),
    optional: true,
  },
  find: deciding(
    () => any,
    (items, holds) => found(items.find(holds)),
  ),
  findIndex: deciding(
    () => any,
    (items, holds) => items.findIndex(holds),
  ),
  findLast: deciding(
    () => any,
    (items, holds) => found(items.findLast(holds)),
  ),
  findLastIndex: deciding(
    () => any,
    (items, holds) => items.findLastIndex(holds),
  ),
  map: { gives: (_, body) => arrayOf(body), run: (items, each) => items.map((item, i) => each(item, i, null)) },
  sum: { optional: true, gives: (_, body) => body, run: sum },
  reduce: { seeded: true, gives: (_, body) => body, run: reduce },
};

export const loopFunctions: ReadonlyMap<string, LoopFunction> = new Map(Object.entries(all));
