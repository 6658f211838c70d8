/** Conditions of the plan as functions. */
import { err, ok, type Result } from '../../base/result.ts';
import { compileFinder } from '../../routing/match/pattern.ts';
import type { Condition } from '../../routing/plan/plan.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { toWire } from '../http1/characters.ts';
import type { RequestHead } from '../http1/request.ts';
import { compileTemplate } from './template.ts';

export type Holds = (exchange: Exchange, head: RequestHead) => boolean;

type TextTest = (text: string) => boolean;
type Test = Condition['test'];

const tests: { readonly [Type in Test['type']]: (test: Extract<Test, { type: Type }>) => Result<TextTest, string> } = {
  equals: ({ text }) => {
    const wanted = toWire(text);
    return ok((got) => got === wanted);
  },
  matches: ({ pattern, ignoreCase = false }) => {
    const finder = compileFinder(toWire(pattern), { ignoreCase });
    if (!finder.ok) return err(`the pattern ${JSON.stringify(pattern)} of a condition cannot be used: ${finder.error}`);
    return ok(finder.value.found);
  },
  present: () => ok((got) => got !== '' && got !== '0'),
  under: ({ paths }) => {
    const wanted = paths.map((path) => toWire(path).replace(/\/$/, ''));
    return ok((got) => wanted.some((path) => isUnder(got, path)));
  },
};

const isUnder = (got: string, path: string): boolean =>
  got.startsWith(path) && (got.length === path.length || got[path.length] === '/');

/**
 * Whether a request meets all conditions; undefined when every request does. Conditions on constant texts are settled
 * here.
 */
export function compileConditions(conditions: readonly Condition[] = []): Result<Holds | undefined, string> {
  const holds: Holds[] = [];
  for (const condition of conditions) {
    const compiled = compileCondition(condition);
    if (!compiled.ok) return compiled;
    const { value } = compiled;
    if (value === false) return ok(() => false);
    if (value !== true) holds.push(value);
  }
  if (holds.length <= 1) return ok(holds[0]);
  return ok((exchange, head) => {
    for (let i = 0; i < holds.length; i++) if (!holds[i]!(exchange, head)) return false;
    return true;
  });
}

function compileCondition({ value, test, not }: Condition): Result<Holds | boolean, string> {
  const wanted = !not;
  const text = compileTemplate(value);
  if (!text.ok) return text;
  const compiled = (tests[test.type] as (test: Test) => Result<TextTest, string>)(test);
  if (!compiled.ok) return compiled;
  const accepts = compiled.value;
  const { constant, text: textOf } = text.value;
  if (constant !== undefined) return ok<boolean>(accepts(constant) === wanted);
  return ok((exchange: Exchange, head: RequestHead) => accepts(textOf(exchange, head)) === wanted);
}
