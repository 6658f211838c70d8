/** HTTPRouteMatch → the plan's match, with its rank in the order of precedence. */
import type { HTTPRoute } from '../../kube/types/index.ts';
import { compilePattern } from '../match/pattern.ts';
import type { PathMatch, RouteMatch, ValueMatch } from '../plan/plan.ts';

export type HttpRule = NonNullable<HTTPRoute['spec']['rules']>[number];
export type HttpMatch = NonNullable<HttpRule['matches']>[number];

/** Smaller is first, field by field (HTTPRouteRule.matches). */
export type MatchRank = readonly [pathType: number, pathLength: number, method: number, headers: number, query: number];

export interface CompiledMatch {
  readonly match: RouteMatch;
  readonly rank: MatchRank;
}

/** What is wrong with a value of a rule. The path of the field is relative to the rule. */
export interface ValueFault {
  readonly fieldPath: string;
  readonly message: string;
}

/** The match of a rule that gives none. */
export const defaultMatch: HttpMatch = { path: { type: 'PathPrefix', value: '/' } };

const pathTypes: ReadonlyMap<string, PathMatch['type']> = new Map([
  ['Exact', 'exact'],
  ['PathPrefix', 'prefix'],
  ['RegularExpression', 'regex'],
]);
const valueTypes: ReadonlyMap<string, ValueMatch['type']> = new Map([
  ['Exact', 'exact'],
  ['RegularExpression', 'regex'],
]);
const methods: ReadonlySet<string> = new Set('GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH'.split(' '));

/**
 * The precedence of regular expressions is left to implementations: here they come after exact paths and before
 * prefixes, longer patterns first (as in Contour and Envoy Gateway), so that one is of use beside a prefix `/`.
 * A pattern is RE2 and has to cover the whole path or value.
 */
const pathOrder: Readonly<Record<PathMatch['type'], number>> = { exact: 0, regex: 1, prefix: 2, 'string-prefix': 2 };

export function compileMatch(given: HttpMatch, fieldPath: string): CompiledMatch | ValueFault {
  const path = compilePath(given.path, `${fieldPath}.path`);
  if ('message' in path) return path;
  const headers = compileValues(given.headers, `${fieldPath}.headers`, (name) => name.toLowerCase());
  if ('message' in headers) return headers;
  const query = compileValues(given.queryParams, `${fieldPath}.queryParams`, (name) => name);
  if ('message' in query) return query;
  const { method } = given;
  if (method !== undefined && !methods.has(method))
    return { fieldPath: `${fieldPath}.method`, message: `${method} is not a method that can be matched` };
  return {
    match: {
      path,
      ...(method && { method }),
      ...(headers.length > 0 && { headers }),
      ...(query.length > 0 && { query }),
    },
    rank: [pathOrder[path.type], -pathLength(path), method ? 0 : 1, -headers.length, -query.length],
  };
}

export function compareRank(a: MatchRank, b: MatchRank): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

/** Characters of the value; the trailing slash of a prefix says nothing. */
function pathLength({ type, value }: PathMatch): number {
  return type === 'prefix' && value.length > 1 && value.endsWith('/') ? value.length - 1 : value.length;
}

function compilePath(given: HttpMatch['path'], fieldPath: string): PathMatch | ValueFault {
  const { type: asked = 'PathPrefix', value = '/' } = given ?? {};
  const type = pathTypes.get(asked);
  if (!type) return { fieldPath: `${fieldPath}.type`, message: `${asked} is not a type of path match` };
  const problem = type === 'regex' ? patternProblem(value) : pathProblem(value);
  return problem ? { fieldPath: `${fieldPath}.value`, message: problem } : { type, value };
}

function pathProblem(value: string): string | undefined {
  return value.startsWith('/') ? undefined : `the path ${JSON.stringify(value)} does not begin with /`;
}

function patternProblem(source: string): string | undefined {
  const pattern = compilePattern(source);
  return pattern.ok
    ? undefined
    : `${JSON.stringify(source)} is not a usable regular expression (RE2): ${pattern.error}`;
}

/** Of entries with one name only the first counts. */
function compileValues(
  given: HttpMatch['queryParams'],
  fieldPath: string,
  nameOf: (name: string) => string,
): readonly ValueMatch[] | ValueFault {
  if (!given?.length) return [];
  const values = new Map<string, ValueMatch>();
  for (const [i, { name: asked, type: askedType = 'Exact', value }] of given.entries()) {
    const name = nameOf(asked);
    if (values.has(name)) continue;
    const type = valueTypes.get(askedType);
    if (!type) return { fieldPath: `${fieldPath}[${i}].type`, message: `${askedType} is not a type of match` };
    const problem = type === 'regex' ? patternProblem(value) : undefined;
    if (problem) return { fieldPath: `${fieldPath}[${i}].value`, message: problem };
    values.set(name, { name, type, value });
  }
  return [...values.values()];
}
