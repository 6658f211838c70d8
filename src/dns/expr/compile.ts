/** Syntax tree to closures, with the static types checked on the way. */
import { closestTo } from '../../base/closest.ts';
import { compilePattern } from '../corefile/pattern.ts';
import { absentFunctions, builtinFunctions, checkArguments, misfit } from './functions.ts';
import { type LoopFunction, loopFunctions } from './loops.ts';
import { binaryOperators, lazyOperators, truth, unaryOperators } from './operators.ts';
import type { Node } from './syntax.ts';
import {
  any,
  arrayOf,
  bool,
  type Demand,
  float,
  int,
  join,
  map,
  nil,
  satisfies,
  string,
  type Type,
  typeText,
} from './types.ts';
import { bounded, ExpressionFailure, isArray, isMap, kindOf, spend, spendOn, type Value, type Work } from './value.ts';

/** What one evaluation works with. */
export interface Frame<C> extends Work {
  readonly context: C;
  readonly variables: ReadonlyMap<string, Value>;
  /** Values of `let`. */
  readonly lets: Value[];
  /** `#`, `#index`, `#acc` of the loop in hand. */
  item: Value;
  index: number;
  accumulator: Value;
}

/** A function that the surroundings lend to expressions. */
export interface HostFunction<C> {
  readonly takes: readonly Demand[];
  readonly gives: Type;
  run(context: C, args: readonly Value[]): Value;
}

export interface Surroundings<C> {
  readonly functions: ReadonlyMap<string, HostFunction<C>>;
  readonly variables: ReadonlyMap<string, Type>;
}

type Run<C> = (frame: Frame<C>) => Value;

interface Part<C> {
  readonly type: Type;
  readonly run: Run<C>;
  /** Nodes in it: what one evaluation costs. */
  readonly size: number;
  /** Nothing in it depends on the query. */
  readonly constant: boolean;
}

export interface CompiledPart<C> {
  readonly type: Type;
  readonly run: Run<C>;
}

interface Names {
  readonly lets: ReadonlyMap<string, { readonly slot: number; readonly type: Type }>;
  /** The element type of the loop around, and whether it has an accumulator. */
  readonly loop?: { readonly element: Type; readonly name: string };
}

type NodeOf<K extends Node['kind']> = Extract<Node, { kind: K }>;

export function compile<C>(root: Node, surroundings: Surroundings<C>): CompiledPart<C> {
  let slots = 0;
  const fail = (node: Node, message: string): never => {
    throw new ExpressionFailure(message, node.at);
  };

  function part(
    type: Type,
    run: Run<C>,
    inner: readonly Part<C>[],
    constant = inner.every((one) => one.constant),
  ): Part<C> {
    return { type, run, constant, size: inner.reduce((sum, { size }) => sum + size, 1) };
  }

  function literal({ value, float: isFloat }: NodeOf<'literal'>): Part<C> {
    const types = { string, boolean: bool, number: isFloat ? float : int, object: nil };
    return part(types[typeof value as keyof typeof types], () => value, []);
  }

  function name(node: NodeOf<'name'>, names: Names): Part<C> {
    const declared = names.lets.get(node.name);
    if (declared) return part(declared.type, (frame) => frame.lets[declared.slot]!, [], false);
    const type = surroundings.variables.get(node.name);
    if (type) return part(type, (frame) => frame.variables.get(node.name) ?? null, [], false);
    if (surroundings.functions.has(node.name)) return fail(node, `${node.name} is a function: ${node.name}()`);
    const near = closestTo(node.name, [...surroundings.variables.keys(), ...surroundings.functions.keys()]);
    return fail(node, `unknown name ${node.name}${near === undefined ? '' : `; did you mean ${near}?`}`);
  }

  function pointer(node: NodeOf<'pointer'>, { loop }: Names): Part<C> {
    if (node.name === '') return part(loop?.element ?? any, (frame) => frame.item, [], false);
    if (node.name === 'index') return part(int, (frame) => frame.index, [], false);
    if (node.name === 'acc' && loop?.name === 'reduce') return part(any, (frame) => frame.accumulator, [], false);
    return fail(node, `unknown pointer #${node.name}`);
  }

  function unary(node: NodeOf<'unary'>, names: Names): Part<C> {
    const operand = visit(node.operand, names);
    const operator = unaryOperators[node.operator]!;
    const type =
      operator.type(operand.type) ??
      fail(node, `invalid operation: ${node.operator} (mismatched type ${typeText(operand.type)})`);
    return part(type, (frame) => operator.run(operand.run(frame)), [operand]);
  }

  function binary(node: NodeOf<'binary'>, names: Names): Part<C> {
    const left = visit(node.left, names);
    const right = visit(node.right, names);
    const mismatched = () =>
      fail(
        node,
        `invalid operation: ${node.operator} (mismatched types ${typeText(left.type)} and ${typeText(right.type)})`,
      );
    const plain = { '&&': 'and', '||': 'or' }[node.operator] ?? node.operator;
    if (plain === 'matches') {
      if (!satisfies(left.type, 'string') || !satisfies(right.type, 'string')) mismatched();
      return matches(node, left, right);
    }
    if (Object.hasOwn(lazyOperators, plain)) {
      const { type, decides } = lazyOperators[plain]!;
      const rest = plain === '??' ? right.run : (frame: Frame<C>) => truth(plain, right.run(frame));
      const run = (frame: Frame<C>) => {
        const value = left.run(frame);
        return decides(value) ? value : rest(frame);
      };
      return part(type(left.type, right.type) ?? mismatched(), run, [left, right]);
    }
    const operator = binaryOperators[plain]!;
    const type = operator.type(left.type, right.type) ?? mismatched();
    return part(type, (frame) => operator.run(left.run(frame), right.run(frame), frame), [left, right]);
  }

  /** Patterns are compiled once, so they must not come from a query. */
  function matches(node: NodeOf<'binary'>, left: Part<C>, right: Part<C>): Part<C> {
    if (!right.constant) return fail(node, 'the pattern of matches must not depend on the query');
    const source = right.run(emptyFrame());
    const compiled = compilePattern(typeof source === 'string' ? source : '');
    if (!compiled.ok) return fail(node, `matches: ${compiled.error}`);
    const run = (frame: Frame<C>) => {
      const text = left.run(frame);
      if (typeof text !== 'string')
        throw new ExpressionFailure(`invalid operation: matches (${kindOf(text)} is no string)`);
      spendOn(frame, text);
      return compiled.value.test(text);
    };
    return part(bool, run, [left, right]);
  }

  function emptyFrame(): Frame<C> {
    // A constant part asks for nothing of these.
    return {
      context: undefined as C,
      variables: new Map(),
      lets: [],
      item: null,
      index: 0,
      accumulator: null,
      left: 1000,
    };
  }

  function conditional(node: NodeOf<'conditional'>, names: Names): Part<C> {
    const [test, then, otherwise] = [visit(node.test, names), visit(node.then, names), visit(node.otherwise, names)];
    if (!satisfies(test.type, 'bool') && node.then !== node.test)
      return fail(node, `non-bool expression (type ${typeText(test.type)}) used as condition`);
    const run = (frame: Frame<C>) => (truth('?:', test.run(frame)) ? then.run(frame) : otherwise.run(frame));
    return part(join(then.type, otherwise.type), run, [test, then, otherwise]);
  }

  function call(node: NodeOf<'call'>, names: Names): Part<C> {
    const host = surroundings.functions.get(node.name);
    const loop = host ? undefined : loopFunctions.get(node.name);
    if (loop) return iterate(node, loop, names);
    const args = node.args.map((arg) => visit(arg, names));
    const values = (frame: Frame<C>) => args.map(({ run }) => run(frame));
    const types = args.map(({ type }) => type);
    if (host) {
      const wrong = misfit(node.name, { takes: host.takes, least: host.takes.length }, types);
      if (wrong !== undefined) return fail(node, wrong);
      const run = (frame: Frame<C>) => {
        const given = values(frame);
        checkArguments(node.name, host.takes, given, frame);
        return bounded(host.run(frame.context, given));
      };
      return part(host.gives, run, args, false);
    }
    const builtin = builtinFunctions.get(node.name) ?? unknownFunction(node);
    const wrong = misfit(node.name, builtin, types);
    if (wrong !== undefined) return fail(node, wrong);
    const run = (frame: Frame<C>) => {
      const given = values(frame);
      checkArguments(node.name, builtin.takes, given, frame);
      return bounded(builtin.run(given, frame));
    };
    return part(builtin.gives(types), run, args);
  }

  function unknownFunction(node: NodeOf<'call'>): never {
    if (absentFunctions.has(node.name)) return fail(node, `the function ${node.name} is not supported by Fairway`);
    const known = [...surroundings.functions.keys(), ...builtinFunctions.keys(), ...loopFunctions.keys()];
    const near = closestTo(node.name, known);
    return fail(node, `unknown name ${node.name}${near === undefined ? '' : `; did you mean ${near}?`}`);
  }

  function iterate(node: NodeOf<'call'>, loop: LoopFunction, names: Names): Part<C> {
    const [over, body, start, ...more] = node.args;
    if (!over || (!body && !loop.optional)) return fail(node, `not enough arguments to call ${node.name}`);
    if (more.length > 0 || (start && !loop.seeded)) return fail(node, `too many arguments to call ${node.name}`);
    const items = visit(over, names);
    if (!satisfies(items.type, 'array'))
      return fail(over, `builtin ${node.name} takes only array (got ${typeText(items.type)})`);
    const element = items.type.kind === 'array' ? items.type.of : any;
    const self: Part<C> = part(element, (frame) => frame.item, [], false);
    const each = body ? visit(body, { ...names, loop: { element, name: node.name } }) : self;
    if (loop.decides && !satisfies(each.type, 'bool'))
      return fail(body ?? node, `predicate should return boolean (got ${typeText(each.type)})`);
    const seed = start && visit(start, names);
    const run = (frame: Frame<C>) => runLoop(node.name, loop, items.run(frame), each, seed?.run(frame), frame);
    return part(loop.gives(element, each.type), run, [items, each, ...(seed ? [seed] : [])], false);
  }

  function runLoop(
    called: string,
    loop: LoopFunction,
    items: Value,
    each: Part<C>,
    seed: Value | undefined,
    frame: Frame<C>,
  ): Value {
    if (!isArray(items)) throw new ExpressionFailure(`builtin ${called} takes only array (got ${kindOf(items)})`);
    const { item, index, accumulator } = frame;
    const found = loop.run(
      items,
      (one, i, sofar) => {
        spend(frame, each.size);
        Object.assign(frame, { item: one, index: i, accumulator: sofar });
        return each.run(frame);
      },
      seed,
    );
    Object.assign(frame, { item, index, accumulator });
    return bounded(found);
  }

  function member(node: NodeOf<'member'>, names: Names): Part<C> {
    const of = visit(node.of, names);
    const key = visit(node.key, names);
    const kind = of.type.kind;
    if (kind === 'nil' && node.optional) return part(nil, () => null, []);
    if (kind !== 'any' && kind !== 'map' && kind !== 'array')
      return fail(
        node,
        `type ${typeText(of.type)} has no field${node.key.kind === 'literal' ? ` ${node.key.value}` : 's'}`,
      );
    if (!satisfies(key.type, kind === 'array' ? 'int' : kind === 'map' ? 'string' : 'any'))
      return fail(node.key, `cannot use ${typeText(key.type)} to get an element from ${typeText(of.type)}`);
    const run = (frame: Frame<C>) => fetch(of.run(frame), key.run(frame), node.optional);
    return part(of.type.kind === 'array' ? of.type.of : any, run, [of, key]);
  }

  function slice(node: NodeOf<'slice'>, names: Names): Part<C> {
    const of = visit(node.of, names);
    const ends = [node.from, node.to].map((end) => end && visit(end, names));
    if (!satisfies(of.type, 'array') && !satisfies(of.type, 'string'))
      return fail(node, `cannot slice ${typeText(of.type)}`);
    for (const end of ends)
      if (end && !satisfies(end.type, 'int')) return fail(node, `non-integer slice index ${typeText(end.type)}`);
    const run = (frame: Frame<C>) => {
      const value = of.run(frame);
      spendOn(frame, value);
      if (typeof value !== 'string' && !isArray(value)) throw new ExpressionFailure(`cannot slice ${kindOf(value)}`);
      const [from, to] = ends.map((end) => (end ? Number(end.run(frame)) : undefined));
      return value.slice(from, to);
    };
    return part(of.type, run, [of, ...ends.filter((end) => end !== undefined)]);
  }

  function array(node: NodeOf<'array'>, names: Names): Part<C> {
    const items = node.items.map((item) => visit(item, names));
    const of = items.length === 0 ? any : items.map(({ type }) => type).reduce(join);
    return part(arrayOf(of), (frame) => items.map(({ run }) => run(frame)), items);
  }

  function mapping(node: NodeOf<'map'>, names: Names): Part<C> {
    const pairs = node.pairs.map(([key, value]) => [visit(key, names), visit(value, names)] as const);
    const run = (frame: Frame<C>) =>
      new Map(pairs.map(([key, value]) => [String(key.run(frame)), value.run(frame)] as const));
    return part(map, run, pairs.flat());
  }

  function declaration(node: NodeOf<'let'>, names: Names): Part<C> {
    const known = names.lets.has(node.name) || surroundings.variables.has(node.name);
    if (
      known ||
      surroundings.functions.has(node.name) ||
      builtinFunctions.has(node.name) ||
      loopFunctions.has(node.name)
    )
      return fail(node, `cannot redeclare ${node.name}`);
    const slot = slots++;
    const value = visit(node.value, names);
    const body = visit(node.body, {
      ...names,
      lets: new Map([...names.lets, [node.name, { slot, type: value.type }]]),
    });
    const run = (frame: Frame<C>) => {
      frame.lets[slot] = value.run(frame);
      return body.run(frame);
    };
    return part(body.type, run, [value, body]);
  }

  function sequence(node: NodeOf<'sequence'>, names: Names): Part<C> {
    const parts = node.nodes.map((one) => visit(one, names));
    const run = (frame: Frame<C>) => parts.reduce<Value>((_, one) => one.run(frame), null);
    return part(parts.at(-1)!.type, run, parts);
  }

  const visitors: { readonly [K in Node['kind']]: (node: NodeOf<K>, names: Names) => Part<C> } = {
    ...{ literal, name, pointer, unary, binary, conditional, call, member, slice, array, map: mapping, sequence },
    let: declaration,
    predicate: (node, names) => visit(node.body, names),
  };

  function visit(node: Node, names: Names): Part<C> {
    return (visitors[node.kind] as (node: Node, names: Names) => Part<C>)(node, names);
  }

  return visit(root, { lets: new Map() });
}

function fetch(of: Value, key: Value, optional: boolean): Value {
  if (of === null && optional) return null;
  if (isMap(of)) return of.get(String(key)) ?? null;
  if (!isArray(of)) throw new ExpressionFailure(`cannot fetch ${kindOf(key)} from ${kindOf(of)}`);
  const found = Number.isInteger(key) ? of.at(key as number) : undefined;
  if (found === undefined)
    throw new ExpressionFailure(`index out of range: ${String(key)} (array length is ${of.length})`);
  return found;
}
