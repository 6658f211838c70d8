/** HTTPRouteFilters → filters and redirects of the plan. A filter that cannot be honoured is never skipped. */
import type { Filter, HeaderPair, PathRewrite, RedirectAction } from '../plan/plan.ts';
import type { ResolveBackend, Spoken } from './backends.ts';
import { corsFilter } from './cors-filter.ts';
import { externalAuthFilter } from './external-auth-filter.ts';
import { type FilterFault, headerName, incompatible, unsupported } from './filter-fault.ts';
import type { GrpcRule } from './grpc-match.ts';
import type { HttpRule } from './http-match.ts';
import { mirrorFilter } from './mirror-filter.ts';

type HttpFilter = NonNullable<HttpRule['filters']>[number];
type HeaderModifier = NonNullable<HttpFilter['requestHeaderModifier']>;
type PathModifier = NonNullable<HttpFilter['urlRewrite']>['path'];

export interface CompiledFilters {
  readonly filters: readonly Filter[];
  readonly redirect?: RedirectAction;
  /** Why nothing may get through: a filter that lets requests in has lost what it goes by. */
  readonly closed?: string;
}

type Compiled =
  | { readonly filter?: Filter }
  | { readonly redirect: RedirectAction }
  | { readonly closed: string }
  | FilterFault;
type Compiler = (filter: HttpFilter, fieldPath: string, resolve: ResolveBackend) => Compiled;

/** Filters of a rule, by type. */
const ruleFilters: ReadonlyMap<string, Compiler> = new Map<string, Compiler>([
  [
    'RequestHeaderModifier',
    (filter, fieldPath) =>
      headerFilter('request-headers', filter.requestHeaderModifier, `${fieldPath}.requestHeaderModifier`),
  ],
  [
    'ResponseHeaderModifier',
    (filter, fieldPath) =>
      headerFilter('response-headers', filter.responseHeaderModifier, `${fieldPath}.responseHeaderModifier`),
  ],
  ['RequestRedirect', redirectFilter],
  ['URLRewrite', rewriteFilter],
  ['RequestMirror', mirrorFilter],
  ['CORS', corsFilter],
  ['ExternalAuth', externalAuthFilter],
]);

/** All others may stand in a rule once. */
const repeatable: ReadonlySet<string> = new Set(['RequestMirror', 'ExternalAuth']);

/** Of a GRPCRoute, and of its backendRefs: what changes the path, or answers, is not for calls. */
const grpcFilters: ReadonlyMap<string, Compiler> = new Map(
  [...ruleFilters].filter(([type]) => type.endsWith('HeaderModifier') || type === 'RequestMirror'),
);

export function compileRuleFilters(
  given: HttpRule['filters'],
  fieldPath: string,
  resolve: ResolveBackend,
): CompiledFilters | FilterFault {
  return compileFilters(given, fieldPath, ruleFilters, 'a rule', resolve);
}

export function compileGrpcFilters(
  given: GrpcRule['filters'],
  fieldPath: string,
  resolve: ResolveBackend,
): CompiledFilters | FilterFault {
  return compileFilters(given, fieldPath, grpcFilters, 'a rule of a GRPCRoute', resolve);
}

/** Of one backendRef: whatever a rule may have. */
export function compileBackendFilters(
  given: HttpRule['filters'],
  fieldPath: string,
  resolve: ResolveBackend,
  spoken: Spoken,
): CompiledFilters | FilterFault {
  if (spoken === 'gRPC') return compileFilters(given, fieldPath, grpcFilters, 'a backendRef of a GRPCRoute', resolve);
  return compileFilters(given, fieldPath, ruleFilters, 'a backendRef', resolve);
}

function compileFilters(
  given: HttpRule['filters'],
  fieldPath: string,
  compilers: ReadonlyMap<string, Compiler>,
  place: string,
  resolve: ResolveBackend,
): CompiledFilters | FilterFault {
  const filters: Filter[] = [];
  const seen = new Set<string>();
  let redirect: RedirectAction | undefined;
  let closed: string | undefined;
  for (const [i, filter] of (given ?? []).entries()) {
    const at = `${fieldPath}[${i}]`;
    const compile = compilers.get(filter.type);
    if (!compile) return unserved(filter, at, place, compilers.keys());
    if (seen.has(filter.type) && !repeatable.has(filter.type))
      return incompatible(at, `the filter ${filter.type} stands twice in ${place}`, 'Make one filter of the two.');
    seen.add(filter.type);
    const compiled = compile(filter, at, resolve);
    if ('code' in compiled) return compiled;
    if ('redirect' in compiled) redirect = compiled.redirect;
    else if ('closed' in compiled) closed = compiled.closed;
    else if (compiled.filter) filters.push(compiled.filter);
  }
  if (seen.has('RequestRedirect') && seen.has('URLRewrite'))
    return incompatible(fieldPath, 'RequestRedirect and URLRewrite exclude each other', rewriteHint);
  if (seen.has('RequestRedirect') && seen.has('RequestMirror'))
    return incompatible(
      fieldPath,
      'RequestMirror copies what is forwarded, and RequestRedirect forwards nothing',
      mirrorHint,
    );
  return { filters, ...(redirect && { redirect }), ...(closed !== undefined && { closed }) };
}

function unserved(
  { type, extensionRef }: HttpFilter,
  fieldPath: string,
  place: string,
  served: Iterable<string>,
): FilterFault {
  const what = extensionRef ? `${type} to ${extensionRef.kind} ${extensionRef.name}` : type;
  return {
    code: 'FW3302',
    reason: 'UnsupportedValue',
    fieldPath,
    message: `the filter ${what} is not served in ${place}`,
    hint: `Remove the filter, or use ${[...served].join(', ')}; until then requests for the rule are answered with 500, since a filter must not be skipped.`,
  };
}

const rewriteHint = 'Keep one of them; requestRedirect.path changes the path of a redirect.';
const mirrorHint = 'Remove the RequestMirror, or the RequestRedirect.';
const headerHint = 'Write a name of letters, digits and -, and a value without control characters.';
const pathHint = 'Use type ReplaceFullPath or ReplacePrefixMatch.';

/** What RFC 9110 section 5.5 lets a field value hold; anything else could end the header section. */
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;

function headerFilter(
  type: 'request-headers' | 'response-headers',
  given: HeaderModifier | undefined,
  fieldPath: string,
): Compiled {
  const set = headerPairs(given?.set);
  const add = headerPairs(given?.add);
  const remove = distinct(given?.remove ?? [], (name) => name.toLowerCase());
  for (const [list, pairs] of [
    ['set', set],
    ['add', add],
  ] as const) {
    const bad = pairs.find(([name, value]) => !headerName.test(name) || !headerValue.test(value));
    if (bad)
      return unsupported(`${fieldPath}.${list}`, `${JSON.stringify(bad.join(': '))} is not a valid header`, headerHint);
  }
  const badName = remove.find((name) => !headerName.test(name));
  if (badName !== undefined)
    return unsupported(`${fieldPath}.remove`, `${JSON.stringify(badName)} is not the name of a header`, headerHint);
  return twoActions({ set, add, remove }, fieldPath) ?? { filter: { type, set, add, remove } };
}

interface HeaderActions {
  readonly set: readonly HeaderPair[];
  readonly add: readonly HeaderPair[];
  readonly remove: readonly string[];
}

/** One action for a name is permitted: a filter that has another for it is invalid (HTTPHeaderFilter). */
function twoActions({ set, add, remove }: HeaderActions, fieldPath: string): FilterFault | undefined {
  const named = { set: set.map(([name]) => name), add: add.map(([name]) => name), remove };
  const actionOf = new Map<string, string>();
  for (const [action, names] of Object.entries(named)) {
    for (const name of names) {
      const other = actionOf.get(name.toLowerCase());
      if (other) return unsupported(`${fieldPath}.${action}`, `the header ${name} stands in ${other} too`, actionHint);
      actionOf.set(name.toLowerCase(), action);
    }
  }
  return undefined;
}

const actionHint =
  'Keep one entry for each header in set, add and remove: set replaces what is there, add appends to it.';

/** Of entries with one name only the first counts (HTTPHeader.name). */
function headerPairs(given: HeaderModifier['set']): HeaderPair[] {
  return distinct(given ?? [], ({ name }) => name.toLowerCase()).map(({ name, value }) => [name, value]);
}

function distinct<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const key = keyOf(item);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

const schemes: ReadonlySet<string> = new Set(['http', 'https']);
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const statusHint = `Use ${[...redirectStatuses].join(', ')}.`;

function redirectFilter({ requestRedirect }: HttpFilter, fieldPath: string): Compiled {
  const { scheme, hostname, port, path, statusCode = 302 } = requestRedirect ?? {};
  const at = `${fieldPath}.requestRedirect`;
  if (scheme !== undefined && !schemes.has(scheme))
    return unsupported(`${at}.scheme`, `${scheme} is not a scheme to redirect to`, 'Use http or https.');
  if (!redirectStatuses.has(statusCode))
    return unsupported(`${at}.statusCode`, `${statusCode} is not a status of a redirect`, statusHint);
  const rewrite = pathRewrite(path, `${at}.path`);
  if (rewrite && 'code' in rewrite) return rewrite;
  return {
    redirect: {
      type: 'redirect',
      ...(scheme && { scheme }),
      ...(hostname && { hostname }),
      ...(port !== undefined && { port }),
      ...(rewrite && { path: rewrite }),
      status: statusCode,
    },
  };
}

function rewriteFilter({ urlRewrite }: HttpFilter, fieldPath: string): Compiled {
  const { hostname, path } = urlRewrite ?? {};
  const rewrite = pathRewrite(path, `${fieldPath}.urlRewrite.path`);
  if (rewrite && 'code' in rewrite) return rewrite;
  return { filter: { type: 'rewrite', ...(hostname && { hostname }), ...(rewrite && { path: rewrite }) } };
}

function pathRewrite(given: PathModifier, fieldPath: string): PathRewrite | FilterFault | undefined {
  if (!given) return undefined;
  const { type, replaceFullPath = '', replacePrefixMatch = '' } = given;
  const value = type === 'ReplaceFullPath' ? replaceFullPath : replacePrefixMatch;
  if (!/^[\x21-\x7e]*$/.test(value))
    return unsupported(
      fieldPath,
      `${JSON.stringify(value)} is not a path of printable ASCII characters`,
      'Percent-encode all others.',
    );
  if (type === 'ReplaceFullPath') return { type: 'full', value };
  if (type === 'ReplacePrefixMatch') return { type: 'prefix', value };
  return unsupported(`${fieldPath}.type`, `${String(type)} is not a way to rewrite a path`, pathHint);
}
