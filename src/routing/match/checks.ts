/** What a route asks of a request besides its place in the path index, compiled to functions once. */
import type { PathMatch, RouteMatch, ValueMatch } from '../plan/plan.ts';
import { compilePattern } from './pattern.ts';
import { patternStart } from './pattern-start.ts';
import type { QueryLookup } from './query.ts';
import type { MatchRequest } from './request.ts';

export type CheckReason = 'path' | 'gRPC' | 'method' | 'header' | 'query';

/** Query of the request at hand, parsed by the first check that asks. */
export type QuerySource = () => QueryLookup;

export interface Check {
  readonly reason: CheckReason;
  /** Header or parameter name; absent for the others. */
  readonly name?: string;
  /** For people: `= blue`, `matches v[0-9]+`. */
  readonly wanted: string;
  /** What the request has in that place; undefined when it lacks it. */
  readonly got: (request: MatchRequest, query: QuerySource) => string | undefined;
  /** Judges what `got` found. */
  readonly accepts: (got: string | undefined) => boolean;
  /** Steps that this takes at most for each character of it; 0 where no pattern is run. */
  readonly size: number;
}

const never = () => false;

/** A pattern that does not compile matches nothing: the translator that let it pass has reported it. */
function patternTest(source: string, ignoreCase = false): Pick<Check, 'accepts' | 'size'> {
  const pattern = compilePattern(source, { ignoreCase });
  if (!pattern.ok) return { accepts: never, size: 0 };
  const { matches, size } = pattern.value;
  return { accepts: (got) => got !== undefined && matches(got), size };
}

function valueTest({ type, value }: ValueMatch): Pick<Check, 'wanted' | 'accepts' | 'size'> {
  return type === 'exact'
    ? { wanted: `= ${value}`, accepts: (got) => got === value, size: 0 }
    : { wanted: `matches ${value}`, ...patternTest(value) };
}

function methodCheck(method: string): Check {
  return {
    reason: 'method',
    wanted: `= ${method}`,
    got: (request) => request.method,
    accepts: (got) => got === method,
    size: 0,
  };
}

const grpcCheck: Check = {
  reason: 'gRPC',
  wanted: 'call',
  got: ({ grpc, method }) => {
    if (grpc) return method === 'POST' ? 'call' : `sent with ${method}`;
    return 'not spoken';
  },
  accepts: (got) => got === 'call',
  size: 0,
};

function headerCheck(match: ValueMatch): Check {
  const { name } = match;
  return { reason: 'header', name, ...valueTest(match), got: (request) => request.headers(name) };
}

function queryCheck(match: ValueMatch): Check {
  const { name } = match;
  return { reason: 'query', name, ...valueTest(match), got: (_request, query) => query().get(name) };
}

function pathTest({ value, except, ignoreCase }: PathMatch): Pick<Check, 'accepts' | 'size'> {
  const wanted = patternTest(value, ignoreCase);
  if (except === undefined) return wanted;
  const other = patternTest(except, ignoreCase);
  return { accepts: (got) => wanted.accepts(got) && !other.accepts(got), size: wanted.size + other.size };
}

function regexPathCheck(path: PathMatch, compared: PathMatch): Check {
  return {
    reason: 'path',
    wanted: describePath(path),
    got: (request) => request.path,
    ...pathTest(compared),
  };
}

/**
 * Checks in the order of their cost: a regex path last, unless nothing else is asked. `compared` is the path as requests'
 * paths are compared with it.
 */
export function compileChecks(match: RouteMatch, compared = match.path): readonly Check[] {
  const { path } = match;
  // The index has settled those that are no more than the text they begin with.
  const isPattern =
    path?.type === 'regex' && (path.except !== undefined || !patternStart((compared ?? path).value).isAll);
  return [
    ...(match.grpc ? [grpcCheck] : []),
    ...(match.method === undefined ? [] : [methodCheck(match.method)]),
    ...(match.headers ?? []).map(headerCheck),
    ...(match.query ?? []).map(queryCheck),
    ...(isPattern ? [regexPathCheck(path, compared ?? path)] : []),
  ];
}

const pathVerbs: Record<PathMatch['type'], string> = {
  exact: '=',
  prefix: 'under',
  'string-prefix': 'starts with',
  regex: 'matches',
};

/** For people: `under /v1`, `= /health`. */
export function describePath(path: PathMatch): string {
  const except = path.except === undefined ? '' : `, but not ${path.except}`;
  return `${pathVerbs[path.type]} ${path.value}${except}${path.ignoreCase ? ' (any case)' : ''}`;
}
