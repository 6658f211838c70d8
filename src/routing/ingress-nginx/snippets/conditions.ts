/** The conditions of nginx's `if` that are understood: a variable alone, compared with a text, or held against a pattern. */
import { err, ok, type Result } from '../../../base/result.ts';
import { compileFinder } from '../../match/pattern.ts';
import type { Condition, Template } from '../../plan/values.ts';
import { parseTemplate, type VariableScope } from '../variables.ts';

export interface ReadCondition {
  readonly condition: Condition;
  /** What captures mean after it. Undefined without a pattern that was found. */
  readonly captured: Pick<VariableScope, 'captures' | 'within'> | undefined;
}

type Test = Condition['test'];

/** `words` are what stands between `if` and `{`, parentheses included. */
export function readCondition(words: readonly string[], scope: VariableScope): Result<ReadCondition, string> {
  const inner = withoutParentheses(words);
  if (!inner) return err('the condition must stand in parentheses');
  const [subject = '', operator, text, ...rest] = inner;
  if (!/^\$(?:[A-Za-z0-9_]+|\{[A-Za-z0-9_]+\})$/.test(subject))
    return err(`${JSON.stringify(subject)} is not one variable, which is all that a condition may look at`);
  const value = parseTemplate(subject, scope);
  if (!value.ok) return value;
  if (operator === undefined)
    return ok({ condition: { value: value.value, test: { type: 'present' } }, captured: undefined });
  if (text === undefined || rest.length > 0) return err('a condition is a variable, an operator and one word');
  return compare(value.value, operator, text);
}

function compare(value: Template, operator: string, text: string): Result<ReadCondition, string> {
  const [, negated, kind] = /^(!?)(=|~\*?)$/.exec(operator) ?? [];
  if (kind === undefined) return err(`the operator ${operator} is not one of =, !=, ~, ~*, !~ and !~*`);
  const not = negated === '!' ? ({ not: true } as const) : {};
  if (kind === '=') {
    if (text.includes('$')) return err('a variable is compared with a text only, not with another variable');
    return ok({ condition: { value, test: { type: 'equals', text }, ...not }, captured: undefined });
  }
  const ignoreCase = kind === '~*';
  const pattern = compileFinder(text, { ignoreCase });
  if (!pattern.ok) return err(`the pattern ${text} cannot be used: ${pattern.error}`);
  const test: Test = { type: 'matches', pattern: text, ...(ignoreCase && { ignoreCase }) };
  const within = { pattern: text, text: value, ...(ignoreCase && { ignoreCase }) };
  return ok({
    condition: { value, test, ...not },
    captured: negated === '!' ? undefined : { captures: pattern.value.groups, within },
  });
}

/** `(`, `)` may be words of their own or stand at the first and the last one. */
function withoutParentheses(words: readonly string[]): readonly string[] | undefined {
  const first = words[0];
  const last = words.at(-1);
  if (first === undefined || last === undefined || !first.startsWith('(') || !last.endsWith(')')) return undefined;
  const opened = [first.slice(1), ...words.slice(1)];
  opened[opened.length - 1] = opened.at(-1)!.slice(0, -1);
  return opened.filter((word, i) => word !== '' || (i > 0 && i < opened.length - 1));
}
