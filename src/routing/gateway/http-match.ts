/** HTTPRouteMatch → the plan's match, with its rank in the order of precedence. */
import type { HTTPRoute } from '../../kube/types/index.ts';
import type { PathMatch } from '../plan/plan.ts';
import {
  type CompiledMatch,
  compileHeaders,
  compileValues,
  patternHint,
  patternProblem,
  type ValueFault,
} from './match-values.ts';

export type HttpRule = NonNullable<HTTPRoute['spec']['rules']>[number];
export type HttpMatch = NonNullable<HttpRule['matches']>[number];

/** The match of a rule that gives none. */
export const defaultMatch: HttpMatch = { path: { type: 'PathPrefix', value: '/' } };

const pathTypes: ReadonlyMap<string, PathMatch['type']> = new Map([
  ['Exact', 'exact'],
  ['PathPrefix', 'prefix'],
  ['RegularExpression', 'regex'],
]);
const methods: ReadonlySet<string> = new Set('GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH'.split(' '));

/**
 * The precedence of regular expressions is left to implementations: here they come after exact paths and before
 * prefixes, longer patterns first (as in Contour and Envoy Gateway), so that one is of use beside a prefix `/`.
 */
const pathOrder: Readonly<Record<PathMatch['type'], number>> = { exact: 0, regex: 1, prefix: 2, 'string-prefix': 2 };

/** The rank: kind of path, its length, method, headers, query (HTTPRouteRule.matches). */
export function compileMatch(given: HttpMatch, fieldPath: string): CompiledMatch | ValueFault {
  const path = compilePath(given.path, `${fieldPath}.path`);
  if ('message' in path) return path;
  const headers = compileHeaders(given.headers, `${fieldPath}.headers`);
  if ('message' in headers) return headers;
  const query = compileValues(given.queryParams, `${fieldPath}.queryParams`, (name) => name);
  if ('message' in query) return query;
  const { method } = given;
  if (method !== undefined && !methods.has(method))
    return {
      fieldPath: `${fieldPath}.method`,
      message: `${method} is not a method that can be matched`,
      hint: `Use one of ${[...methods].join(', ')}, or leave method out to match all.`,
    };
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

/** Characters of the value; the trailing slash of a prefix says nothing. */
function pathLength({ type, value }: PathMatch): number {
  return type === 'prefix' && value.length > 1 && value.endsWith('/') ? value.length - 1 : value.length;
}

function compilePath(given: HttpMatch['path'], fieldPath: string): PathMatch | ValueFault {
  const { type: asked = 'PathPrefix', value = '/' } = given ?? {};
  const type = pathTypes.get(asked);
  if (!type)
    return {
      fieldPath: `${fieldPath}.type`,
      message: `${asked} is not a type of path match`,
      hint: `Use type ${[...pathTypes.keys()].join(', ')}.`,
    };
  const problem = type === 'regex' ? patternProblem(value) : pathProblem(value);
  const hint = type === 'regex' ? patternHint : 'Begin the value with /.';
  return problem ? { fieldPath: `${fieldPath}.value`, message: problem, hint } : { type, value };
}

function pathProblem(value: string): string | undefined {
  return value.startsWith('/') ? undefined : `the path ${JSON.stringify(value)} does not begin with /`;
}
