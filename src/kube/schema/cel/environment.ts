/** The CEL environment of CustomResourceDefinition rules: standard library plus the Kubernetes libraries. */
import { Environment } from '@marcbachmann/cel-js';
import { hasField } from './has.ts';
import { registerFormats } from './library-formats.ts';
import { registerLists } from './library-lists.ts';
import { registerNetwork } from './library-network.ts';
import { registerStrings } from './library-strings.ts';
import { registerUrl } from './library-url.ts';
import { redirectCalls } from './source.ts';

/** A CEL value: maps are `Map`, ints are `bigint`, doubles are `number`, timestamps are `Date`. */
export type CelValue = unknown;

export interface Program {
  /** Type of the result as the checker knows it: `bool`, `string`, `dyn`… */
  readonly type: string;
  /** Throws an Error where CEL gives one: no such key, overflow, division by zero. */
  run(variables: Record<string, CelValue>): CelValue;
}

function createEnvironment(oldSelf: 'dyn' | 'optional<dyn>'): Environment {
  const environment = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false });
  environment.registerVariable('self', 'dyn').registerVariable('oldSelf', oldSelf);
  environment.registerFunction('hasField(ast): bool', hasField);
  for (const register of [registerStrings, registerLists, registerNetwork, registerUrl, registerFormats])
    register(environment);
  return environment;
}

const environments = new Map<boolean, Environment>();

/** Made on first use, one for plain and one for optional oldSelf: registering the libraries takes milliseconds. */
function environmentOf(optionalOldSelf: boolean): Environment {
  const known = environments.get(optionalOldSelf);
  if (known) return known;
  const made = createEnvironment(optionalOldSelf ? 'optional<dyn>' : 'dyn');
  environments.set(optionalOldSelf, made);
  return made;
}

/** Most compiled programs kept; beyond it the oldest is dropped. */
const cacheLimit = 5000;
const cache = new Map<string, Program | Error>();

/** Parses and checks an expression over `self` and `oldSelf`. Programs are kept by their text. */
export function compileExpression(expression: string, optionalOldSelf = false): Program | Error {
  const key = `${optionalOldSelf ? '?' : '='}${expression}`;
  const known = cache.get(key);
  if (known) return known;
  const made = compile(expression, optionalOldSelf);
  if (cache.size >= cacheLimit) cache.delete(cache.keys().next().value!);
  cache.set(key, made);
  return made;
}

function compile(expression: string, optionalOldSelf: boolean): Program | Error {
  try {
    const parsed = environmentOf(optionalOldSelf).parse(redirectCalls(expression));
    const checked = parsed.check();
    if (!checked.valid) return new Error(summaryOf(checked.error));
    return { type: checked.type ?? 'dyn', run: (variables) => parsed(variables) as CelValue };
  } catch (error) {
    return new Error(summaryOf(error));
  }
}

/** An error of the evaluator in one line, without the drawing of the expression. */
export function summaryOf(error: unknown): string {
  const summary =
    error instanceof Error && 'summary' in error && typeof error.summary === 'string' ? error.summary : String(error);
  const line = summary.split('\n', 1)[0]!;
  return line.charAt(0).toLowerCase() + line.slice(1);
}
