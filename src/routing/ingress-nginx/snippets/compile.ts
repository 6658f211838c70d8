/**
 * Snippets as filters: the closed set of directives that people really use. Whatever else stands in a snippet is a fault
 * with its line, and the caller shuts the location: a snippet may be what guards it.
 */
import { err, ok, type Result } from '../../../base/result.ts';
import { compileFinder } from '../../match/pattern.ts';
import type { Filter } from '../../plan/plan.ts';
import type { Condition, Template } from '../../plan/values.ts';
import { parseTemplate, type VariableScope } from '../variables.ts';
import { readCondition } from './conditions.ts';
import { type Directive, parseSnippet, type SnippetFault } from './parse.ts';

/** Where a snippet stands. `auth`: in the question to an external service, of which only headers can be said. */
export type SnippetPlace = 'location' | 'server' | 'auth';

/** What a snippet is made of, in the order of its directives. */
export type SnippetFilters = readonly Filter[];

interface Scope {
  readonly place: SnippetPlace;
  /** Met already: what stands in the blocks of `if`. */
  readonly when: readonly Condition[];
  readonly variables: VariableScope;
  /** Variables of `set`, which later directives may name. */
  readonly locals: Record<string, Template>;
}

type Compiled = Result<SnippetFilters, string>;
type Compiler = (directive: Directive, scope: Scope) => Compiled;

const compilers: Readonly<Record<string, Compiler>> = {
  add_header: addHeader,
  more_clear_headers: clearHeaders,
  more_set_headers: setHeaders,
  more_set_input_headers: setInputHeaders,
  proxy_hide_header: hideHeader,
  proxy_set_header: setRequestHeader,
  return: answer,
  rewrite,
  set: setVariable,
};

const known: Readonly<Record<SnippetPlace, readonly string[]>> = {
  location: [...Object.keys(compilers), 'if'],
  server: ['add_header', 'if', 'more_clear_headers', 'more_set_headers', 'return', 'rewrite', 'set'],
  auth: ['proxy_set_header', 'set'],
};

/** Directives that are understood, by the place of the snippet. */
export const snippetDirectives = known;

/** Inside of `if`, nginx takes a header of the request from `more_set_input_headers` alone. */
const notInIf: Readonly<Record<string, string>> = {
  proxy_hide_header: 'nginx does not take it inside of if',
  proxy_set_header: 'nginx does not take it inside of if',
  set: 'inside of if it is not understood: what a variable stands for may not depend on the request',
};

/** `variables`: what the location has of its own, `$service_name` and so on. */
export function compileSnippet(
  text: string,
  place: SnippetPlace,
  variables: VariableScope = {},
): Result<SnippetFilters, SnippetFault> {
  const parsed = parseSnippet(text);
  if (!parsed.ok) return parsed;
  const locals: Record<string, Template> = { ...variables.locals };
  return compileAll(parsed.value, { place, when: [], variables: { ...variables, locals }, locals });
}

function compileAll(directives: readonly Directive[], scope: Scope): Result<SnippetFilters, SnippetFault> {
  const filters: Filter[] = [];
  for (const directive of directives) {
    const made = compileOne(directive, scope);
    if (!made.ok) return made;
    filters.push(...made.value);
  }
  return ok(filters);
}

function compileOne(directive: Directive, scope: Scope): Result<SnippetFilters, SnippetFault> {
  const { name, block, line } = directive;
  const fault = (message: string) => err({ line, message: `${name}: ${message}` });
  if (!known[scope.place].includes(name)) return fault('this directive is not among those that are understood');
  if (name === 'if') return compileIf(directive, scope);
  if (block) return fault('it has no block');
  if (scope.when.length > 0 && Object.hasOwn(notInIf, name)) return fault(notInIf[name]!);
  const made = compilers[name]!(directive, scope);
  return made.ok ? made : fault(made.error);
}

function compileIf({ words, block, line }: Directive, scope: Scope): Result<SnippetFilters, SnippetFault> {
  const fault = (message: string) => err({ line, message: `if: ${message}` });
  if (!block) return fault('a block must follow');
  if (scope.when.length > 0) return fault('nginx does not take an if inside of another');
  const read = readCondition(words, scope.variables);
  if (!read.ok) return fault(read.error);
  const { condition, captured } = read.value;
  const variables = { ...scope.variables, ...captured };
  return compileAll(block, { ...scope, when: [condition], variables });
}

type Pair = readonly [name: string, value: Template];

function pairOf(name: string, value: string, variables: VariableScope): Result<Pair, string> {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) return err(`${JSON.stringify(name)} is not the name of a header`);
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) return err(`the value of ${name} has control characters`);
  const template = parseTemplate(value, variables);
  return template.ok ? ok([name, template.value] as const) : template;
}

const whenOf = ({ when }: Scope) => (when.length > 0 ? { when } : {});

/** Statuses of responses that nginx adds headers to unless `always` is said. */
const addHeaderStatuses = [200, 201, 204, 206, 301, 302, 303, 304, 307, 308];

function addHeader({ words }: Directive, scope: Scope): Compiled {
  const [name, value, always, ...rest] = words;
  if (name === undefined || value === undefined || rest.length > 0 || (always !== undefined && always !== 'always'))
    return err('it takes a name, a value and perhaps the word always');
  const pair = pairOf(name, value, { ...scope.variables, response: true });
  if (!pair.ok) return pair;
  const statuses = always ? {} : { statuses: addHeaderStatuses };
  return ok([{ type: 'response-values', ...whenOf(scope), ...statuses, set: [], add: [pair.value], remove: [] }]);
}

/** `-s "404 500"` and the lines that follow. */
function linesOf(words: readonly string[]): Result<{ statuses?: number[]; lines: readonly string[] }, string> {
  if (words.length === 0) return err('it names no header');
  if (!words[0]!.startsWith('-')) return ok({ lines: words });
  const [option, list = '', ...lines] = words;
  const statuses = list.split(/\s+/).map(Number);
  if (option !== '-s' || !statuses.every((status) => status >= 100 && status <= 599) || lines.length === 0)
    return err(`${option} is not understood: of its options only -s with statuses is`);
  return ok({ statuses, lines });
}

/** `Name: value`; a name alone, or one whose value is empty, clears the header. */
function headerLines(lines: readonly string[], variables: VariableScope): Result<readonly Pair[], string> {
  const pairs: Pair[] = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    const [name, value] = colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1)];
    const pair = pairOf(name.trim(), value.trim(), variables);
    if (!pair.ok) return pair;
    pairs.push(pair.value);
  }
  return ok(pairs);
}

function setHeaders({ words }: Directive, scope: Scope): Compiled {
  const read = linesOf(words);
  if (!read.ok) return read;
  const { statuses, lines } = read.value;
  const pairs = headerLines(lines, { ...scope.variables, response: true });
  if (!pairs.ok) return pairs;
  const set = pairs.value.filter(([, value]) => value.length > 0);
  const remove = pairs.value.filter(([, value]) => value.length === 0).map(([name]) => name);
  return ok([{ type: 'response-values', ...whenOf(scope), ...(statuses && { statuses }), set, add: [], remove }]);
}

function clearHeaders({ words }: Directive, scope: Scope): Compiled {
  const read = linesOf(words);
  if (!read.ok) return read;
  const { statuses, lines } = read.value;
  if (lines.some((line) => line.includes('*'))) return err('names with a * are not understood');
  const pairs = headerLines(
    lines.map((line) => line.split(':', 1)[0]!),
    {},
  );
  if (!pairs.ok) return pairs;
  const remove = pairs.value.map(([name]) => name);
  return ok([{ type: 'response-values', ...whenOf(scope), ...(statuses && { statuses }), set: [], add: [], remove }]);
}

function hideHeader({ words }: Directive, scope: Scope): Compiled {
  return words.length === 1
    ? clearHeaders({ name: '', words, block: undefined, line: 0 }, scope)
    : err('it takes one name');
}

function setInputHeaders({ words }: Directive, scope: Scope): Compiled {
  if (words[0]?.startsWith('-')) return err(`${words[0]} is not understood`);
  if (words.length === 0) return err('it names no header');
  const set = headerLines(words, scope.variables);
  return set.ok ? ok([{ type: 'request-values', ...whenOf(scope), set: set.value }]) : set;
}

function setRequestHeader({ words }: Directive, scope: Scope): Compiled {
  const [name, value, ...rest] = words;
  if (name === undefined || value === undefined || rest.length > 0) return err('it takes a name and a value');
  const pair = pairOf(name, value, scope.variables);
  return pair.ok ? ok([{ type: 'request-values', set: [pair.value] }]) : pair;
}

const redirectStatuses = new Set([301, 302, 303, 307, 308]);

/** `return code`, `return code text`, `return code url`, `return url`. */
function answer({ words }: Directive, { when, variables }: Scope): Compiled {
  const [first = '', second, ...rest] = words;
  if (rest.length > 0 || first === '') return err('it takes a status and perhaps a text or an address');
  if (!/^[0-9]{3}$/.test(first)) {
    return /^(?:https?:\/\/|\$scheme)/.test(first)
      ? redirectTo(302, first, when, variables)
      : err(`${first} is no status`);
  }
  const status = Number(first);
  if (status === 444) return err('444 would close the connection without an answer');
  if (status < 200 || status > 599) return err(`${status} is no status of a final response`);
  const reason = 'a snippet of the Ingress answers';
  if (second === undefined) return ok([{ type: 'respond', when, status, reason }]);
  if (redirectStatuses.has(status)) return redirectTo(status, second, when, variables);
  const body = parseTemplate(second, variables);
  return body.ok ? ok([{ type: 'respond', when, status, body: body.value, reason }]) : body;
}

/** A rewrite that redirects writes the groups of its pattern in a way of its own. */
const rewritten = { unescaped: true } as const;

function redirectTo(
  status: number,
  place: string,
  when: readonly Condition[],
  variables: VariableScope,
  form: Partial<typeof rewritten> = {},
): Compiled {
  const location = parseTemplate(place, variables);
  if (!location.ok) return location;
  const reason = 'a snippet of the Ingress redirects';
  return ok([{ type: 'respond', when, status, location: location.value, ...form, reason }]);
}

const flags: Readonly<Record<string, number>> = { permanent: 301, redirect: 302 };

/** `rewrite pattern replacement break`, or with a redirect. `last` would look for another location, which is not done. */
function rewrite({ words }: Directive, scope: Scope): Compiled {
  const [pattern, replacement, flag, ...rest] = words;
  if (pattern === undefined || replacement === undefined || rest.length > 0)
    return err('it takes a pattern, a replacement and a flag');
  const finder = compileFinder(pattern);
  if (!finder.ok) return err(`the pattern ${pattern} cannot be used: ${finder.error}`);
  const isAbsolute = /^(?:https?:\/\/|\$scheme)/.test(replacement);
  const status = flag === undefined ? undefined : flags[flag];
  if (isAbsolute || status !== undefined) {
    const matches: Condition = {
      value: [{ of: 'fact', fact: 'normal-path' }],
      test: { type: 'matches', pattern },
    };
    const variables = { ...scope.variables, ...{ captures: finder.value.groups, within: { pattern } } };
    return redirectWithQuery(status ?? 302, replacement, [...scope.when, matches], variables);
  }
  if (flag !== 'break' || scope.when.length > 0 || scope.place !== 'location')
    return err('without a redirect it is understood with the flag break only, in a location and outside of if');
  if (/\$(?![1-9])/.test(replacement)) return err('the replacement may have groups of the pattern, and no variables');
  return ok([{ type: 'rewrite', path: { type: 'regex', pattern, replacement } }]);
}

/** nginx adds the query of the request, where it has one, to the replacement of a rewrite, unless that ends in `?`. */
function redirectWithQuery(
  status: number,
  replacement: string,
  when: readonly Condition[],
  variables: VariableScope,
): Compiled {
  const redirect = (place: string, also: readonly Condition[] = []) =>
    redirectTo(status, place, [...when, ...also], variables, rewritten);
  if (replacement.endsWith('?')) return redirect(replacement.slice(0, -1));
  if (!replacement.includes('?')) return redirect(`${replacement}$is_args$args`);
  const joined = redirect(`${replacement}&$args`, [hasQuery]);
  const bare = redirect(replacement);
  if (!joined.ok || !bare.ok) return bare;
  return ok([...joined.value, ...bare.value]);
}

const hasQuery: Condition = {
  value: [{ of: 'fact', fact: 'query' }],
  test: { type: 'equals', text: '' },
  not: true,
};

function setVariable({ words }: Directive, { variables, locals }: Scope): Compiled {
  const [name = '', value, ...rest] = words;
  const [, bare] = /^\$([A-Za-z0-9_]+)$/.exec(name) ?? [];
  if (bare === undefined || value === undefined || rest.length > 0) return err('it takes a variable and a value');
  const template = parseTemplate(value, variables);
  if (!template.ok) return template;
  locals[bare] = template.value;
  return ok([]);
}
