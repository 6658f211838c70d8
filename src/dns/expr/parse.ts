/** Source to syntax tree: operator precedence of expr-lang v1, bounded in nodes and depth. */

import type { Node } from './syntax.ts';
import { type Token, type TokenKind, tokenize } from './tokens.ts';
import { ExpressionFailure, limits } from './value.ts';

const unary: Readonly<Record<string, number>> = { not: 50, '!': 50, '-': 90, '+': 90 };
const binary: Readonly<Record<string, number>> = {
  '|': 0,
  ...{ or: 10, '||': 10, and: 15, '&&': 15 },
  ...{ '==': 20, '!=': 20, '<': 20, '>': 20, '>=': 20, '<=': 20 },
  ...{ in: 20, matches: 20, contains: 20, startsWith: 20, endsWith: 20 },
  ...{ '..': 25, '+': 30, '-': 30, '*': 60, '/': 60, '%': 60, '**': 100, '^': 100, '??': 500 },
};
const rightToLeft = new Set(['**', '^']);
const negatable = new Set(['contains', 'matches', 'startsWith', 'endsWith', 'in']);
const comparisons = new Set(['<', '>', '<=', '>=']);

/** Functions whose second argument is a predicate. */
export const predicateFunctions: ReadonlySet<string> = new Set([
  ...['all', 'none', 'any', 'one', 'filter', 'map', 'count', 'sum'],
  ...['find', 'findIndex', 'findLast', 'findLastIndex', 'reduce', 'sortBy', 'groupBy'],
]);

function numberOf(token: Token): { value: number; float?: true } {
  const text = token.text.replaceAll('_', '');
  const float = !/^0[xX]/.test(text) && /[.eE]/.test(text);
  const value = Number(text);
  if (Number.isNaN(value)) throw new ExpressionFailure(`bad number syntax: "${token.text}"`, token.at);
  if (!Number.isFinite(value) || (!float && !Number.isSafeInteger(value)))
    throw new ExpressionFailure(`${float ? 'float' : 'integer'} literal is too large`, token.at);
  return { value, ...(float && { float }) };
}

function createParser(tokens: readonly Token[]) {
  let at = 0;
  let nodes = 0;
  let depth = 0;
  let predicates = 0;

  const current = (): Token => tokens[at]!;
  const is = (kind: TokenKind, text?: string): boolean =>
    current().kind === kind && (text === undefined || current().text === text);
  const unexpected = (): never => {
    const { kind, text } = current();
    throw new ExpressionFailure(
      kind === 'end' ? 'unexpected end of expression' : `unexpected token "${text}"`,
      current().at,
    );
  };
  const take = (): Token => tokens[at++]!;
  const expect = (kind: TokenKind, text?: string): Token => (is(kind, text) ? take() : unexpected());
  const accept = (kind: TokenKind, text: string): boolean => is(kind, text) && Boolean(take());

  function node<T extends Node>(made: T): T {
    if (++nodes > limits.nodes) throw new ExpressionFailure(`more than ${limits.nodes} nodes`, made.at);
    return made;
  }

  function sequence(): Node {
    const start = current().at;
    const found = [expression(0)];
    while (accept('operator', ';')) {
      if (is('end')) break;
      found.push(expression(0));
    }
    return found.length === 1 ? found[0]! : node({ kind: 'sequence', nodes: found, at: start });
  }

  function expression(precedence: number): Node {
    if (++depth > limits.depth) throw new ExpressionFailure(`nested more than ${limits.depth} deep`, current().at);
    const found =
      precedence === 0 && is('operator', 'let')
        ? declaration()
        : precedence === 0 && is('operator', 'if')
          ? ifElse()
          : operation(precedence);
    depth--;
    return found;
  }

  function operation(precedence: number): Node {
    let left = primary();
    let before = '';
    for (;;) {
      const negated = is('operator', 'not');
      const operator = tokens[negated ? at + 1 : at]!;
      const rank = operator.kind === 'operator' && Object.hasOwn(binary, operator.text) ? binary[operator.text]! : -1;
      if (negated && !negatable.has(operator.text)) unexpected();
      if (rank < precedence || rank < 0) break;
      if (before === '??' && operator.text !== '??')
        throw new ExpressionFailure(`${operator.text} and ?? cannot be mixed without parentheses`, operator.at);
      at += negated ? 2 : 1;
      before = operator.text;
      if (operator.text === '|') left = call(expect('identifier'), [left]);
      else if (comparisons.has(operator.text)) left = comparison(left, operator, rank);
      else {
        const right = expression(rightToLeft.has(operator.text) ? rank : rank + 1);
        left = node({ kind: 'binary', operator: operator.text, left, right, at: operator.at });
      }
      if (negated) left = node({ kind: 'unary', operator: 'not', operand: left, at: operator.at });
    }
    return precedence === 0 ? conditional(left) : left;
  }

  /** `1 < a <= 5` means `1 < a && a <= 5`. */
  function comparison(first: Node, operator: Token, rank: number): Node {
    let whole: Node | undefined;
    let left = first;
    let sign = operator;
    for (;;) {
      const right = expression(rank + 1);
      const one = node({ kind: 'binary', operator: sign.text, left, right, at: sign.at });
      whole = whole ? node({ kind: 'binary', operator: '&&', left: whole, right: one, at: sign.at }) : one;
      if (current().kind !== 'operator' || !comparisons.has(current().text)) return whole;
      left = right;
      sign = take();
    }
  }

  function conditional(first: Node): Node {
    let test = first;
    while (is('operator', '?')) {
      const start = take().at;
      const short = accept('operator', ':');
      const then = short ? test : expression(0);
      if (!short) expect('operator', ':');
      test = node({ kind: 'conditional', test, then, otherwise: expression(0), at: start });
    }
    return test;
  }

  function ifElse(): Node {
    const start = expect('operator', 'if').at;
    const test = expression(0);
    const then = braced();
    expect('operator', 'else');
    const otherwise = is('operator', 'if') ? expression(0) : braced();
    return node({ kind: 'conditional', test, then, otherwise, at: start });
  }

  function braced(): Node {
    expect('bracket', '{');
    const body = sequence();
    expect('bracket', '}');
    return body;
  }

  function declaration(): Node {
    expect('operator', 'let');
    const { text: name, at: start } = expect('identifier');
    expect('operator', '=');
    const value = expression(0);
    expect('operator', ';');
    return node({ kind: 'let', name, value, body: sequence(), at: start });
  }

  function primary(): Node {
    const token = current();
    if (token.kind === 'operator' && Object.hasOwn(unary, token.text)) {
      take();
      const operand = expression(unary[token.text]!);
      return postfix(node({ kind: 'unary', operator: token.text, operand, at: token.at }));
    }
    if (accept('bracket', '(')) {
      const inner = sequence();
      expect('bracket', ')');
      return postfix(inner);
    }
    if (predicates > 0 && is('operator', '#')) {
      take();
      const name = is('identifier') && current().at === token.at + 1 ? take().text : '';
      return postfix(node({ kind: 'pointer', name, at: token.at }));
    }
    // `.Field` in a predicate is `#.Field`.
    if (predicates > 0 && is('operator', '.')) return postfix(node({ kind: 'pointer', name: '', at: token.at }));
    return secondary(token);
  }

  function secondary(token: Token): Node {
    if (token.kind === 'number') return node({ kind: 'literal', ...numberOf(take()), at: token.at });
    if (token.kind === 'string') return postfix(node({ kind: 'literal', value: take().text, at: token.at }));
    if (is('bracket', '[')) return postfix(array());
    if (is('bracket', '{')) return postfix(mapping());
    if (token.kind !== 'identifier') return unexpected();
    take();
    if (token.text === 'true' || token.text === 'false')
      return node({ kind: 'literal', value: token.text === 'true', at: token.at });
    if (token.text === 'nil') return node({ kind: 'literal', value: null, at: token.at });
    return postfix(is('bracket', '(') ? call(token, []) : node({ kind: 'name', name: token.text, at: token.at }));
  }

  /** Items up to a closing bracket; a comma may stand behind the last one. */
  function list<T>(close: string, item: (index: number) => T): T[] {
    const items: T[] = [];
    while (!is('bracket', close)) {
      if (items.length > 0) expect('operator', ',');
      if (is('bracket', close)) break;
      items.push(item(items.length));
    }
    take();
    return items;
  }

  function call({ text: name, at: start }: Token, piped: readonly Node[]): Node {
    expect('bracket', '(');
    const isPredicate = (index: number) => predicateFunctions.has(name) && index + piped.length === 1;
    const args = [...piped, ...list(')', (index) => (isPredicate(index) ? predicate() : expression(0)))];
    return node({ kind: 'call', name, args, at: start });
  }

  function predicate(): Node {
    const start = current().at;
    predicates++;
    const body = is('bracket', '{') ? braced() : expression(0);
    if (is('operator', ';')) throw new ExpressionFailure('wrap predicate with brackets { and }', current().at);
    predicates--;
    return node({ kind: 'predicate', body, at: start });
  }

  function array(): Node {
    const start = expect('bracket', '[').at;
    return node({ kind: 'array', items: list(']', () => expression(0)), at: start });
  }

  function mapping(): Node {
    const start = expect('bracket', '{').at;
    const pairs = list('}', (): readonly [Node, Node] => {
      const key = keyOfPair();
      expect('operator', ':');
      return [key, expression(0)];
    });
    return node({ kind: 'map', pairs, at: start });
  }

  function keyOfPair(): Node {
    const token = current();
    if (is('bracket', '(')) return expression(0);
    if (token.kind === 'end' || token.kind === 'bracket' || token.kind === 'operator') return unexpected();
    return node({ kind: 'literal', value: take().text, at: token.at });
  }

  function postfix(first: Node): Node {
    let of = first;
    // Behind `?.` the whole rest of the chain is nil when its start is.
    let optional = false;
    for (;;) {
      const chained = is('operator', '?.');
      optional ||= chained;
      if (chained || is('operator', '.')) {
        take();
        of = chained && is('bracket', '[') ? index(of, true) : field(of, optional);
      } else if (is('bracket', '[')) of = index(of, optional);
      else return of;
    }
  }

  function field(of: Node, optional: boolean): Node {
    const { kind, text, at: start } = take();
    if (kind !== 'identifier' && !(kind === 'operator' && /^\w+$/.test(text)))
      throw new ExpressionFailure('expected name', start);
    if (is('bracket', '(')) throw new ExpressionFailure(`no value has a method ${text}`, start);
    return node({ kind: 'member', of, key: node({ kind: 'literal', value: text, at: start }), optional, at: start });
  }

  function index(of: Node, optional: boolean): Node {
    const start = expect('bracket', '[').at;
    const from = is('operator', ':') ? undefined : expression(0);
    if (from && accept('bracket', ']')) return node({ kind: 'member', of, key: from, optional, at: start });
    expect('operator', ':');
    const to = is('bracket', ']') ? undefined : expression(0);
    expect('bracket', ']');
    return node({ kind: 'slice', of, ...(from && { from }), ...(to && { to }), at: start });
  }

  return {
    whole(): Node {
      const found = sequence();
      if (!is('end')) unexpected();
      return found;
    },
  };
}

/** Throws ExpressionFailure with the offset of the mistake. */
export function parseExpression(source: string): Node {
  if (source.length > limits.source) throw new ExpressionFailure(`longer than ${limits.source} characters`);
  return createParser(tokenize(source)).whole();
}
