/** GRPCRouteMatch → the plan's match, with its rank in the order of precedence. */
import type { GRPCRoute } from '../../kube/types/index.ts';
import type { PathMatch } from '../plan/plan.ts';
import { type CompiledMatch, compileHeaders, patternHint, patternProblem, type ValueFault } from './match-values.ts';

export type GrpcRule = NonNullable<GRPCRoute['spec']['rules']>[number];
export type GrpcMatch = NonNullable<GrpcRule['matches']>[number];
type MethodMatch = NonNullable<GrpcMatch['method']>;

/** What the API takes for the name of a service or method (GRPCMethodMatch). */
const names: Readonly<Record<'service' | 'method', RegExp>> = {
  service: /^\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*$/i,
  method: /^[a-z_][a-z_0-9]*$/i,
};

const typeHint = 'Use type Exact or RegularExpression.';
const nameHint = 'Write letters, digits and _ (in a service also dots), or use type RegularExpression.';

/** How a service or method is left open in a pattern. */
const anyName = '[^/]+';

/**
 * The path of a call is `/service/method`. The rank: what names one method, characters of the service, of the method,
 * headers (GRPCRouteRule.matches). That says nothing of types: the characters of a regular expression count as they are
 * written, except that nothing comes before a service and method given by name.
 */
export function compileGrpcMatch(given: GrpcMatch, fieldPath: string): CompiledMatch | ValueFault {
  const { type = 'Exact', service = '', method = '' } = given.method ?? {};
  const path = compileMethod(given.method, `${fieldPath}.method`);
  if (path && 'message' in path) return path;
  const headers = compileHeaders(given.headers, `${fieldPath}.headers`);
  if ('message' in headers) return headers;
  const namesOne = type === 'Exact' && service !== '' && method !== '';
  return {
    match: { ...(path && { path }), grpc: true, ...(headers.length > 0 && { headers }) },
    rank: [namesOne ? 0 : 1, -service.length, -method.length, -headers.length],
  };
}

/** Undefined: any method of any service. An empty name counts as none. */
function compileMethod(given: MethodMatch | undefined, fieldPath: string): PathMatch | ValueFault | undefined {
  const { type = 'Exact', service = '', method = '' } = given ?? {};
  if (type !== 'Exact' && type !== 'RegularExpression')
    return { fieldPath: `${fieldPath}.type`, message: `${String(type)} is not a type of method match`, hint: typeHint };
  if (!service && !method) return undefined;
  return type === 'Exact' ? exactMethod(service, method, fieldPath) : methodPattern(service, method, fieldPath);
}

function exactMethod(service: string, method: string, fieldPath: string): PathMatch | ValueFault {
  for (const [field, name] of Object.entries({ service, method }) as ['service' | 'method', string][])
    if (name && !names[field].test(name))
      return {
        fieldPath: `${fieldPath}.${field}`,
        message: `${JSON.stringify(name)} is not the name of a ${field}`,
        hint: nameHint,
      };
  if (!method) return { type: 'string-prefix', value: `/${service}/` };
  return service
    ? { type: 'exact', value: `/${service}/${method}` }
    : { type: 'regex', value: `/${anyName}/${method}` };
}

function methodPattern(service: string, method: string, fieldPath: string): PathMatch | ValueFault {
  const value = `/(?:${service || anyName})/(?:${method || anyName})`;
  for (const [field, pattern] of Object.entries({ service, method })) {
    const problem = patternProblem(pattern);
    if (problem) return { fieldPath: `${fieldPath}.${field}`, message: problem, hint: patternHint };
  }
  const problem = patternProblem(value);
  return problem ? { fieldPath, message: problem, hint: patternHint } : { type: 'regex', value };
}
