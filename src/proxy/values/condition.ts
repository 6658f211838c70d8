/** Conditions of the plan as functions. */
import { err, ok, type Result } from '../../base/result.ts';
import { compileFinder } from '../../routing/match/pattern.ts';
import type { Condition } from '../../routing/plan/plan.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Denial } from '../filters/types.ts';
import { toWire } from '../http1/characters.ts';
import type { RequestHead } from '../http1/request.ts';
import { compileTemplate, type TextOf } from './template.ts';

export type Holds = (exchange: Exchange, head: RequestHead) => boolean;

type TextTest = (text: string) => boolean;
type Test = Condition['test'];

/** A test and what each character of a text costs in it: nothing but where a pattern is run. */
interface CompiledTest {
  readonly accepts: TextTest;
  readonly size: number;
}

const free = (accepts: TextTest) => ok({ accepts, size: 0 });

type Tests = { readonly [Type in Test['type']]: (test: Extract<Test, { type: Type }>) => Result<CompiledTest, string> };

const tests: Tests = {
  equals: ({ text }) => {
    const wanted = toWire(text);
    return free((got) => got === wanted);
  },
  matches: ({ pattern, ignoreCase = false }) => {
    if (isPlain.test(pattern)) return free(includes(pattern, ignoreCase));
    const finder = compileFinder(toWire(pattern), { ignoreCase });
    if (!finder.ok) return err(`the pattern ${JSON.stringify(pattern)} of a condition cannot be used: ${finder.error}`);
    return ok({ accepts: finder.value.found, size: finder.value.size });
  },
  present: () => free((got) => got !== '' && got !== '0'),
  under: ({ paths }) => {
    const wanted = paths.map((path) => toWire(path).replace(/\/$/, ''));
    return free((got) => wanted.some((path) => isUnder(got, path)));
  },
};

/** Patterns that are nothing but text: lists of clients to block have hundreds of these. */
const isPlain = /^[A-Za-z0-9 _/;:,=@%&~"'<>!-]+$/;

function includes(plain: string, ignoreCase: boolean): TextTest {
  if (!ignoreCase) return (got) => got.includes(plain);
  const wanted = plain.toLowerCase();
  return (got) => got.toLowerCase().includes(wanted);
}

const isUnder = (got: string, path: string): boolean =>
  got.startsWith(path) && (got.length === path.length || got[path.length] === '/');

export interface CompiledConditions {
  /** Whether a request meets all conditions; undefined when every request does. */
  readonly holds: Holds | undefined;
  /**
   * Goes before the first `holds` of a request: counts what their patterns can cost, and turns a request away for which
   * they would cost too much. Undefined where there are no patterns.
   */
  readonly charge: Charge | undefined;
}

type Charge = (exchange: Exchange, head: RequestHead) => Denial | undefined;

/** Conditions on constant texts are settled here. */
export function compileConditions(conditions: readonly Condition[] = []): Result<CompiledConditions, string> {
  const compiled: CompiledCondition[] = [];
  for (const condition of conditions) {
    const one = compileCondition(condition);
    if (!one.ok) return one;
    if (one.value === false) return ok({ holds: () => false, charge: undefined });
    if (one.value !== true) compiled.push(one.value);
  }
  return ok({ holds: allOf(compiled.map(({ holds }) => holds)), charge: chargeFor(compiled) });
}

function allOf(holds: readonly Holds[]): Holds | undefined {
  if (holds.length <= 1) return holds[0];
  return (exchange, head) => {
    for (let i = 0; i < holds.length; i++) if (!holds[i]!(exchange, head)) return false;
    return true;
  };
}

const tooCostly: Denial = {
  status: 414,
  flag: 'bad_request',
  reason: 'the patterns that conditions of this route have would take too many steps for this request',
};

function chargeFor(conditions: readonly CompiledCondition[]): Charge | undefined {
  const costly = conditions.filter(({ size }) => size > 0);
  if (costly.length === 0) return undefined;
  return (exchange, head) => {
    for (let i = 0; i < costly.length; i++) {
      const { size, textOf } = costly[i]!;
      if (isTooCostly(exchange, size, textOf(exchange, head))) return tooCostly;
    }
    return undefined;
  };
}

/** Counts what a pattern costs for a text: whether it is more than is left for the request. */
export function isTooCostly(exchange: Exchange, size: number, text: string): boolean {
  exchange.patternSteps += size * (text.length + 1);
  return exchange.patternSteps > exchange.client.runtime.settings.client.maxPatternSteps;
}

interface CompiledCondition {
  readonly holds: Holds;
  readonly textOf: TextOf;
  readonly size: number;
}

function compileCondition({ value, test, not }: Condition): Result<CompiledCondition | boolean, string> {
  const wanted = !not;
  const text = compileTemplate(value);
  if (!text.ok) return text;
  const compiled = (tests[test.type] as (test: Test) => Result<CompiledTest, string>)(test);
  if (!compiled.ok) return compiled;
  const { accepts, size } = compiled.value;
  const { constant, text: textOf } = text.value;
  if (constant !== undefined) return ok<boolean>(accepts(constant) === wanted);
  const holds: Holds = (exchange, head) => accepts(textOf(exchange, head)) === wanted;
  return ok({ holds, textOf, size });
}
