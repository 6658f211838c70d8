/** Matches of rules, whatever the kind of route: values of headers and parameters, faults, precedence. */
import type { HTTPRoute } from '../../kube/types/index.ts';
import { compilePattern } from '../match/pattern.ts';
import type { RouteMatch, ValueMatch } from '../plan/plan.ts';

/** Smaller is first, number by number. Ranks are of routes of one kind, and equally long. */
export type MatchRank = readonly number[];

export interface CompiledMatch {
  readonly match: RouteMatch;
  readonly rank: MatchRank;
}

/** What is wrong with a value of a rule. The path of the field is relative to the rule. */
export interface ValueFault {
  readonly fieldPath: string;
  readonly message: string;
  /** What would mend it. */
  readonly hint?: string;
}

type Rule = NonNullable<HTTPRoute['spec']['rules']>[number];
type GivenValues = NonNullable<Rule['matches']>[number]['queryParams'];

const valueTypes: ReadonlyMap<string, ValueMatch['type']> = new Map([
  ['Exact', 'exact'],
  ['RegularExpression', 'regex'],
]);

export function compareRank(a: MatchRank, b: MatchRank): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

export function isMatch(match: CompiledMatch | ValueFault): match is CompiledMatch {
  return 'rank' in match;
}

/** How a regular expression that RE2 does not take is mended. */
export const patternHint = 'Write a pattern that RE2 takes (no lookaround, no backreferences), or use type Exact.';
const valueTypeHint = 'Use type Exact or RegularExpression.';

/** A pattern is RE2 and has to cover the whole path or value. */
export function patternProblem(source: string): string | undefined {
  const pattern = compilePattern(source);
  return pattern.ok
    ? undefined
    : `${JSON.stringify(source)} is not a usable regular expression (RE2): ${pattern.error}`;
}

/** Names of headers in lower case. */
export function compileHeaders(given: GivenValues, fieldPath: string): readonly ValueMatch[] | ValueFault {
  return compileValues(given, fieldPath, (name) => name.toLowerCase());
}

/** Of entries with one name only the first counts. */
export function compileValues(
  given: GivenValues,
  fieldPath: string,
  nameOf: (name: string) => string,
): readonly ValueMatch[] | ValueFault {
  if (!given?.length) return [];
  const values = new Map<string, ValueMatch>();
  for (const [i, { name: asked, type: askedType = 'Exact', value }] of given.entries()) {
    const name = nameOf(asked);
    if (values.has(name)) continue;
    const type = valueTypes.get(askedType);
    if (!type)
      return {
        fieldPath: `${fieldPath}[${i}].type`,
        message: `${askedType} is not a type of match`,
        hint: valueTypeHint,
      };
    const problem = type === 'regex' ? patternProblem(value) : undefined;
    if (problem) return { fieldPath: `${fieldPath}[${i}].value`, message: problem, hint: patternHint };
    values.set(name, { name, type, value });
  }
  return [...values.values()];
}
